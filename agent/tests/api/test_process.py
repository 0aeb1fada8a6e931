# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent as a process: its socket, its start in every circumstance, its end."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from seatkeeper_agent.agent import build
from seatkeeper_agent.api.server import BACKLOG
from seatkeeper_agent.host import HostRefused, host
from seatkeeper_agent.host.linux import SOCKET_PATH_BYTES_MAX
from seatkeeper_agent.journal import JournalError
from seatkeeper_agent.journal.migrations import JournalTooNew
from seatkeeper_agent.settings import Settings, SettingsError
from seatkeeper_twins.agent_client import AgentClient
from seatkeeper_twins.lab.process import LabProcess

from .bare import BareAgent, environment

END_SECONDS_MAX = 30.0
MakeAgent = Callable[..., BareAgent]

# What systemd does: the socket becomes descriptor 3, the environment tells so.
_ACTIVATE = """
import os, socket, sys
family, count, pid, *command = sys.argv[1:]
kinds = {"unix": socket.AF_UNIX, "inet": socket.AF_INET}
if family in kinds:
    listener = socket.socket(kinds[family])
    listener.bind("passed.sock" if family == "unix" else ("127.0.0.1", 0))
    listener.listen()
    source = listener.fileno()
else:
    source = os.open("agent.toml", os.O_RDONLY)
if source != 3:
    os.dup2(source, 3)
os.set_inheritable(3, True)
os.environ["LISTEN_FDS"] = count
os.environ["LISTEN_PID"] = str(os.getpid()) if pid == "own" else pid
os.execv(command[0], command)
"""

# What starts and ends here is what is tested.
pytestmark = pytest.mark.usefixtures("started_for_real")


@pytest.fixture
def make(tmp_path: Path) -> Iterator[MakeAgent]:
    """Make agents below the test's folder; they end with the test."""
    made: list[BareAgent] = []

    def make_agent(name: str = "bare", **agent: str) -> BareAgent:
        made.append(BareAgent(tmp_path / name, name, **agent))
        return made[-1]

    yield make_agent
    for agent in made:
        agent.process.stop()


def mode_of(path: Path) -> str:
    """The permission bits, in octal."""
    return f"{stat.S_IMODE(path.stat().st_mode):o}"


def test_a_life_from_first_start_to_the_end(make: MakeAgent) -> None:
    agent = make()
    before = os.umask(0)
    try:
        agent.process.start()
    finally:
        os.umask(before)
    modes = {
        name: mode_of(agent.folder / name)
        for name in ("agent.sock", "state", "state/journal.db", "state/agent.lock", "state/trust")
    }
    assert modes == {
        "agent.sock": "660",
        "state": "700",
        "state/journal.db": "600",
        "state/agent.lock": "600",
        "state/trust": "700",
    }
    assert agent.client.get("/v1/agent")["agent"]["name"] == "bare"
    began = time.monotonic()
    assert agent.process.stop() == 0
    assert time.monotonic() - began < END_SECONDS_MAX
    assert not agent.socket_path.exists()
    agent.process.start()
    os.kill(agent.process.pid or 0, signal.SIGINT)
    assert agent.process.wait() == 128 + signal.SIGINT
    assert "Traceback" not in (agent.folder / "agent.log").read_text("utf-8")


def test_after_a_kill_the_next_start_takes_over_the_stale_socket(make: MakeAgent) -> None:
    agent = make()
    agent.process.start()
    key = agent.client.get("/v1/agent")["agent"]["key_id"]
    agent.process.kill()
    assert agent.socket_path.is_socket()
    agent.process.start()
    assert agent.client.get("/v1/agent")["agent"]["key_id"] == key


def test_two_agents_do_not_share_a_socket_or_a_state_folder(make: MakeAgent) -> None:
    first = make("first")
    first.process.start()
    same_socket = make("second", socket=str(first.socket_path))
    assert f"Another agent answers at {first.socket_path}." in same_socket.refusal()
    same_state = make("third", state_folder=str(first.state_folder))
    assert f"Another agent uses the state folder {first.state_folder}." in same_state.refusal()
    assert not same_state.socket_path.exists()
    assert first.client.is_ready()


def test_what_stops_a_start_is_one_sentence(make: MakeAgent, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("years of work", "utf-8")
    assert "is no socket. Move it away" in make("at", socket=str(taken)).refusal()
    assert taken.read_text("utf-8") == "years of work"
    agent = make("no-lock")
    agent.state_folder.mkdir(mode=0o700)
    (agent.state_folder / "agent.lock").symlink_to(taken)
    assert "agent.lock cannot be used: Too many levels" in agent.refusal()
    (agent.state_folder / "agent.lock").unlink()
    (agent.state_folder / "journal.db").mkdir()
    assert "journal.db cannot be opened" in agent.refusal()
    assert not agent.socket_path.exists()


def test_a_socket_path_that_cannot_be_had_is_told(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    file = tmp_path / "file"
    file.touch()
    for path, reported in (
        (link, "is no socket. Move it away"),
        (tmp_path, "is no socket. Move it away"),
        (tmp_path / "absent" / "agent.sock", "cannot be made: No such file or directory."),
        (file / "agent.sock", "cannot be used: Not a directory."),
        (Path("/tmp", "l" * SOCKET_PATH_BYTES_MAX), f"longer than {SOCKET_PATH_BYTES_MAX} bytes"),
    ):
        with pytest.raises(HostRefused, match=re.escape(reported)):
            host().listener(path, BACKLOG)


def test_a_journal_of_a_newer_agent_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", 99)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(JournalTooNew, match="schema version 99"):
        build(Settings(name="bare", state_folder=tmp_path))
    assert path.read_bytes() == before
    assert {entry.name for entry in tmp_path.iterdir()} <= {"journal.db", "agent.lock", "trust"}


@pytest.mark.parametrize("content", [b"no database" * 100, None], ids=["garbage", "folder"])
def test_a_journal_that_is_none_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "journal.db"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(JournalError, match=r"journal\.db cannot be opened"):
        build(Settings(name="bare", state_folder=tmp_path))


def test_a_state_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be made: Not a directory"):
        build(Settings(name="bare", state_folder=tmp_path / "file" / "state"))


def activated(agent: BareAgent, family: str, count: str, pid: str) -> LabProcess:
    """The agent as systemd would start it, with a socket passed as descriptor 3."""
    socket_path = agent.folder / "passed.sock" if pid == "own" else agent.socket_path
    return LabProcess(
        "The activated agent",
        [sys.executable, "-c", _ACTIVATE, family, count, pid, *agent.command("serve")],
        agent.folder,
        agent.folder / "agent.log",
        environment(),
        AgentClient(socket_path).is_ready,
    )


def test_systemd_passes_the_socket(make: MakeAgent) -> None:
    agent = make()
    process = activated(agent, "unix", "1", "own")
    process.start()
    passed = agent.folder / "passed.sock"
    inode, mode = passed.stat().st_ino, mode_of(passed)
    assert AgentClient(passed).get("/v1/agent")["role"] == "migrator"
    assert not agent.socket_path.exists()
    assert process.stop() == 0
    # It is systemd's: neither removed nor changed.
    assert (passed.stat().st_ino, mode_of(passed)) == (inode, mode)


def test_a_socket_passed_to_another_process_is_not_taken(make: MakeAgent) -> None:
    agent = make()
    process = activated(agent, "unix", "1", "1")
    process.start()
    assert mode_of(agent.socket_path) == "660"
    assert process.stop() == 0


@pytest.mark.parametrize(
    ("family", "count", "reported"),
    [
        ("unix", "2", "systemd passed 2 sockets, one is expected."),
        ("inet", "1", "is no unix stream socket"),
        ("file", "1", "What systemd passed is no socket"),
    ],
)
def test_anything_else_that_systemd_passes_is_refused(
    make: MakeAgent, family: str, count: str, reported: str
) -> None:
    agent = make()
    done = subprocess.run(
        [sys.executable, "-c", _ACTIVATE, family, count, "own", *agent.command("serve")],
        cwd=agent.folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert reported in done.stderr


def test_nothing_but_the_unix_socket_listens(make: MakeAgent) -> None:
    agent = make()
    agent.process.start()
    sockets = set()
    for entry in Path(f"/proc/{agent.process.pid}/fd").iterdir():
        # What was open for a moment only may be closed again.
        with suppress(FileNotFoundError):
            sockets.add(str(entry.readlink()))
    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "packet"):
        listed = Path(f"/proc/{agent.process.pid}/net/{table}")
        if not listed.exists():
            continue
        inodes = {f"socket:[{line.split()[9]}]" for line in listed.read_text().splitlines()[1:]}
        assert not inodes & sockets, table


def test_a_silent_client_does_not_hold_up_the_end(make: MakeAgent) -> None:
    agent = make()
    agent.process.start()
    with socket.socket(socket.AF_UNIX) as silent, socket.socket(socket.AF_UNIX) as slow:
        silent.connect(str(agent.socket_path))
        slow.connect(str(agent.socket_path))
        slow.sendall(b"GET /v1/agent HTTP/1.1\r\nHost: loc")
        assert agent.client.is_ready()
        began = time.monotonic()
        assert agent.process.stop() == 0
        assert time.monotonic() - began < END_SECONDS_MAX
