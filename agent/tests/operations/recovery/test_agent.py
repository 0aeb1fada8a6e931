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
from seatkeeper_agent.client import through
from seatkeeper_agent.domain.problems import ProblemCode

from .table import meet, recovers, refused

ORPHANED = "00000000-0000-5000-8000-000000000000"


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[BareAgent]:
    """An agent on a host without any product."""
    made = BareAgent(tmp_path / "bare")
    made.process.start()
    yield made
    made.process.stop()


@pytest.fixture
def requested(bare: BareAgent) -> Iterator[httpx.Client]:
    """Somebody who asks it."""
    with client_of(bare) as client:
        yield client


def client_of(agent: BareAgent) -> httpx.Client:
    """Over its socket."""
    transport = through(agent.socket_path)
    return httpx.Client(transport=transport, base_url="http://localhost", timeout=120)


def reported(answer: httpx.Response, code: ProblemCode, advice: str) -> dict[str, Any]:
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
def test_what_is_there_is_in_the_list_that_is_named(requested: httpx.Client) -> None:
    for code, (name, advice) in UNKNOWN.items():
        reported(requested.get(f"/v1/{name}/{ORPHANED}"), code, advice)
        listed = requested.get(f"/v1/{name}")
        assert (listed.status_code, listed.json()[name]) == (200, [])


@recovers(ProblemCode.ROUTE_UNKNOWN)
def test_an_agent_that_fits_offers_the_route(requested: httpx.Client) -> None:
    advice = "Update the agent or the collection, so that they fit together"
    reported(requested.get("/v9/agent"), ProblemCode.ROUTE_UNKNOWN, advice)
    assert requested.get("/v1/agent").status_code == 200


@recovers(ProblemCode.METHOD_NOT_ALLOWED)
def test_the_path_names_its_methods(requested: httpx.Client) -> None:
    answer = requested.delete("/v1/agent")
    reported(answer, ProblemCode.METHOD_NOT_ALLOWED, "It has GET, HEAD; ask with one of them")
    for method in answer.headers["allow"].split(", "):
        assert requested.request(method, "/v1/agent").status_code == 200


@recovers(ProblemCode.REQUEST_INVALID)
def test_the_place_that_is_named_is_corrected(requested: httpx.Client) -> None:
    wrong = requested.get("/v1/operations", params={"limit": "many"})
    reported(wrong, ProblemCode.REQUEST_INVALID, "Correct")
    assert requested.get("/v1/operations", params={"limit": "10"}).status_code == 200


@recovers(ProblemCode.REQUEST_TOO_LARGE)
def test_less_is_sent(requested: httpx.Client) -> None:
    path, advice = f"/v1/transfers/{ORPHANED}/request", "Send less, with a Content-Length"
    large = requested.post(path, content=b" " * 20_000_000)
    reported(large, ProblemCode.REQUEST_TOO_LARGE, advice)
    assert requested.post(path, content=b"{}").json()["code"] == "request-invalid"


@recovers(ProblemCode.AGENT_OVERLOADED)
def test_there_is_room_again_when_some_have_ended(bare: BareAgent) -> None:
    code, advice = ProblemCode.AGENT_OVERLOADED, "Close some or wait until they have ended"
    path, others = str(bare.socket_path), []
    try:
        for _turn in range(CONNECTIONS_EACH):
            others.append(socket.socket(socket.AF_UNIX))
            others[-1].connect(path)
        with client_of(bare) as client:
            reported(client.get("/v1/agent"), code, advice)
    finally:
        for each in others:
            each.close()
    deadline = time.monotonic() + 60
    with client_of(bare) as client:
        # The agent sees with its next look that they were closed.
        while client.get("/v1/agent").status_code == 503:
            assert time.monotonic() < deadline


@recovers(ProblemCode.AGENT_OVERLOADED)
def test_there_is_room_again_when_bodies_have_come(
    bare: BareAgent, requested: httpx.Client
) -> None:
    code, advice = ProblemCode.AGENT_OVERLOADED, "Close some or wait until they have ended"
    target, missing = f"/v1/transfers/{ORPHANED}/request", socket.socket(socket.AF_UNIX)
    head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {BODY_BYTES_MAX}\r\n\r\n"
    with missing, socket.socket(socket.AF_UNIX) as other:
        for each in (missing, other):
            each.connect(str(bare.socket_path))
            each.sendall(head.encode())
        deadline = time.monotonic() + 60
        # Until the agent has read both heads.
        while (answer := requested.post(target, content=b"{}")).status_code != 503:
            assert time.monotonic() < deadline
        reported(answer, code, advice)
        other.sendall(b" " * BODY_BYTES_MAX)
        assert b" 400 " in other.recv(65_536)
        while requested.post(target, content=b"{}").status_code == 503:
            assert time.monotonic() < deadline


@recovers(ProblemCode.FORBIDDEN)
def test_the_agent_is_asked_through_its_socket(requested: httpx.Client) -> None:
    elsewhere = requested.get("/v1/agent", headers={"Host": "agent.example"})
    advice = "with the host name localhost"
    reported(elsewhere, ProblemCode.FORBIDDEN, advice)
    assert requested.get("/v1/agent", headers={"Host": "localhost"}).status_code == 200


@recovers(ProblemCode.VENDOR_UNKNOWN, ProblemCode.ORDER_UNKNOWN, ProblemCode.MIGRATION_UNKNOWN)
def test_the_settings_name_what_is_driven_from_here(
    bare: BareAgent, requested: httpx.Client
) -> None:
    orders, migrations = f"/v1/orders/{ORPHANED}", f"/v1/migrations/{ORPHANED}"
    unknown = ProblemCode.VENDOR_UNKNOWN
    reported(
        requested.get(orders),
        unknown,
        "Add that table on the host that orders are to be placed from",
    )
    reported(requested.get(migrations), unknown, "name it in the agent's settings under [chaos]")
    requested.close()
    bare.process.stop()
    with bare.settings_path.open("a", encoding="utf-8") as settings:
        settings.write('[altigen]\nsender = "a@studio.example"\nrecipient = "b@vendor.example"\n')
        settings.write('[chaos]\naddress = "http://127.0.0.1:9"\n')
    bare.process.start()
    with client_of(bare) as again:
        reported(again.get(orders), ProblemCode.ORDER_UNKNOWN, "Look at the list of orders")
        reported(
            again.get(migrations), ProblemCode.MIGRATION_UNKNOWN, "Look at the list of migrations"
        )
        assert again.get("/v1/orders").json()["orders"] == []
        assert again.get("/v1/migrations").json()["migrations"] == []


@recovers(ProblemCode.JOURNAL_UNAVAILABLE)
def test_the_disk_with_the_journal_comes_back(bare: BareAgent, requested: httpx.Client) -> None:
    journal = bare.state_folder / "journal.db"
    away = journal.rename(journal.with_name("away.db"))
    code, advice = ProblemCode.JOURNAL_UNAVAILABLE, "Look at the disk and the state folder's"
    reported(requested.get("/v1/operations"), code, advice)
    away.rename(journal)
    assert requested.get("/v1/operations").json()["operations"] == []


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
    reported(failed, ProblemCode.INTERNAL, "Report it with the log; running again is safe")
    assert again.json() == {"fine": True}
