# SPDX-License-Identifier: GPL-3.0-or-later
"""Every route of orders, asked as an order goes: from its plan to the licenses' new place."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

from seatkeeper_agent.operations.orders.requests import order_id
from seatkeeper_twins.altigen import people
from seatkeeper_twins.lab.lab import Lab
from seatkeeper_twins.parts import control

from .asking import Asker
from .chaos_routes import follow, twice

ORDER_HOST = "office-server"
ORDER_SEED: dict[str, Any] = {"altigen": {}}
OLD, NEW = "0012-3456-7890", "0012-9999-0001"
KEYS = ("LK10-AAAA-0001", "LK10-AAAA-0002")
ROUTE = "/v1/orders"
SLOW_MILLISECONDS = 1_500
FOLLOW_SECONDS_MAX = 120.0


def ordered(name: str, **values: Any) -> dict[str, Any]:
    """An order as it is asked for."""
    source = {"name": "old", "system_key": OLD, "owner": "Studio A", "chassis": "Max1000"}
    target = {"name": "new", "system_key": NEW, "owner": "Studio A", "chassis": "Max2000"}
    reported = {"registered": True, "assurance_until": "2030-06-30", "stations": 25}
    return {
        "name": name,
        "source": source,
        "target": target | reported,
        "keys": [{"key": key, "product": "ALTI-STATION-10"} for key in KEYS],
        **values,
    }


def path_of(name: str) -> str:
    """The route of one order."""
    return f"{ROUTE}/{order_id(name)}"


def place(asker: Asker, name: str, **values: Any) -> dict[str, Any]:
    """Look at the plan and confirm it; what was declared."""
    order = ordered(name, **values)
    plan = asker.ask("PUT", f"{path_of(name)}?dry_run=true", json=order).json()["plan"]
    order["plan_digest"] = plan["digest"]
    assert twice(asker, "PUT", path_of(name), order)["order"]["state"] == "waiting"
    return order


def attest(asker: Asker, name: str, step: str) -> None:
    """A person's word on the step that waits."""
    operation = asker.get(path_of(name))["operation"]["id"]
    waiting = {entry["operation"]: entry["step"] for entry in asker.get("/v1/waiting")["waiting"]}
    assert waiting[operation] == step
    said = {"statement": "Seen on the screen.", "outcome": "done"}
    assert asker.ask("POST", f"/v1/operations/{operation}/attest", json=said).status_code == 200


def ask_every_order_route(lab: Lab, asker: Asker) -> None:
    """All of them, with every success that is described."""
    desk = lab[ORDER_HOST].altigen.address
    assert "altigen" in {entry["vendor"] for entry in asker.get("/v1/agent")["vendors"]}
    assert asker.get(ROUTE) == {"orders": [], "next": None}
    order = place(asker, "every-route")
    place(asker, "another", keys=[{"key": "LK-ANOTHER", "product": "ALTI-STATION-10"}])
    case = order["case_number"] = people.open_case(desk, NEW)
    control.set_fault(desk, "greeting.before", "slow", SLOW_MILLISECONDS)
    state = follow(asker, "PUT", path_of("every-route"), order)
    ended = asker.get(state, wait=30)
    assert (ended["state"], ended["result"]["order"]["state"]) == ("done", "waiting")
    people.fax(desk, case, ["credit_card_authorization"])
    attest(asker, "every-route", "authorize")
    control.advance(5 * 3600, desk)
    attest(asker, "every-route", "move")
    people.register(desk, OLD)
    attest(asker, "every-route", "register_old")
    assert set(KEYS) <= set(people.register(desk, NEW, KEYS))
    attest(asker, "every-route", "register_new")
    shown = asker.get(path_of("every-route"))
    assert (shown["state"], shown["case_number"]) == ("done", case)
    ask_pages_and_papers(asker)


def ask_pages_and_papers(asker: Asker) -> None:
    """What was placed, and the files that were made for it."""
    whole = asker.get(ROUTE, limit=1000)["orders"]
    first = asker.get(ROUTE, limit=1)
    assert [*first["orders"], *asker.get(ROUTE, after=first["next"])["orders"]] == whole
    assert {entry["name"] for entry in whole} == {"every-route", "another"}
    papers = asker.get(f"{path_of('every-route')}/documents")["documents"]
    names = {entry["name"] for entry in papers}
    assert {"cover-mail.eml", "credit-card-authorization.html"} < names
    for entry in papers:
        assert Path(entry["path"]).read_bytes() == base64.b64decode(entry["content"])


def wait_for_mails(desk: str, count: int) -> None:
    """Until so many have arrived."""
    deadline = time.monotonic() + FOLLOW_SECONDS_MAX
    while len(control.describe(desk)["mails"]) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)
