# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a license server: stop, edit, start, with an end of the agent in between."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import OperationState
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.servers.settings import ServerRequest, ServerService
from seatkeeper_agent.vendors.codemeter.driver import CodeMeterDriver
from seatkeeper_agent.vendors.codemeter.server_settings import CodeMeterServerSettings
from seatkeeper_agent.vendors.codemeter.settings import CodeMeterSettings

from .hosts import ACTOR, SERIALS, Crash, CrashingJournal, Twin

DECLARED = {"General": {"IsNetworkServer": "1"}, "Backup": {"Interval": "12"}}
FLOW = ["stop", "edit", "start"]


class Server:
    """One license server with a service manager made of two small scripts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        seed = {"containers": [{"serial": SERIALS["old"], "items": []}]}
        self.twin = Twin(folder / "twin", "current", seed)
        directory = self.twin.directory
        pid_file = shlex.quote(str(directory / "engine.pid"))
        # Like systemctl, the command returns when the service has ended.
        self.stop_script = (
            f"kill -TERM $(cat {pid_file}); while [ -s {pid_file} ]; do sleep 0.02; done"
        )
        self.start_script = (
            'echo started >> "$1/started";'
            ' "$0" -m seatkeeper_twins.codemeter serve --dir "$1" >/dev/null 2>&1 &'
        )
        self.start_names = (sys.executable, str(directory))
        self.use()

    def use(self, **commands: tuple[str, ...]) -> None:
        """Begin with these commands of the service manager, the usual ones where none is given."""
        directory = self.twin.directory
        start = ("/bin/sh", "-c", self.start_script, *self.start_names)
        settings = CodeMeterSettings(
            library=str(directory / "libwibucm.so"),
            cmu=str(directory / "cmu"),
            server_ini=str(directory / "Server.ini"),
            stop_command=commands.get("stop", ("/bin/sh", "-c", self.stop_script)),
            start_command=commands.get("start", start),
            service_seconds_max=20,
        )
        self.driver = CodeMeterDriver(settings)
        self.product = CodeMeterServerSettings(settings, self.driver.is_running)
        self.open()

    def starts(self) -> int:
        """How often the service was started."""
        return (self.twin.directory / "started").read_text().count("started")

    def open(self, at_point: Callable[[str], None] | None = None) -> None:
        """The agent's part, as after its start."""
        self.journal = CrashingJournal(self.folder / "journal.db")
        self.journal.at_point = at_point
        engine = Engine(self.journal, 0.0)
        self.service = ServerService(self.journal, self.product, engine)

    def put(self, declared: dict[str, dict[str, str]], dry_run: bool = False) -> dict[str, Any]:
        """Declare settings."""
        return self.service.put(ServerRequest(declared), ACTOR, dry_run)

    def operations(self) -> list[OperationState]:
        """How all operations stand."""
        reading = Journal(self.folder / "journal.db")
        with reading.reading() as unit:
            states = [entry.state for entry in unit.operations.page(False, "", 100)]
        reading.close()
        return states

    def close(self) -> None:
        """End what a test started."""
        if self.product.is_running():
            self.product.stop()
        self.driver.close()
        self.journal.close()


MakeServer = Callable[..., Server]


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[MakeServer]:
    """Make a server; it runs when ``running``."""
    made: list[Server] = []

    def make(running: bool = True) -> Server:
        made.append(Server(tmp_path / f"server-{len(made)}"))
        if running:
            made[-1].product.start()
        return made[-1]

    yield make
    for server in made:
        server.close()


def test_declared_settings_come_true_once(make_server: MakeServer) -> None:
    """Planned, done, and the second time unchanged; other keys keep their values."""
    server = make_server()
    before = server.service.read()
    planned = server.put(DECLARED, dry_run=True)
    assert server.service.read() == before
    done = server.put(DECLARED)
    assert (planned["before"], planned["after"]) == (done["before"], done["after"])
    assert [step["name"] for step in done["plan"]["steps"]] == FLOW
    after = server.service.read()
    assert after["running"]
    assert after["settings"]["General"]["IsNetworkServer"] == "1"
    expected = {**before["settings"]["General"], "IsNetworkServer": "1"}
    assert after["settings"]["General"] == expected
    again = server.put(DECLARED)
    assert (again["changed"], again["plan"]["steps"]) == (False, [])
    assert server.operations() == [OperationState.DONE]


def test_a_server_that_is_stopped_stays_so(make_server: MakeServer) -> None:
    """Only what is declared changes."""
    server = make_server(running=False)
    assert [step["name"] for step in server.put(DECLARED)["plan"]["steps"]] == ["edit"]
    assert not server.product.is_running()


# One commit opens the operation, then each step has one for its intent and one for its end.
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 8))
def test_an_end_of_the_agent_at_every_commit(
    make_server: MakeServer, number: int, side: str
) -> None:
    """Resumed it comes true, and the server is never left stopped."""
    server = make_server()
    left = number

    def at_point(point: str) -> None:
        nonlocal left
        left -= point == f"commit.{side}"
        if left == 0 and point == f"commit.{side}":
            raise Crash(point)

    server.open(at_point)
    with pytest.raises(Crash):
        server.put(DECLARED)
    server.open()
    server.service.resume(ACTOR)
    assert server.service.resume(ACTOR) == []
    assert server.product.is_running()
    server.put(DECLARED)
    after = server.service.read()
    assert after["running"]
    assert after["settings"]["Backup"]["Interval"] == "12"
    assert set(server.operations()) <= {OperationState.DONE, OperationState.FAILED}


def test_what_cannot_be_written_is_refused_first(make_server: MakeServer) -> None:
    """Before anything is stopped."""
    server = make_server()
    with pytest.raises(Problem) as caught:
        server.put({"General": {"ProxyServer": "a%n"}})
    assert caught.value.code is ProblemCode.REQUEST_INVALID
    assert server.starts() == 1
    assert server.operations() == []


def test_a_refused_edit_does_not_leave_the_server_stopped(make_server: MakeServer) -> None:
    """Somebody puts a link to itself in the file's place: told, and the service runs again."""
    swap = 'cd "$0"; mv Server.ini kept.ini; ln -s Server.ini Server.ini'
    server = make_server()
    directory = server.twin.directory
    server.use(stop=("/bin/sh", "-c", f"{server.stop_script}; {swap}", str(directory)))
    with pytest.raises(Problem, match="links in a row"):
        server.put(DECLARED)
    assert server.product.is_running()
    assert server.starts() == 2
    (directory / "kept.ini").rename(directory / "Server.ini")
    server.use(stop=("/bin/sh", "-c", server.stop_script))
    assert server.put(DECLARED)["changed"]
    assert server.operations().count(OperationState.FAILED) == 1


def test_a_service_that_cannot_be_stopped(make_server: MakeServer) -> None:
    """Nothing was edited, and the reason is told."""
    server = make_server()
    server.use(stop=("/bin/sh", "-c", "echo not allowed; exit 5"))
    before = (server.twin.directory / "Server.ini").read_bytes()
    with pytest.raises(Problem, match="not allowed"):
        server.put(DECLARED)
    assert (server.twin.directory / "Server.ini").read_bytes() == before
    assert server.product.is_running()
    server.use(stop=("/bin/sh", "-c", server.stop_script))


def test_a_key_that_the_server_does_not_keep(make_server: MakeServer) -> None:
    """What counts is what stands in the file once it runs."""
    server = make_server()
    forget = 'sed -i s/IsNetworkServer=1/IsNetworkServer=0/ "$1/Server.ini"'
    server.use(start=("/bin/sh", "-c", f"{forget}; {server.start_script}", *server.start_names))
    with pytest.raises(Problem, match=r"did not keep \[General\] IsNetworkServer"):
        server.put(DECLARED)
    assert server.product.is_running()


def test_a_file_that_is_missing(make_server: MakeServer) -> None:
    """Told as a problem, not as an error of the program."""
    server = make_server(running=False)
    (server.twin.directory / "Server.ini").unlink()
    with pytest.raises(Problem) as caught:
        server.put(DECLARED)
    assert "Server.ini" in caught.value.detail


def test_the_service_is_started_and_stopped_as_declared(make_server: MakeServer) -> None:
    """Check, do, do again, for both ways; settings that are declared with it come true too."""
    server = make_server(running=False)
    up = ServerRequest(DECLARED, running=True)
    planned = server.service.put(up, ACTOR, dry_run=True)
    assert planned["changed"]
    assert not server.product.is_running()
    done = server.service.put(up, ACTOR, dry_run=False)
    assert done["before"]["service"] == {"state": "stopped"}
    assert [step["name"] for step in done["plan"]["steps"]] == ["edit", "start"]
    assert server.service.read()["running"]
    assert not server.service.put(up, ACTOR, dry_run=False)["changed"]
    down = ServerRequest({}, running=False)
    assert server.service.put(down, ACTOR, dry_run=True)["changed"]
    assert server.product.is_running()
    assert [s["name"] for s in server.service.put(down, ACTOR, dry_run=False)["plan"]["steps"]] == [
        "stop"
    ]
    assert not server.product.is_running()
    assert not server.service.put(down, ACTOR, dry_run=False)["changed"]
