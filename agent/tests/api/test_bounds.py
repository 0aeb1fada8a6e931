# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user takes of the agent has bounds: others are served, memory stays, time ends it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import select
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from bench.flooding import MEBIBYTE, Flood, FloodCommand
from seatkeeper_agent.api import contract
from seatkeeper_agent.api.app import create_app
from seatkeeper_agent.api.bounds import (
    BODIES_BYTES_EACH,
    BODY_BYTES_MAX,
    CONNECTIONS_EACH,
    SECONDS_MAX,
    Awaited,
)
from seatkeeper_agent.client import through
from seatkeeper_agent.domain.strict_json import NESTING_MAX, PARTS_MAX
from seatkeeper_agent.domain.transfers import transfer_id
from seatkeeper_twins.lab.lab import Lab

from .asking import LEGS, declared
from .bare import BareAgent
from .conftest import SEEDS
from .peers import User, spare_groups

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become several users; their shares are not shown"
)
FLOODERS = 3
BODIES, SLOW = 200, 2_000
GROWTH_BYTES_MAX = 400 * MEBIBYTE
"""Of an agent under a flood whose bodies alone are twice as large."""


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[BareAgent]:
    """An agent of this test alone, that has loaded everything."""
    agent = BareAgent(tmp_path / "bare")
    agent.process.start()
    yield agent
    agent.process.stop()


def peak_bytes(pid: int | None) -> int:
    """The most memory that a process has had resident."""
    text = Path(f"/proc/{pid}/status").read_text("utf-8")
    (kibibytes,) = re.findall(r"^VmHWM:\s+(\d+) kB$", text, re.MULTILINE)
    return int(kibibytes) * 1024


@pytest.fixture
def flooded() -> Iterator[tuple[Lab, int]]:
    """Two hosts, open to all users of the machine, and the group of their operators."""
    lab = Lab.create(SEEDS)
    (group,) = spare_groups(1)
    for host in lab.hosts.values():
        with host.settings_path.open("a", encoding="utf-8") as settings:
            settings.write(f'[roles]\noperator = ["{group.gr_name}"]\n')
    with lab:
        lab.folder.chmod(0o711)
        for host in lab.hosts.values():
            host.folder.chmod(0o711)
            host.socket_path.chmod(0o666)
        yield lab, group.gr_gid


@needs_root
@pytest.mark.slow
def test_a_flood_of_three_users_leaves_a_fourth_its_transfer(flooded: tuple[Lab, int]) -> None:
    lab, gid = flooded
    agent = lab["old-server"]
    fourth = User(4_000_004, gid)
    assert fourth.ask(agent.socket_path, [("GET", "/v1/agent", None)])[0][0] == 200
    before = peak_bytes(agent.agent.pid)
    bodies, slow = -(-BODIES // FLOODERS), -(-SLOW // FLOODERS)
    with ExitStack() as ending, ThreadPoolExecutor(FLOODERS) as threads:
        floods = []
        for uid in range(4_000_001, 4_000_001 + FLOODERS):
            order = FloodCommand(
                socket_path=str(agent.socket_path),
                uid=uid,
                gid=gid,
                bodies=bodies,
                bodies_refused=bodies - BODIES_BYTES_EACH // BODY_BYTES_MAX,
                slow=slow,
                slow_refused=slow - CONNECTIONS_EACH,
            )
            floods.append(Flood(order))
            ending.callback(floods[-1].end)
        reported = list(threads.map(Flood.codes, floods))
        for codes in reported:
            assert len(codes) >= order.bodies_refused + order.slow_refused
            assert set(codes) == {"agent-overloaded"}
        _transfer(lab, fourth)
        assert fourth.ask(agent.socket_path, [("GET", "/livez", None)]) == [
            (200, '{"status":"alive"}')
        ]
    assert peak_bytes(agent.agent.pid) - before < GROWTH_BYTES_MAX


def _transfer(lab: Lab, user: User) -> None:
    declaration, document = declared("flooded"), None
    for leg in LEGS:
        side = "source" if leg in ("issue", "confirm") else "target"
        host = lab[declaration[side]["agent"]]
        path = f"/v1/transfers/{transfer_id(declaration['name'])}/{leg}"
        body = json.dumps({"transfer": declaration, "document": document})
        ((status, text),) = user.ask(host.socket_path, [("POST", path, body)])
        assert status == 200, text
        document = json.loads(text)["document"]


def trickle(connection: socket.socket, seconds_max: float) -> bytes:
    """What is answered to somebody who sends one more byte each time one looks."""
    deadline = time.monotonic() + 10 * seconds_max
    while time.monotonic() < deadline:
        if select.select([connection], [], [], seconds_max / 20)[0]:
            return connection.recv(65_536)
        with suppress(BrokenPipeError):
            connection.sendall(b"x")
    raise AssertionError("it was waited for all the time")


@pytest.mark.slow
def test_whoever_sends_or_reads_too_slowly_is_given_up(bare: BareAgent) -> None:
    with ExitStack() as open_ones:
        head, body, reader = (
            open_ones.enter_context(socket.socket(socket.AF_UNIX)) for _each in range(3)
        )
        for connection in (head, body, reader):
            connection.connect(str(bare.socket_path))
        head.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ")
        body.sendall(
            b"PUT /v1/borrows/00000000-0000-5000-8000-000000000000 HTTP/1.1\r\n"
            b"Host: localhost\r\nContent-Length: 1000000\r\n\r\n{"
        )
        # More answers than fit into the socket, none of which is read.
        reader.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
        for kind, connection in ((Awaited.HEAD, head), (Awaited.BODY, body)):
            answer = trickle(connection, SECONDS_MAX[kind])
            reported = f"The request's {kind.value} did not arrive within {SECONDS_MAX[kind]:.0f} s"
            assert reported.encode() in answer, answer
            assert b'"code": "request-invalid"' in answer
        poll = select.poll()
        poll.register(reader, 0)
        assert poll.poll(SECONDS_MAX[Awaited.READER] * 10_000), "the reader was not given up"
    assert bare.client.get("/livez") == {"status": "alive"}


def test_values_that_cost_more_than_their_size_are_refused(bare: BareAgent) -> None:
    many = b"[" + b"[]," * (PARTS_MAX // 2) + b"[]]"
    deep = b"[" * PARTS_MAX
    reported = {many: f"more than {PARTS_MAX} parts", deep: f"deeper than {NESTING_MAX}"}
    transport = through(bare.socket_path)
    with httpx.Client(transport=transport, base_url="http://localhost", timeout=120) as client:
        for body, sentence in reported.items():
            answer = client.post(f"/v1/transfers/{transfer_id('costly')}/issue", content=body)
            assert (answer.status_code, answer.json()["code"]) == (400, "request-invalid")
            assert sentence in answer.json()["detail"]


def test_a_body_is_read_beside_what_answers_others(monkeypatch: pytest.MonkeyPatch) -> None:
    answering = threading.Event()

    def check(_name: str, _document: object) -> None:
        assert answering.wait(60), "nothing else was done meanwhile"

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def others() -> dict[str, Any]:
        app = create_app(None)
        scope = {"type": "http", "method": "PUT", "headers": [], "app": app}
        reading = asyncio.create_task(contract.body_of(Request(scope, receive), "leg"))
        await asyncio.sleep(0.01)
        answering.set()
        return await reading

    monkeypatch.setattr(contract.schemas, "check", check)
    assert asyncio.run(others()) == {}


def limits(pid: int | None) -> dict[str, str]:
    """The soft limits of a process by their names."""
    rows = Path(f"/proc/{pid}/limits").read_text("utf-8").splitlines()[1:]
    return {row[:26].strip(): row[26:].split()[0] for row in rows}


def test_no_core_is_left_of_the_agent(bare: BareAgent) -> None:
    pid = bare.process.pid
    assert limits(pid)["Max core file size"] == "0"
    assert Path(f"/proc/{pid}/coredump_filter").read_text("utf-8").strip() == "00000000"
