# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that cannot be used are told in one sentence that names the file and the key."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from seatkeeper_agent.settings import DEFAULT_PATH, Roles, Settings, SettingsError, load

from .conftest import RunAgent, run

COMMANDS = (["serve"], ["status"], ["doctor"], ["key"])


def refusal(path: Path) -> str:
    """Why settings cannot be used; a sentence that names their file."""
    with pytest.raises(SettingsError) as refused:
        load(path)
    reported = str(refused.value)
    assert str(path) in reported
    assert reported.endswith(".")
    assert "\n" not in reported
    return reported


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("text", "reported"),
    [
        (None, "cannot be read: No such file or directory. Give their place with --config."),
        ("[agent", "are not TOML"),
        ("[agent]\ncolour = 1\n", "unknown key 'colour'"),
    ],
    ids=["missing", "no toml", "unknown key"],
)
def test_every_command_tells_it_in_one_line(
    tmp_path: Path,
    here: RunAgent,
    command: list[str],
    text: str | None,
    reported: str,
) -> None:
    path = tmp_path / "agent.toml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    run_it = run if command == ["serve"] else here
    done = run_it("--config", str(path), *command)
    assert done.returncode == 1
    assert done.stderr.startswith(f"seatkeeper-agent: The settings {path} ")
    assert reported in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("[agents]\n", "unknown key 'agents'"),
        ("agent = 1\n", "agent must be a table"),
        ("[agent]\nname = 5\n", "agent.name 5 must be letters"),
        ('[agent]\nname = ""\n', "agent.name '' must be letters"),
        ('[agent]\nname = "a\\n"\n', "agent.name"),
        ('[agent]\nname = "../up"\n', "agent.name"),
        (f'[agent]\nname = "{"a" * 64}"\n', "agent.name"),
        ('[agent]\nstate_folder = "relative"\n', "agent.state_folder must be an absolute path"),
        ("[agent]\nsocket = 1\n", "agent.socket must be an absolute path"),
        ("[agent]\nsettle_seconds = true\n", "agent.settle_seconds must be a number"),
        ("[agent]\nsettle_seconds = 601\n", "agent.settle_seconds must be a number"),
        ("[agent]\nsettle_seconds = nan\n", "agent.settle_seconds must be a number"),
        ('[roles]\nowner = ["x"]\n', "[roles] has the unknown key 'owner'"),
        ('[roles]\noperator = "wheel"\n', "roles.operator must be a list of group names"),
        ("[roles]\noperator = [1]\n", "roles.operator must be a list of group names"),
        ("[policy]\nclock_seconds_max = 1.5\n", "policy.clock_seconds_max must be of type int"),
        ("[policy]\nclock_seconds_max = true\n", "policy.clock_seconds_max must be of type int"),
        ("[policy]\nborrow_seconds_max = -1\n", "policy.borrow_seconds_max must not be negative"),
        (f"[policy]\nborrow_seconds_max = {10**30}\n", "borrow_seconds_max must be 1000000000 or"),
        ('[policy]\ntransfer_blocked = "no"\n', "policy.transfer_blocked must be of type bool"),
        ("[policy]\ntransfer_blocked = 0\n", "policy.transfer_blocked must be of type bool"),
        ("[codemeter]\nlibrary = 1\n", "codemeter.library must be of type str"),
        ('[codemeter]\nlibrary = "../lib.so"\n', "library must be a file name or an absolute path"),
        ('[codemeter]\ncmu = "cmu"\n', "cmu must be an absolute path"),
        ('[codemeter]\ncmu = "/usr/bin/%n"\n', "must not hold % or control characters"),
        ('[codemeter]\nstop_command = "systemctl stop"\n', "codemeter.stop_command"),
        ("[codemeter]\nstop_command = [1]\n", "codemeter.stop_command must be a list of texts"),
        ("[codemeter]\nstop_command = []\n", "stop_command must name a program"),
        ("[codemeter]\ncall_seconds_max = 0\n", "call_seconds_max must be more than 0"),
        ("[codemeter]\ncall_seconds_max = -1\n", "call_seconds_max must not be negative"),
        ("[codemeter]\ncall_seconds_max = inf\n", "call_seconds_max must be more than 0"),
        ('[codemeter]\nhost = "--help"\n', "host must be a host name"),
        ("[agent]\nname = 'a'\nname = 'b'\n", "are not TOML"),
        ("\x00", "are not TOML"),
    ],
)
def test_what_is_wrong_is_named(written: Callable[[str], Path], text: str, reported: str) -> None:
    assert reported in refusal(written(text))


def test_what_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_bytes(b"\xff\xfe[agent]")
    assert "are not TOML" in refusal(path)
    assert "cannot be read: Is a directory" in refusal(tmp_path)
    assert "cannot be read: Not a directory" in refusal(path / "agent.toml")


def test_everything_that_may_be_set_is_taken(written: Callable[[str], Path]) -> None:
    found = load(
        written(
            '[agent]\nname = "a"\nstate_folder = "/s"\nsocket = "/r/a.sock"\nsettle_seconds = 1\n'
            '[roles]\nobserver = ["o"]\noperator = []\nmigrator = ["m", "n"]\n'
            "[policy]\nborrow_seconds_max = 60\ntransfer_blocked = true\n"
            '[codemeter]\nlibrary = "/l.so"\nhost = "h"\ncall_seconds_max = 5\n'
            'stop_command = ["rc-service", "codemeter", "stop"]\n'
        )
    )
    assert (found.name, found.state_folder, found.socket) == ("a", Path("/s"), Path("/r/a.sock"))
    assert found.settle_seconds == 1.0
    assert found.roles == Roles(("o",), (), ("m", "n"))
    assert (found.policy.borrow_seconds_max, found.policy.transfer_blocked) == (60, True)
    codemeter = found.vendors["codemeter"]
    assert codemeter.library == "/l.so"
    assert codemeter.call_seconds_max == 5.0
    assert codemeter.stop_command == ("rc-service", "codemeter", "stop")


def test_empty_settings_mean_the_documented_defaults(written: Callable[[str], Path]) -> None:
    found = load(written(""))
    assert found == Settings(name=os.uname().nodename)
    assert str(found.state_folder) == "/var/lib/seatkeeper"
    assert str(found.socket) == "/run/seatkeeper/agent.sock"
    assert found.roles.migrator == ("seatkeeper-migrator",)


@pytest.mark.skipif(DEFAULT_PATH.exists(), reason=f"{DEFAULT_PATH} is there")
def test_the_default_file_may_be_absent() -> None:
    assert load(DEFAULT_PATH).name == os.uname().nodename


def test_a_state_folder_that_cannot_be_written_is_told(
    tmp_path: Path, written: Callable[[str], Path]
) -> None:
    (tmp_path / "file").touch()
    state = tmp_path / "file" / "state"
    path = written(f'[agent]\nname = "a"\nstate_folder = "{state}"\nsocket = "{tmp_path}/a.sock"\n')
    for command in ("serve", "key"):
        done = run("--config", str(path), command)
        assert done.returncode == 1
        assert done.stderr.startswith(f"seatkeeper-agent: The state folder {state} cannot be ")
        assert "Not a directory" in done.stderr
        assert done.stderr.count("\n") == 1


def test_an_agent_that_is_down_is_told(tmp_path: Path, written: Callable[[str], Path]) -> None:
    socket = tmp_path / "a.sock"
    path = written(f'[agent]\nname = "a"\nstate_folder = "{tmp_path}/s"\nsocket = "{socket}"\n')
    for arguments in (["status"], ["status", "--json"]):
        done = run("--config", str(path), *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"seatkeeper-agent: No agent answers at {socket} ")
        assert done.stderr.count("\n") == 1
