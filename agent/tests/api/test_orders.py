# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders over the socket: what is refused, and an agent that is killed while it sends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from seatkeeper_agent.operations.orders.requests import order_id
from seatkeeper_twins.altigen import people
from seatkeeper_twins.lab.lab import Lab
from seatkeeper_twins.parts import control

from .asking import Asker, asking
from .contract import Contract
from .order_routes import (
    NEW,
    ORDER_HOST,
    ORDER_SEED,
    ROUTE,
    ordered,
    path_of,
    place,
    wait_for_mails,
)


@pytest.fixture
def order_lab() -> Iterator[Lab]:
    """A host that orders are placed from."""
    with Lab.create({ORDER_HOST: ORDER_SEED}) as running:
        yield running


@pytest.fixture
def office(order_lab: Lab, contract: Contract) -> Iterator[Asker]:
    """Its agent."""
    with asking(order_lab[ORDER_HOST], contract) as asker:
        yield asker


BAD_BODIES: list[dict[str, Any]] = [
    {"name": "\x00"},
    {"on": "today"},
    {"on": "2026-02-30"},
    {"keys": []},
    {"keys": [{"key": "K"}]},
    {"source": {"name": "old"}},
    {"prices": {"move_fee": -1}},
    {"prices": {"per_hour": 1}},
    {"rules": [{"id": "x"}]},
    {"fields": {"Cost Centre": "1"}},
    {"case_number": " 1"},
    {"card_number": "1"},
]


def test_what_cannot_be_ordered_is_one_sentence_and_leaves_no_trace(office: Asker) -> None:
    for values in BAD_BODIES:
        body = {**ordered("bad"), **values}
        path = f"{ROUTE}/{order_id(body['name'])}"
        refused = office.problem("PUT", path, json=body)
        assert refused["code"] == "request-invalid", (values, refused)
    other = office.problem("PUT", path_of("another"), json=ordered("bad"))
    assert (other["code"], order_id("bad") in other["next_action"]) == ("request-invalid", True)
    for path in (path_of("bad"), f"{path_of('bad')}/documents", f"{ROUTE}/x"):
        assert office.problem("GET", path)["code"] == "order-unknown"
    unregistered = {**ordered("bad")["target"], "registered": False}
    refused = office.problem("PUT", path_of("bad"), json=ordered("bad", target=unregistered))
    assert (refused["code"], refused["verdict"]) == ("order-not-allowed", "refused")
    refused = office.problem("PUT", path_of("bad"), json=ordered("bad"))
    assert (refused["code"], len(refused["digest"])) == ("confirmation-required", 64)
    assert office.get(ROUTE)["orders"] == []
    assert office.get("/v1/operations", state="all")["operations"] == []


def test_a_host_without_the_vendor_says_so(old: Asker) -> None:
    for method, path, body in (
        ("GET", ROUTE, None),
        ("GET", path_of("any"), None),
        ("PUT", path_of("any"), ordered("any")),
    ):
        refused = old.problem(method, path, json=body)
        assert refused["code"] == "vendor-unknown"
        assert "[altigen]" in refused["detail"]


def test_a_killed_agent_never_sends_again(order_lab: Lab, office: Asker) -> None:
    host, desk = order_lab[ORDER_HOST], order_lab[ORDER_HOST].altigen.address
    order = place(office, "killed")
    order["case_number"] = people.open_case(desk, NEW)
    control.set_fault(desk, "mail.after", "slow", 60_000)
    broken: list[Exception] = []

    def send() -> None:
        try:
            office.ask("PUT", path_of("killed"), json=order)
        except httpx.TransportError as error:
            broken.append(error)

    sending = threading.Thread(target=send)
    sending.start()
    wait_for_mails(desk, 1)
    host.agent.kill()
    sending.join(30)
    assert len(broken) == 1
    control.clear_faults(desk)
    host.agent.start()
    with asking(host, office.contract) as again:
        for _run in range(2):
            assert again.problem("PUT", path_of("killed"), json=order)["code"] == "in-doubt"
            again.ask("POST", "/v1/resume")
        assert again.get(path_of("killed"))["state"] == "in_doubt"
        assert len(control.describe(desk)["mails"]) == 1


def test_an_interrupted_folder_of_papers_is_told_and_gone_on_with(
    order_lab: Lab, office: Asker
) -> None:
    folder = order_lab[ORDER_HOST].state_folder / "orders"
    folder.write_text("no folder", encoding="utf-8")
    order = ordered("papers")
    plan = office.ask("PUT", f"{path_of('papers')}?dry_run=true", json=order).json()["plan"]
    order["plan_digest"] = plan["digest"]
    refused = office.problem("PUT", path_of("papers"), json=order)
    assert "cannot be written" in refused["detail"]
    folder.unlink()
    done = office.ask("PUT", path_of("papers"), json=order).json()
    assert (done["changed"], done["order"]["state"]) == (True, "waiting")
