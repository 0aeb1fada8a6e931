# SPDX-License-Identifier: GPL-3.0-or-later
"""Readiness, doctor and status tell of a full disk, a broken chain and a damaged journal."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import httpx
import pytest

from seatkeeper_agent.api import schemas
from seatkeeper_agent.client import through
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.journal.pages import ROOM_BYTES, ROOM_NAME

from .bare import BareAgent

SEEN_SECONDS_MAX = 120.0
DISK_BYTES = 4 * 1024 * 1024
ENTRIES = 3_000


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[BareAgent]:
    """An agent on a host without any product, not started yet."""
    made = BareAgent(tmp_path / "bare")
    yield made
    made.process.stop()


def requested(agent: BareAgent, path: str) -> httpx.Response:
    """What the agent answers there."""
    transport = through(agent.socket_path)
    with httpx.Client(transport=transport, base_url="http://localhost", timeout=120) as client:
        return client.get(path)


def wait_for(agent: BareAgent, status: int) -> dict[str, Any]:
    """The first answer with this status: what was well is believed for a while."""
    deadline = time.monotonic() + SEEN_SECONDS_MAX
    while (answer := requested(agent, "/readyz")).status_code != status:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.05)
    return dict(answer.json())


def doctor(agent: BareAgent) -> tuple[int, dict[str, str]]:
    """Exit code, and what is wrong by name."""
    done = agent.run("doctor", "--json")
    found = json.loads(done.stdout)
    return done.returncode, {e["name"]: e["detail"] for e in found if e["verdict"] == "wrong"}


def wrong(agent: BareAgent, name: str) -> str:
    """What doctor says is wrong of this; there is no product here, which it says as well."""
    code, found = doctor(agent)
    assert code == 1
    return found[name]


def shown(agent: BareAgent) -> tuple[str, str]:
    """What Prometheus is given as ``seatkeeper_ready``, and the status page."""
    metrics, page = requested(agent, "/metrics").text, requested(agent, "/").text
    (line,) = [line for line in metrics.splitlines() if line.startswith("seatkeeper_ready ")]
    return line.partition(" ")[2], page


def check_ready(agent: BareAgent) -> None:
    """AssertionError unless everything says that work can be done."""
    assert wait_for(agent, 200)["status"] == "ready"
    ready, page = shown(agent)
    assert ready == "1.0"
    assert "NO WORK CAN BE DONE" not in page
    assert doctor(agent)[1].keys() == {"products"}
    assert "journal" not in agent.run("status").stderr


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of an agent with something in its journal, closed in order."""
    agent = BareAgent(tmp_path_factory.mktemp("kept") / "bare")
    agent.process.start()
    try:
        check_ready(agent)
    finally:
        agent.process.stop()
    journal = Journal(agent.state_folder / "journal.db")
    with journal.transaction() as unit:
        for number in range(ENTRIES):
            unit.audit.append("tester", "noted", f"entry {number}", {"text": "x" * 40})
    journal.close()
    return agent.state_folder


@pytest.fixture
def used(bare: BareAgent, kept: Path) -> BareAgent:
    """An agent that has such a folder, not started yet."""
    shutil.copytree(kept, bare.state_folder)
    return bare


@contextmanager
def edited(agent: BareAgent) -> Iterator[apsw.Connection]:
    """The journal as somebody opens it who is not the agent: without its pragmas and triggers."""
    connection = apsw.Connection(str(agent.state_folder / "journal.db"))
    with connection:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
    connection.close()


CHAIN = {
    "a text was changed": "UPDATE audit SET subject = 'entry X' WHERE sequence = 1500",
    "an entry is gone": "DELETE FROM audit WHERE sequence = 1500",
    "two were exchanged": (
        "UPDATE audit SET detail = 'null' WHERE sequence = (SELECT max(sequence) FROM audit)"
    ),
}


@pytest.mark.parametrize("statement", CHAIN.values(), ids=CHAIN)
def test_a_broken_chain_is_not_ready(used: BareAgent, statement: str) -> None:
    with edited(used) as connection:
        connection.execute(statement)
    assert "audit" in wrong(used, "journal")
    used.process.start()
    reported = wait_for(used, 503)
    assert (reported["status"], reported["broken"]) == ("broken", ["audit"])
    schemas.check("readiness", reported)
    assert "doctor" in reported["next_action"]
    ready, page = shown(used)
    assert ready == "0.0"
    assert "INCONSISTENT" in page
    assert "audit" in wrong(used, "journal")
    assert used.run("status").returncode == 1


def page_of(agent: BareAgent, name: str) -> tuple[int, int]:
    """Where the root page of a table or index lies, and how long a page is."""
    connection = apsw.Connection(str(agent.state_folder / "journal.db"))
    query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
    (number,) = connection.execute(query, (name,)).fetchone() or (0,)
    size = int(connection.pragma("page_size"))
    connection.close()
    return (int(number) - 1) * size, size


@pytest.mark.parametrize("name", ["audit", "notes", "postings_by_account", "counters"])
def test_a_damaged_page_is_not_ready(used: BareAgent, name: str) -> None:
    """Also a page that no request reads."""
    place, size = page_of(used, name)
    with (used.state_folder / "journal.db").open("r+b") as file:
        file.seek(place)
        file.write(b"\x5a" * size)
    assert "journal.db" in wrong(used, "journal")
    used.process.start()
    reported = wait_for(used, 503)
    assert reported["code"] == "journal-unavailable"
    assert "keep a copy of its state folder" in reported["next_action"]
    ready, page = shown(used)
    assert ready == "0.0"
    assert "damaged" in page
    assert wrong(used, "journal")
    assert used.run("status").returncode == 1


@contextmanager
def no_file_grows(agent: BareAgent) -> Iterator[None]:
    """The running agent can write nothing."""
    pid = agent.process.pid or 0
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (ROOM_BYTES // 2, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def test_an_agent_that_can_write_no_more_is_not_ready(bare: BareAgent) -> None:
    """Nothing was asked of it meanwhile that would have failed, and reading goes on."""
    bare.process.start()
    check_ready(bare)
    with no_file_grows(bare):
        reported = wait_for(bare, 503)
        assert (reported["code"], reported["retryable"]) == ("journal-unavailable", True)
        assert "can take no more" in reported["detail"]
        assert "can take no more" in wrong(bare, "journal")
        ready, page = shown(bare)
        assert ready == "0.0"
        assert "NO WORK CAN BE DONE" in page
        assert "can take no more" in page
        status = bare.run("status")
        assert status.returncode == 1
        assert "can take no more" in status.stderr
    check_ready(bare)
    assert not (bare.state_folder / ROOM_NAME).exists()


@contextmanager
def small_disk(folder: Path) -> Iterator[Callable[[], None]]:
    """A disk of a few MiB at the folder; what is given fills it."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk; the limit of files is tested without")
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={DISK_BYTES},mode=700"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")

    def fill() -> None:
        with (folder / "filler").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return

    try:
        yield fill
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_not_ready(bare: BareAgent) -> None:
    with small_disk(bare.state_folder) as fill:
        bare.process.start()
        check_ready(bare)
        fill()
        reported = wait_for(bare, 503)
        assert "No space left on device" in reported["detail"]
        assert "No space left on device" in wrong(bare, "journal")
        assert "Make room there." in wrong(bare, "disk")
        bare.process.stop()
        assert "Make room there." in wrong(bare, "disk")
        (bare.state_folder / "filler").unlink()
        bare.process.start()
        check_ready(bare)
        bare.process.stop()
