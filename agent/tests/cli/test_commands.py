# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command answers, in its form and with its exit code."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from seatkeeper_agent import __version__
from seatkeeper_agent.api import schemas
from seatkeeper_agent.cli import make_parser
from seatkeeper_agent.journal import Journal
from seatkeeper_twins.lab.lab import Lab, LabHost

from .conftest import AGENT, COMMAND_SECONDS_MAX, SEED, RunAgent, environment, run

COMMANDS = ("serve", "status", "doctor", "key", "journal-backup", "openapi", "completion")


def test_help_names_every_command_and_option(capsys: pytest.CaptureFixture[str]) -> None:
    parser = make_parser()
    with pytest.raises(SystemExit, match=r"^0$"):
        parser.parse_args(["--help"])
    reported = capsys.readouterr().out
    for word in (*COMMANDS, "--config", "--version", "$SEATKEEPER_CONFIG", "doctor"):
        assert word in reported
    for command in COMMANDS:
        with pytest.raises(SystemExit, match=r"^0$"):
            parser.parse_args([command, "--help"])
        assert f"usage: seatkeeper-agent {command}" in capsys.readouterr().out


def test_bad_usage_is_told_with_exit_code_2() -> None:
    for arguments in ((), ("frobnicate",), ("status", "--yaml"), ("completion", "sh")):
        done = run(*arguments)
        assert done.returncode == 2
        assert "usage: seatkeeper-agent" in done.stderr


def test_the_version_is_told() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"{__version__}\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "tcsh"])
def test_completion_is_a_script_of_its_shell(shell: str, tmp_path: Path, here: RunAgent) -> None:
    done = here("completion", shell)
    assert done.returncode == 0
    for command in COMMANDS:
        assert command in done.stdout
    script = tmp_path / "completion"
    script.write_text(done.stdout, encoding="utf-8")
    if program := shutil.which(shell):
        subprocess.run([program, "-n", str(script)], check=True, timeout=COMMAND_SECONDS_MAX)


@pytest.mark.parametrize(
    ("shell", "asking"),
    [
        ("bash", 'COMP_WORDS=(seatkeeper-agent att); COMP_CWORD=1\n{function}\necho "$COMPREPLY"'),
        ("fish", "complete --do-complete 'seatkeeper-agent att'"),
    ],
)
def test_completion_completes(shell: str, asking: str, tmp_path: Path, here: RunAgent) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell} here")
    script = here("completion", shell).stdout
    function = re.search(r"^complete .*-F (\w+)", script, re.MULTILINE)
    requested = tmp_path / "asked"
    requested.write_text(script + asking.format(function=function[1] if function else ""))
    done = subprocess.run(
        [program, str(requested)],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
        timeout=COMMAND_SECONDS_MAX,
    )
    assert done.stdout.split()[0] == "attest"


def test_openapi_needs_no_settings(tmp_path: Path, here: RunAgent) -> None:
    done = here("--config", str(tmp_path / "absent.toml"), "openapi")
    assert done.returncode == 0
    assert json.loads(done.stdout)["openapi"].startswith("3.1")


def test_key_prints_the_key_that_the_agent_signs_with(host: LabHost, here: RunAgent) -> None:
    done = here("--config", str(host.settings_path), "key")
    assert done.returncode == 0
    assert done.stdout == host.client.get("/v1/agent")["agent"]["public_key"]
    assert done.stdout.startswith("-----BEGIN PUBLIC KEY-----\n")
    # The same as anybody can work out from what it printed.
    body = base64.b64decode("".join(done.stdout.splitlines()[1:-1]))
    done = here("--config", str(host.settings_path), "key", "--fingerprint")
    assert (done.returncode, done.stdout) == (0, f"sha256:{hashlib.sha256(body).hexdigest()}\n")


def test_backup_copies_the_journal_of_a_running_agent(
    host: LabHost, tmp_path: Path, here: RunAgent
) -> None:
    command = ("--config", str(host.settings_path), "journal-backup", str(tmp_path / "copy.db"))
    done = here(*command)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "copy.db").read_bytes().startswith(b"SQLite format 3")
    again = here(*command)
    assert again.returncode == 1
    assert "exists already: name another file." in again.stderr


def test_key_makes_the_key_once_and_privately(
    tmp_path: Path, written: Callable[[str], Path], here: RunAgent
) -> None:
    state = tmp_path / "state"
    settings = written(f'[agent]\nname = "fresh"\nstate_folder = "{state}"\n')
    printed = {here("--config", str(settings), "key").stdout for _time in range(2)}
    assert len(printed) == 1
    assert sorted(path.name for path in state.iterdir()) == ["agent.key", "journal.db"]
    modes = [f"{path.stat().st_mode & 0o777:o}" for path in (state, state / "agent.key")]
    assert modes == ["700", "600"]


def test_a_key_without_its_journal_does_not_serve_until_an_operator_says_so(
    tmp_path: Path, written: Callable[[str], Path], here: RunAgent
) -> None:
    state = tmp_path / "state"
    text = f'[agent]\nname = "fresh"\nstate_folder = "{state}"\nsocket = "{tmp_path}/a.sock"\n'
    config = ("--config", str(written(text)))
    statement = "The disk is lost, and there is no copy."
    early = here(*config, "begin-journal", statement)
    assert (early.returncode, "Nothing was done." in early.stderr) == (1, True)
    assert here(*config, "key").returncode == 0
    (state / "journal.db").unlink()
    refused = run(*config, "serve")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "its journal journal.db is gone" in refused.stderr
    assert "begin-journal STATEMENT" in refused.stderr
    assert here(*config, "begin-journal", statement).returncode == 0
    journal = Journal(state / "journal.db")
    with journal.reading() as unit:
        (entry,) = unit.audit.page(0, 10)
    journal.close()
    assert (entry.action, entry.detail) == ("journal_begun", {"statement": statement})


def test_settings_are_found_by_the_environment(host: LabHost) -> None:
    done = run("key", SEATKEEPER_CONFIG=str(host.settings_path))
    assert (done.returncode, done.stderr) == (0, "")


def test_status_is_for_people_and_for_programs(host: LabHost, here: RunAgent) -> None:
    done = here("--config", str(host.settings_path), "status")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    assert ["container", "130-1000000001 (cmact_license)"] in lines
    assert ["operation", "none open"] in lines
    assert ["transfer", "none open"] in lines
    assert sum(word == "invariant" and reported.endswith(" holds") for word, reported in lines) == 5
    found = json.loads(here("--config", str(host.settings_path), "status", "--json").stdout)
    schemas.check("agent", found["agent"])
    for container in found["containers"]:
        schemas.check("container", container)
    assert (found["operations"], found["transfers"]) == ([], [])


def test_doctor_is_for_people_and_for_programs(host: LabHost, here: RunAgent) -> None:
    # The first to ask who it is has its key made.
    host.client.get("/v1/agent")
    done = here("--config", str(host.settings_path), "doctor")
    assert (done.returncode, done.stderr) == (0, "")
    findings = json.loads(here("--config", str(host.settings_path), "doctor", "--json").stdout)
    assert [set(finding) for finding in findings] == [{"name", "verdict", "detail"}] * len(findings)
    assert [f"{entry['verdict']:8} {entry['name']:10} {entry['detail']}" for entry in findings] == (
        done.stdout.splitlines()
    )
    verdicts = {entry["name"]: entry["verdict"] for entry in findings}
    assert verdicts["trust"] == "warning", "a lab of one host trusts nobody"
    for name in ("state", "key", "codemeter", "agent"):
        assert verdicts[name] == "ok"


def test_doctor_before_the_first_start_says_what_is_to_be_done(
    tmp_path: Path, written: Callable[[str], Path]
) -> None:
    paths = f'state_folder = "{tmp_path}/state"\nsocket = "{tmp_path}/agent.sock"\n'
    library = f'[codemeter]\nlibrary = "{tmp_path}/absent.so"\n'
    settings = written(f'[agent]\nname = "fresh"\n{paths}{library}')
    done = run("--config", str(settings), "doctor", "--json")
    verdicts = {entry["name"]: entry["verdict"] for entry in json.loads(done.stdout)}
    assert verdicts == {
        "state": "warning",
        "key": "warning",
        "trust": "warning",
        "products": "wrong",
        "agent": "wrong",
        "journal": "warning",
    }
    assert done.returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["agent.toml"], "it changed something"


def test_doctor_finds_what_is_open_to_others_or_broken(
    tmp_path: Path, written: Callable[[str], Path]
) -> None:
    state = tmp_path / "state"
    (state / "trust").mkdir(parents=True)
    state.chmod(0o755)
    key = state / "agent.key"
    key.write_text("no key", encoding="utf-8")
    key.chmod(0o644)
    (state / "trust" / "other.pem").write_text("no key", encoding="utf-8")
    paths = f'state_folder = "{state}"\nsocket = "{tmp_path}/agent.sock"\n'
    settings = written(f'[agent]\nname = "open"\n{paths}')

    def findings() -> dict[str, tuple[str, str]]:
        done = run("--config", str(settings), "doctor", "--json")
        assert done.returncode == 1
        found = json.loads(done.stdout)
        return {entry["name"]: (entry["verdict"], entry["detail"]) for entry in found}

    found = findings()
    assert {found[name][0] for name in ("state", "key", "trust")} == {"wrong"}
    assert "chmod 700" in found["state"][1]
    assert "other.pem is not a public key" in found["trust"][1]
    key.chmod(0o600)
    assert "agent.key cannot be used" in findings()["key"][1]


def test_status_tells_what_waits_while_the_product_is_down(here: RunAgent) -> None:
    with Lab.create({"old-server": SEED}) as lab:
        host = lab["old-server"]
        host.engine.stop()
        done = here("--config", str(host.settings_path), "status")
        assert done.returncode == 1
        assert "not running" in done.stdout
        assert "operation   none open" in done.stdout
        assert done.stderr.startswith("seatkeeper-agent: The product on this host")
        found = here("--config", str(host.settings_path), "status", "--json")
        assert json.loads(found.stdout)["containers"] is None
        reported = here("--config", str(host.settings_path), "doctor").stdout
        assert "wrong    codemeter  The license server does not answer." in reported


@pytest.mark.parametrize(
    ("command", "code"), [("openapi", 1), ("status", 1), ("--version", 0), ("--help", 0)]
)
def test_a_reader_that_goes_away_is_no_failure_to_speak_of(
    host: LabHost, command: str, code: int
) -> None:
    with subprocess.Popen(
        [*AGENT, "--config", str(host.settings_path), command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(COMMAND_SECONDS_MAX) == code


def test_a_full_output_is_told(host: LabHost) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [*AGENT, "--config", str(host.settings_path), "status"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=environment(),
            timeout=COMMAND_SECONDS_MAX,
        )
    assert done.returncode == 1
    reported = "seatkeeper-agent: The output cannot be used: No space left on device.\n"
    assert done.stderr == reported
