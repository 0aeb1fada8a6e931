# SPDX-License-Identifier: GPL-3.0-or-later
"""Doctor, status and the page speak of the products of this host, and of an agent that is dead."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from seatkeeper_agent.client import through
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.vendors import aimms, altigen, chaos, codemeter
from seatkeeper_agent.vendors.registry import vendors
from seatkeeper_twins.lab.lab import Lab, LabHost

from .conftest import SEED, RunAgent, run

FOLDERS = [Path(package.__path__[0]) for package in (codemeter, chaos, altigen, aimms)]


def findings(settings: Path) -> tuple[int, list[dict[str, str]]]:
    """Exit code and findings of doctor."""
    done = run("--config", str(settings), "doctor", "--json")
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def of(found: list[dict[str, str]], name: str) -> dict[str, str]:
    """The one finding of this name."""
    (entry,) = (entry for entry in found if entry["name"] == name)
    return entry


@pytest.fixture(scope="module")
def render_host() -> Iterator[LabHost]:
    """A host that has a Chaos license server and no CodeMeter."""
    with Lab.create({"render-server": {"chaos": {}}}) as lab:
        yield lab["render-server"]


def test_each_driver_brings_its_own_checks() -> None:
    drivers = {path.name for path in FOLDERS[0].parent.iterdir() if (path / "README.md").is_file()}
    assert drivers == vendors().keys() == {folder.name for folder in FOLDERS}
    assert all((folder / "checks.py").is_file() for folder in FOLDERS)


def test_a_host_without_a_product_hears_nothing_of_it(render_host: LabHost, here: RunAgent) -> None:
    render_host.client.get("/v1/agent")
    code, found = findings(render_host.settings_path)
    assert code == 0
    assert of(found, "chaos")["verdict"] == "ok"
    status = here("--config", str(render_host.settings_path), "status")
    assert (status.returncode, status.stderr) == (0, "")
    with httpx.Client(transport=through(render_host.socket_path)) as client:
        page = client.get("http://localhost/").text
    for reported in (json.dumps(found), status.stdout, page):
        assert "codemeter" not in reported.lower().replace(str(render_host.folder), "")
        assert "chaos" in reported.lower()


def test_a_host_without_any_product_is_told_so(
    tmp_path: Path, written: Callable[[str], Path]
) -> None:
    _code, found = findings(written(bare(tmp_path)))
    assert of(found, "products")["verdict"] == "wrong"
    assert f"{tmp_path}/absent.so" in of(found, "products")["detail"]


def test_a_product_of_which_something_is_here_is_wrong_while_it_does_not_answer(
    tmp_path: Path, written: Callable[[str], Path]
) -> None:
    (tmp_path / "cmu").touch()
    _code, found = findings(written(bare(tmp_path)))
    assert of(found, "codemeter")["verdict"] == "wrong"


def bare(folder: Path, more: str = "") -> str:
    """Settings of an agent that nobody started, with nothing of CodeMeter."""
    agent = f'[agent]\nname = "bare"\nstate_folder = "{folder}/state"\nsocket = "{folder}/a.sock"\n'
    paths = {"library": "absent.so", "cmu": "cmu", "server_ini": "Server.ini"}
    reported = "".join(f'{key} = "{folder}/{name}"\n' for key, name in paths.items())
    return f"{agent}[codemeter]\n{reported}{more}"


@pytest.mark.parametrize(
    ("table", "vendor", "verdict", "reported"),
    [
        ('[chaos]\naddress = "http://127.0.0.1:1"\n', "chaos", "wrong", "Start its service."),
        ("[altigen]\n", "altigen", "ok", "mail is sent by a person"),
        ('[altigen]\npolicy_file = "{}/absent"\n', "altigen", "wrong", "altigen.policy_file"),
        ('[altigen]\nsmtp_ca_file = "{}/absent"\n', "altigen", "wrong", "altigen.smtp_ca_file"),
        ('[aimms]\ninstaller = "{}/absent"\n', "aimms", "wrong", "vendor's installer"),
        ('[aimms]\nfolder = "{}/absent"\n', "aimms", "ok", "a server that moves here"),
    ],
)
def test_each_product_says_what_stops_it(
    table: str, vendor: str, verdict: str, reported: str, tmp_path: Path,
    written: Callable[[str], Path],
) -> None:  # fmt: skip
    text = bare(tmp_path, table.replace("{}", str(tmp_path)))
    code, found = findings(written(text))
    entry = of(found, vendor)
    assert (code, entry["verdict"]) == (1, verdict)
    assert reported in entry["detail"]
    assert not [finding for finding in found if finding["name"] in ("codemeter", "products")]


def contents(folder: Path) -> dict[str, bytes]:
    """What lies in the state folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("end", ["in order", "killed"])
def test_a_dead_agent_is_wrong_and_its_journal_is_looked_into(end: str) -> None:
    with Lab.create({"old-server": SEED}) as lab:
        host = lab["old-server"]
        host.client.get("/v1/agent")
        (host.agent.stop if end == "in order" else host.agent.kill)()
        before = contents(host.state_folder)
        code, found = findings(host.settings_path)
        assert code == 1
        assert of(found, "agent")["verdict"] == "wrong"
        assert "No agent answers at" in of(found, "agent")["detail"]
        assert of(found, "journal")["verdict"] == "ok"
        assert of(found, "codemeter")["verdict"] == "ok"
        after = contents(host.state_folder)
        assert {k: v for k, v in after.items() if not k.endswith("-shm")} == {
            k: v for k, v in before.items() if not k.endswith("-shm")
        }, "it changed the journal"
        assert after.keys() == before.keys()


def dead(folder: Path, change: Callable[[Journal], Any]) -> str:
    """Settings of a dead agent whose journal holds what ``change`` wrote."""
    (folder / "state").mkdir(mode=0o700)
    journal = Journal(folder / "state" / "journal.db")
    change(journal)
    journal.close()
    return bare(folder)


def open_operation(journal: Journal) -> None:
    """Begin work that nobody ends."""
    with journal.transaction() as unit:
        unit.operations.open("o-1", "transfer", "seats", None, "130-1", "uid 0", [])


def make_new(journal: Journal) -> None:
    """A journal of a later agent."""
    with journal.transaction() as unit:
        unit.audit._connection.pragma("user_version", 999)


def make_old(journal: Journal) -> None:
    """A journal of an earlier agent."""
    with journal.transaction() as unit:
        unit.audit._connection.pragma("user_version", 1)


@pytest.mark.parametrize(
    ("change", "verdict", "reported"),
    [
        (open_operation, "warning", "1 operations are open"),
        (make_new, "wrong", "schema version 999"),
        (make_old, "warning", "by the next start"),
    ],
)
def test_what_the_journal_of_a_dead_agent_holds_is_told(
    change: Callable[[Journal], Any], verdict: str, reported: str, tmp_path: Path,
    written: Callable[[str], Path],
) -> None:  # fmt: skip
    _code, found = findings(written(dead(tmp_path, change)))
    assert of(found, "journal")["verdict"] == verdict
    assert reported in of(found, "journal")["detail"]


def test_a_journal_that_is_none_is_told(tmp_path: Path, written: Callable[[str], Path]) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / "journal.db").write_bytes(b"no journal, for longer than a header" * 99)
    _code, found = findings(written(bare(tmp_path)))
    assert of(found, "journal")["verdict"] == "wrong"
    assert "cannot be read" in of(found, "journal")["detail"]


def test_one_key_under_two_names_is_wrong(tmp_path: Path, written: Callable[[str], Path]) -> None:
    settings = written(bare(tmp_path))
    trust = tmp_path / "state" / "trust"
    trust.mkdir(parents=True)
    pem = Identity("other", tmp_path / "other.key", trust).public_pem
    (trust / "first.pem").write_text(pem)
    # No name of an agent, so nobody's documents are accepted by it.
    (trust / ".hidden.pem").write_text(pem)
    assert of(findings(settings)[1], "trust")["detail"] == "documents are accepted from first"
    assert not (tmp_path / "state" / "agent.key").exists(), "it changed something"
    # The same key, written by another program.
    (trust / "second.pem").write_text(pem.replace("\n", "\r\n"))
    reported = of(findings(settings)[1], "trust")
    assert (reported["verdict"], "first and second have one key" in reported["detail"]) == (
        "wrong",
        True,
    )
    (trust / "second.pem").unlink()
    # That of another under its own name, as on the copy of a machine.
    (tmp_path / "other.key").rename(tmp_path / "state" / "agent.key")
    reported = of(findings(settings)[1], "trust")
    assert (reported["verdict"], "first and bare have one key" in reported["detail"]) == (
        "wrong",
        True,
    )
