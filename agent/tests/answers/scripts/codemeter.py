# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts with CodeMeter, what they hold, and a transfer taken through its legs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from answers.script import Script
from answers.wanted import Values, Wanted

OLD, NEW = "old-server", "new-server"
SERIALS = {OLD: "130-1000000001", NEW: "130-2000000002"}
SECOND = "130-2000000009"
"""Another container of the new server."""

LEGS = ("request", "issue", "install", "confirm", "acknowledge")
FIRM_CODE, OTHER_FIRM_CODE, OLD_FIRM_CODE = 6000010, 6000020, 100010
BORROW_SECONDS_MAX = 2_592_000


def option(type_: str, **values: Any) -> Values:
    """A way in which the licensor lets an item move."""
    return {
        "type": type_,
        "pull_allowed": not type_.startswith("borrow"),
        "return_allowed": True,
        "firm_item_required": False,
        "transfer_depth": 3,
        "max_borrow_seconds": BORROW_SECONDS_MAX if type_.startswith("borrow") else 0,
        **values,
    }


def item(product_code: int, *options: Values, firm_code: int = FIRM_CODE, **amount: int) -> Values:
    """An item of a container."""
    codes = {"firm_code": firm_code, "product_code": product_code}
    return {**codes, "name": f"Product {product_code}", "options": list(options), **amount}


def item_of_two_types(product_code: int) -> Values:
    """Five seats, to be moved or lent."""
    return item(product_code, option("licenses"), option("borrow_local"), license_quantity=5)


def container(serial: str, *items: Values, firm_codes: tuple[int, ...] = (FIRM_CODE,)) -> Values:
    """A container with its firm items."""
    firm_items = [{"firm_code": code, "text": "Example Software"} for code in firm_codes]
    return {"serial": serial, "firm_items": firm_items, "items": list(items)}


SEEDS: dict[str, Any] = {
    OLD: {
        "containers": [
            container(
                SERIALS[OLD],
                item(201, option("licenses"), license_quantity=25),
                item(202, option("complete"), license_quantity=5),
                item(203, option("units"), unit_counter=100),
                item(204, option("borrow_local"), license_quantity=5),
                item(205, option("borrow_complete"), option("complete"), license_quantity=3),
                item(206, option("licenses", return_allowed=False), license_quantity=9),
                item(207, option("licenses", pull_allowed=False), license_quantity=9),
                item(208, option("licenses", transfer_depth=1), license_quantity=9),
                item(209, option("licenses"), license_quantity=1),
                item(209, option("licenses"), license_quantity=1),
                item(210, license_quantity=1),
                item(
                    211,
                    option("licenses", firm_item_required=True),
                    firm_code=OTHER_FIRM_CODE,
                    license_quantity=1,
                ),
                item(212, option("borrow_local"), option("complete"), license_quantity=2),
                item(213, option("licenses"), license_quantity=7),
            )
        ]
    },
    NEW: {"containers": [container(SERIALS[NEW]), container(SECOND)]},
}


DONGLES = {OLD: "3-1000003", NEW: "3-2000003"}
OF_OLD_FIRMWARE: dict[str, Any] = {
    host: {
        "containers": [
            container(serial, *map(item_of_two_types, (201, 204))),
            {**container(DONGLES[host], *map(item_of_two_types, (201, 204))), "firmware": "3.5"},
        ]
    }
    for host, serial in SERIALS.items()
}
"""Each host has a dongle besides, which may receive a borrow and nothing else."""


@cache
def in_days(days: int) -> str:
    """A date as it is declared, and every time the same: an inventory does not move with time."""
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


def declared(name: str, product_code: int, type_: str, **values: Any) -> Values:
    """A declaration that moves something from the old server to the new one."""
    places = {
        side: {"agent": host, "container": SERIALS[host]}
        for side, host in (("source", OLD), ("target", NEW))
    }
    usual = {"item": f"{FIRM_CODE}:{product_code}", "type": type_, "mode": "push"}
    return {"name": name, **usual, **places, **values}


def back(name: str, product_code: int, type_: str, **values: Any) -> Values:
    """The other way round."""
    there = declared(name, product_code, type_)
    turned = {"source": there["target"], "target": there["source"], "mode": "return"}
    return {**there, **turned, **values}


def host_of(declaration: Values, leg: str) -> str:
    """Where a leg runs."""
    return str(declaration["source" if leg in ("issue", "confirm") else "target"]["agent"])


def leg(declaration: Values, name: str, document: Any = None, **beside: Any) -> Wanted:
    """One leg, with the other host's document."""
    return Wanted("transfer", name, declaration, {"document": document, **beside})


def carried(script: Script, declaration: Values) -> None:
    """All legs, each as dry run, run and run again."""
    document = None
    for name in LEGS:
        wanted = leg(declaration, name, document)
        title = f"{declaration['name']}, {name}"
        document = script.whole(title, host_of(declaration, name), wanted).document


def prepared(script: Script, declaration: Values, until: str = "acknowledge") -> Any:
    """The legs up to and with ``until``, without a record; the last document."""
    document = None
    for name in LEGS[: LEGS.index(until) + 1]:
        wanted = leg(declaration, name, document)
        document = script.prepare(host_of(declaration, name), wanted).document
    return document
