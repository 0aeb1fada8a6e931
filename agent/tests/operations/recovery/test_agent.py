# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's own refusals, asked over its socket: what they advise is what is answered."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from api.bare import BareAgent

from operations.test_clock import DAY, a_host
from seatkeeper_agent.api.bounds import BODY_BYTES_MAX, CONNECTIONS_EACH
from seatkeeper_agent.api.defects import Defects
from seatkeeper_agent.domain.problems import ProblemCode

from .table import meet, recovers, refused

NOWHERE = "00000000-0000-5000-8000-000000000000"


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[BareAgent]:
    """An agent on a host without any product."""
    made = BareAgent(tmp_path / "bare")
    made.process.start()
    yield made
    made.process.stop()


@pytest.fixture
def asked(bare: BareAgent) -> Iterator[httpx.Client]:
    """Somebody who asks it."""
    with client_of(bare) as client:
        yield client


def client_of(agent: BareAgent) -> httpx.Client:
    """Over its socket."""
    transport = httpx.HTTPTransport(uds=str(agent.socket_path))
    return httpx.Client(transport=transport, base_url="http://localhost", timeout=120)


def told(answer: httpx.Response, code: ProblemCode, advice: str) -> dict[str, Any]:
    """The problem of an answer, which advises what the script does next."""
    problem: dict[str, Any] = answer.json()
    assert answer.is_error, problem
    meet(problem["code"], problem["next_action"], code, advice)
    return problem


UNKNOWN = {
    ProblemCode.OPERATION_UNKNOWN: ("operations", "Look at the list of operations"),
    ProblemCode.BORROW_UNKNOWN: ("borrows", "Look at the list of borrows"),
}


@recovers(*UNKNOWN)
def test_what_is_there_is_in_the_list_that_is_named(asked: httpx.Client) -> None:
    for code, (name, advice) in UNKNOWN.items():
        told(asked.get(f"/v1/{name}/{NOWHERE}"), code, advice)
        listed = asked.get(f"/v1/{name}")
        assert (listed.status_code, listed.json()[name]) == (200, [])


@recovers(ProblemCode.ROUTE_UNKNOWN)
def test_an_agent_that_fits_offers_the_route(asked: httpx.Client) -> None:
    advice = "Update the agent or the collection, so that they fit together"
    told(asked.get("/v9/agent"), ProblemCode.ROUTE_UNKNOWN, advice)
    assert asked.get("/v1/agent").status_code == 200


@recovers(ProblemCode.METHOD_NOT_ALLOWED)
def test_the_path_names_its_methods(asked: httpx.Client) -> None:
    answer = asked.delete("/v1/agent")
    told(answer, ProblemCode.METHOD_NOT_ALLOWED, "It has GET, HEAD; ask with one of them")
    for method in answer.headers["allow"].split(", "):
        assert asked.request(method, "/v1/agent").status_code == 200


@recovers(ProblemCode.REQUEST_INVALID)
def test_the_place_that_is_named_is_corrected(asked: httpx.Client) -> None:
    wrong = asked.get("/v1/operations", params={"limit": "many"})
    told(wrong, ProblemCode.REQUEST_INVALID, "Correct")
    assert asked.get("/v1/operations", params={"limit": "10"}).status_code == 200


@recovers(ProblemCode.REQUEST_TOO_LARGE)
def test_less_is_sent(asked: httpx.Client) -> None:
    path, advice = f"/v1/transfers/{NOWHERE}/request", "Send less, with a Content-Length"
    large = asked.post(path, content=b" " * 20_000_000)
    told(large, ProblemCode.REQUEST_TOO_LARGE, advice)
    assert asked.post(path, content=b"{}").json()["code"] == "request-invalid"


@recovers(ProblemCode.AGENT_OVERLOADED)
def test_there_is_room_again_when_some_have_ended(bare: BareAgent) -> None:
    code, advice = ProblemCode.AGENT_OVERLOADED, "Close some or wait until they have ended"
    path, others = str(bare.socket_path), []
    try:
        for _turn in range(CONNECTIONS_EACH):
            others.append(socket.socket(socket.AF_UNIX))
            others[-1].connect(path)
        with client_of(bare) as client:
            told(client.get("/v1/agent"), code, advice)
    finally:
        for each in others:
            each.close()
    deadline = time.monotonic() + 60
    with client_of(bare) as client:
        # The agent sees with its next look that they were closed.
        while client.get("/v1/agent").status_code == 503:
            assert time.monotonic() < deadline


@recovers(ProblemCode.AGENT_OVERLOADED)
def test_there_is_room_again_when_bodies_have_come(bare: BareAgent, asked: httpx.Client) -> None:
    code, advice = ProblemCode.AGENT_OVERLOADED, "Close some or wait until they have ended"
    target, missing = f"/v1/transfers/{NOWHERE}/request", socket.socket(socket.AF_UNIX)
    head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {BODY_BYTES_MAX}\r\n\r\n"
    with missing, socket.socket(socket.AF_UNIX) as other:
        for each in (missing, other):
            each.connect(str(bare.socket_path))
            each.sendall(head.encode())
        deadline = time.monotonic() + 60
        # Until the agent has read both heads.
        while (answer := asked.post(target, content=b"{}")).status_code != 503:
            assert time.monotonic() < deadline
        told(answer, code, advice)
        other.sendall(b" " * BODY_BYTES_MAX)
        assert b" 400 " in other.recv(65_536)
        while asked.post(target, content=b"{}").status_code == 503:
            assert time.monotonic() < deadline


@recovers(ProblemCode.FORBIDDEN)
def test_the_agent_is_asked_through_its_socket(asked: httpx.Client) -> None:
    elsewhere = asked.get("/v1/agent", headers={"Host": "agent.example"})
    advice = "with the host name localhost"
    told(elsewhere, ProblemCode.FORBIDDEN, advice)
    assert asked.get("/v1/agent", headers={"Host": "localhost"}).status_code == 200


@recovers(ProblemCode.VENDOR_UNKNOWN, ProblemCode.ORDER_UNKNOWN, ProblemCode.MIGRATION_UNKNOWN)
def test_the_settings_name_what_is_driven_from_here(bare: BareAgent, asked: httpx.Client) -> None:
    orders, migrations = f"/v1/orders/{NOWHERE}", f"/v1/migrations/{NOWHERE}"
    unknown = ProblemCode.VENDOR_UNKNOWN
    told(asked.get(orders), unknown, "Add that table on the host that orders are to be placed from")
    told(asked.get(migrations), unknown, "name it in the agent's settings under [chaos]")
    asked.close()
    bare.process.stop()
    with bare.settings_path.open("a", encoding="utf-8") as settings:
        settings.write('[altigen]\nsender = "a@studio.example"\nrecipient = "b@vendor.example"\n')
        settings.write('[chaos]\naddress = "http://127.0.0.1:9"\n')
    bare.process.start()
    with client_of(bare) as again:
        told(again.get(orders), ProblemCode.ORDER_UNKNOWN, "Look at the list of orders")
        told(again.get(migrations), ProblemCode.MIGRATION_UNKNOWN, "Look at the list of migrations")
        assert again.get("/v1/orders").json()["orders"] == []
        assert again.get("/v1/migrations").json()["migrations"] == []


@recovers(ProblemCode.JOURNAL_UNAVAILABLE)
def test_the_disk_with_the_journal_comes_back(bare: BareAgent, asked: httpx.Client) -> None:
    journal = bare.state_folder / "journal.db"
    away = journal.rename(journal.with_name("away.db"))
    code, advice = ProblemCode.JOURNAL_UNAVAILABLE, "Look at the disk and the state folder's"
    told(asked.get("/v1/operations"), code, advice)
    away.rename(journal)
    assert asked.get("/v1/operations").json()["operations"] == []


@recovers(ProblemCode.CLOCK_IMPLAUSIBLE)
def test_the_clock_is_set_right_or_confirmed(tmp_path: Path) -> None:
    with a_host(tmp_path / "clock.db") as host:
        host.write()
        assert host.is_plausible()
        for is_right in (False, True):
            host.error -= DAY
            host.restart()
            refused(ProblemCode.CLOCK_IMPLAUSIBLE, "Set the clock right", host.clock.now)
            if is_right:
                host.clock.confirm("It was a day ahead all the time.", "migrator")
            else:
                host.error += DAY
            assert host.clock.now() == host.wall()


@recovers(ProblemCode.INTERNAL)
def test_a_defect_is_in_the_log_and_running_again_is_safe() -> None:
    met: list[int] = []

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        met.append(1)
        if len(met) == 1:
            raise ArithmeticError(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps({"fine": True}).encode()})

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(Defects(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [await client.get("/v1/agent") for _turn in range(2)]

    failed, again = asyncio.run(ask())
    told(failed, ProblemCode.INTERNAL, "Report it with the log; running again is safe")
    assert again.json() == {"fine": True}
