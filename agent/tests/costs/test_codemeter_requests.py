# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request costs on hosts with CodeMeter: SQL, units of work, syncs, calls of the runtime."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from api.asking import LEGS, SERIALS, agent_of, declared
from api.conftest import SEEDS, item
from costs.counting import Cost, counting
from costs.lab import products
from costs.requests import Requests, require_markers
from costs.table import assert_written

from seatkeeper_agent.domain.transfers import NAMESPACE, transfer_id
from seatkeeper_twins.lab.lab import Lab

OLD, NEW, FULL = "old-server", "new-server", "full-server"
FEW, MANY = "130-3000000010", "130-3000000100"
"""Containers with ten items and with a hundred."""

COSTS: dict[str, Cost] = {
    "agent": Cost(statements=11, vendor="2 CmAccess2, 1 CmGetVersion"),
    "containers": Cost(vendor="3 CmAccess2, 1 CmGetBoxes, 2 CmGetInfo"),
    "items": Cost(vendor="8 CmAccess2, 2 CmGetBoxContents2, 1 CmGetBoxes, 5 CmGetInfo"),
    "items again": Cost(vendor="3 CmAccess2, 1 CmGetBoxContents2, 1 CmGetBoxes, 1 CmGetInfo"),
    "history": Cost(vendor="4 CmAccess2, 2 CmGetBoxContents2, 1 CmGetBoxes, 1 CmGetInfo"),
    "server": Cost(vendor="1 CmAccess2"),
    "dongles": Cost(statements=1, usb=1),
    "request, dry run": Cost(
        statements=4,
        vendor="10 CmAccess2, 2 CmGetBoxContents2, 2 CmGetBoxes, 3 CmGetInfo, 2 CmGetVersion",
    ),
    "request, run": Cost(
        statements=13,
        transactions=1,
        syncs=2,
        vendor="14 CmAccess2, 5 CmGetBoxContents2, 2 CmGetBoxes, 3 CmGetInfo, 2 CmGetVersion, "
        "1 CmLtCreateContext",
    ),
    "request, again": Cost(statements=6, vendor="2 CmAccess2, 2 CmGetBoxContents2"),
    "issue, dry run": Cost(
        statements=13,
        vendor="12 CmAccess2, 3 CmGetBoxContents2, 2 CmGetBoxes, 4 CmGetInfo, 2 CmGetVersion",
    ),
    "issue, run": Cost(
        statements=63,
        transactions=4,
        syncs=5,
        vendor="28 CmAccess2, 14 CmGetBoxContents2, 2 CmGetBoxes, 8 CmGetInfo, 2 CmGetVersion,"
        " 1 CmLtDoTransfer",
    ),
    "issue, again": Cost(statements=6, vendor="2 CmAccess2, 2 CmGetBoxContents2"),
    "install, dry run": Cost(statements=16, vendor="4 CmAccess2, 3 CmGetBoxContents2, 1 CmGetInfo"),
    "install, run": Cost(
        statements=64,
        transactions=4,
        syncs=4,
        vendor="14 CmAccess2, 9 CmGetBoxContents2, 3 CmGetInfo, 1 CmLtCreateReceipt, 1 "
        "CmLtImportUpdate",
    ),
    "install, again": Cost(statements=8, vendor="2 CmAccess2, 2 CmGetBoxContents2"),
    "confirm, dry run": Cost(statements=13, vendor="4 CmAccess2, 3 CmGetBoxContents2, 1 CmGetInfo"),
    "confirm, run": Cost(
        statements=48,
        transactions=4,
        syncs=4,
        vendor="11 CmAccess2, 7 CmGetBoxContents2, 3 CmGetInfo, 1 CmLtConfirmTransfer",
    ),
    "confirm, again": Cost(statements=8, vendor="2 CmAccess2, 2 CmGetBoxContents2"),
    "acknowledge, dry run": Cost(statements=12, vendor="2 CmAccess2, 2 CmGetBoxContents2"),
    "acknowledge, run": Cost(
        statements=21, transactions=1, syncs=1, vendor="4 CmAccess2, 4 CmGetBoxContents2"
    ),
    "acknowledge, again": Cost(statements=8, vendor="2 CmAccess2, 2 CmGetBoxContents2"),
    "agent after a transfer": Cost(statements=15, vendor="2 CmAccess2, 1 CmGetVersion"),
    "borrow, dry run": Cost(statements=5, vendor="2 CmAccess2, 1 CmGetBoxes, 1 CmGetInfo"),
    "borrow, run": Cost(
        statements=14, transactions=1, syncs=1, vendor="2 CmAccess2, 1 CmGetBoxes, 1 CmGetInfo"
    ),
    "borrow, again": Cost(statements=17, vendor="2 CmAccess2, 1 CmGetBoxes, 1 CmGetInfo"),
    "settings, dry run": Cost(statements=1, vendor="1 CmAccess2"),
    "settings, run": Cost(
        statements=49,
        transactions=7,
        syncs=9,
        vendor="5 CmAccess2, 1 start the service, 1 stop the service",
    ),
    "settings, again": Cost(statements=1, vendor="1 CmAccess2"),
    "containers, two": Cost(vendor="5 CmAccess2, 1 CmGetBoxes, 4 CmGetInfo"),
    "ten items": Cost(vendor="15 CmAccess2, 2 CmGetBoxContents2, 1 CmGetBoxes, 12 CmGetInfo"),
    "ten items again": Cost(vendor="4 CmAccess2, 1 CmGetBoxContents2, 1 CmGetBoxes, 2 CmGetInfo"),
    "history of ten items": Cost(
        vendor="5 CmAccess2, 2 CmGetBoxContents2, 1 CmGetBoxes, 2 CmGetInfo"
    ),
    "a hundred items": Cost(
        vendor="105 CmAccess2, 4 CmGetBoxContents2, 1 CmGetBoxes, 102 CmGetInfo"
    ),
    "a hundred items again": Cost(
        vendor="4 CmAccess2, 1 CmGetBoxContents2, 1 CmGetBoxes, 2 CmGetInfo"
    ),
    "history of a hundred items": Cost(
        vendor="5 CmAccess2, 2 CmGetBoxContents2, 1 CmGetBoxes, 2 CmGetInfo"
    ),
    # What was moved is asked anew, and nothing of the others.
    "ten items, one moved": Cost(
        vendor="5 CmAccess2, 2 CmGetBoxContents2, 1 CmGetBoxes, 2 CmGetInfo"
    ),
    "history of ten items, one moved": Cost(
        vendor="6 CmAccess2, 2 CmGetBoxContents2, 1 CmGetBoxes, 3 CmGetInfo"
    ),
    "a hundred items, one moved": Cost(
        vendor="5 CmAccess2, 2 CmGetBoxContents2, 1 CmGetBoxes, 2 CmGetInfo"
    ),
    "history of a hundred items, one moved": Cost(
        vendor="6 CmAccess2, 2 CmGetBoxContents2, 1 CmGetBoxes, 3 CmGetInfo"
    ),
    # Of no item anything is asked again; the runtime's version is, for the rules.
    "look at a hundred and ten items": Cost(
        statements=27,
        usb=1,
        vendor="17 CmAccess2, 2 CmGetBoxContents2, 3 CmGetBoxes, 8 CmGetInfo, 2 CmGetVersion",
    ),
}


def test_every_request_costs_what_is_written_down() -> None:
    """From the first look to the last leg of a transfer; the same on every machine."""
    require_markers(COSTS)
    with counting() as meter, products(SEEDS | full()) as (lab, agents):
        meter.logs += [host.twin_folder / "engine.log" for host in lab]
        requests = Requests(meter, agents)
        look(requests)
        transfer(requests)
        requests.ask("agent after a transfer", OLD, "GET", "/v1/agent")
        borrow(requests)
        settings(requests, lab)
        items(requests)
    assert_written(requests.costs, COSTS)


def look(requests: Requests) -> None:
    """What a run looks at before it does anything."""
    requests.ask("agent", OLD, "GET", "/v1/agent")
    requests.ask("containers", OLD, "GET", "/v1/containers")
    requests.ask("items", OLD, "GET", f"/v1/containers/{SERIALS[OLD]}/items")
    requests.ask("items again", OLD, "GET", f"/v1/containers/{SERIALS[OLD]}/items")
    requests.ask("history", OLD, "GET", f"/v1/containers/{SERIALS[OLD]}/history")
    requests.ask("server", OLD, "GET", "/v1/servers/codemeter")
    requests.ask("dongles", OLD, "GET", "/v1/dongles")


def transfer(requests: Requests) -> None:
    """All legs on both hosts."""
    declaration, document = declared("ten"), None
    for leg in LEGS:
        path = f"/v1/transfers/{transfer_id(declaration['name'])}/{leg}"
        body = {"transfer": declaration, "document": document}
        document = requests.both(leg, agent_of(declaration, leg), "POST", path, body)["document"]


def borrow(requests: Requests) -> None:
    """Declared at the borrower; the transfers that it asks for are legs as any other."""
    places = declared("cad", item="6000010:204", type="borrow_local")
    until = datetime.now(UTC) + timedelta(days=7)
    body: dict[str, Any] = {
        **{name: places[name] for name in ("name", "item", "type", "source", "target")},
        "seats": 2,
        "until": f"{until:%Y-%m-%dT%H:%M:%SZ}",
    }
    path = f"/v1/borrows/{uuid.uuid5(NAMESPACE, 'borrow/cad')}"
    requests.planned("borrow", NEW, "PUT", path, body)
    requests.ask("borrow, run", NEW, "PUT", path, body)
    requests.ask("borrow, again", NEW, "PUT", path, body)


def settings(requests: Requests, lab: Lab) -> None:
    """The server is stopped, its file written, and the server started."""
    body = {"settings": {"General": {"IsNetworkServer": "1"}}}
    requests.both("settings", OLD, "PUT", "/v1/servers/codemeter", body)
    assert lab[OLD].engine.pid is not None


def full() -> dict[str, Any]:
    """A host whose containers differ in how many items they have."""
    containers = [
        {"serial": s, "items": [item(code, "licenses", license_quantity=1) for code in range(n)]}
        for s, n in ((FEW, 10), (MANY, 100))
    ]
    return {FULL: {"containers": containers}}


def items(requests: Requests) -> None:
    """Ten and a hundred, at first, when their options are known, and when one was moved."""
    requests.ask("containers, two", FULL, "GET", "/v1/containers")
    for title, serial in (("ten items", FEW), ("a hundred items", MANY)):
        path = f"/v1/containers/{serial}/items?limit=1000"
        requests.ask(title, FULL, "GET", path)
        requests.ask(f"{title} again", FULL, "GET", path)
        requests.ask(f"history of {title}", FULL, "GET", f"/v1/containers/{serial}/history")
    for title, serial in (("ten items", FEW), ("a hundred items", MANY)):
        # Another item of each, as both arrive in the same container.
        transfer_one(requests, title, serial, f"6000010:{7 if serial == FEW else 8}")
        path = f"/v1/containers/{serial}/items?limit=1000"
        requests.ask(f"{title}, one moved", FULL, "GET", path)
        path = f"/v1/containers/{serial}/history"
        requests.ask(f"history of {title}, one moved", FULL, "GET", path)
    requests.ask("look at a hundred and ten items", FULL, "GET", "/v2/look")
    few, many = (
        [requests.costs.pop(f"{leg} of {title}").vendor for leg in LEGS]
        for title in ("ten items", "a hundred items")
    )
    assert many == few, "a transfer asks more where there are more items beside"


def transfer_one(requests: Requests, title: str, serial: str, item_codes: str) -> None:
    """One of the items leaves by a transfer of its own."""
    declaration, document = declared(f"one of {title}", item=item_codes, quantity=1), None
    declaration["source"] = {"agent": FULL, "container": serial}
    for leg in LEGS:
        path = f"/v1/transfers/{transfer_id(declaration['name'])}/{leg}"
        body = {"transfer": declaration, "document": document}
        host = agent_of(declaration, leg)
        document = requests.ask(f"{leg} of {title}", host, "POST", path, body)["document"]
