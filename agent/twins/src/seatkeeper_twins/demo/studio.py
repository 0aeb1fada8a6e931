# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo's Chaos servers show, as their agents tell it, and as the vendor's cloud does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from seatkeeper_twins.chaos import people
from seatkeeper_twins.chaos.models import SEAT_KEYS
from seatkeeper_twins.demo.screen import Screen
from seatkeeper_twins.lab.lab import Lab, LabHost

Row = dict[str, Any]
Seats = Counter[tuple[str, str]]
"""Seats by product and kind."""

SERVER_COLUMNS = {
    "host": "Host", "version": "Version", "activated": "Activated", "dongle_service":
    "Dongle service", "product": "Product", "interface": "Interface", "render": "Render",
    "network": "Network",
}  # fmt: skip
DONGLE_COLUMNS = {"host": "Host", "path": "Port", "id": "Dongle", "model": "Model", "note": "Note"}
ACCOUNT_COLUMNS = {
    "product": "Product", "kind": "Seats", "before": "Before", "gained": "From dongles",
    "after": "Now",
}  # fmt: skip
KINDS = {key: kind for kind, key in SEAT_KEYS.items()}


def show_servers(screen: Screen, lab: Lab) -> None:
    """Print what all servers tell of themselves, and the dongles plugged into their hosts."""
    screen.table([row for host in lab for row in _server_rows(host)], SERVER_COLUMNS)
    dongles = [row for host in lab for row in _dongle_rows(host)]
    if dongles:
        screen.line()
        screen.table(dongles, DONGLE_COLUMNS)


def account(lab: Lab, company: str) -> Seats:
    """What a company's account has free, as the vendor's cloud keeps it."""
    return Counter(
        {
            (entry["product"], KINDS[key]): count
            for entry in lab.cloud.describe()["free"][company]
            for key, count in entry["seats"].items()
        }
    )


def on_dongles(lab: Lab, serials: Iterable[str]) -> Seats:
    """What dongles hold, as the vendor's cloud keeps it; nothing for one that was migrated."""
    known = lab.cloud.describe()["dongles"]
    return total(
        {"product": held["product"], "seats": {KINDS[k]: n for k, n in held["seats"].items()}}
        for serial in serials
        for held in known[serial]["licenses"]
    )


def total(entries: Iterable[Mapping[str, Any]]) -> Seats:
    """Seats of products as agents list them."""
    seats: Seats = Counter()
    for entry in entries:
        for kind, count in entry["seats"].items():
            seats[entry["product"], kind] += count
    return seats


def shown_seats(host: LabHost) -> Seats:
    """What a host's agent says that its server shows of the account."""
    return total(host.client.get("/v1/servers/chaos")["licenses"])


def state(lab: Lab) -> Row:
    """Everything that a run may change: the cloud, the servers, the dongles, the journals."""
    hosts = {
        host.name: {
            "server": host.chaos.describe(),
            "journal": host.client.get("/v1/agent")["journal"]["audit_head"],
        }
        for host in lab
    }
    return {"cloud": lab.cloud.describe(), **hosts}


def refusing_rules(host: LabHost, dongle: str, target_user: str) -> set[str]:
    """The rules for which the vendor would refuse, as the twins know them and no product tells."""
    found = people.eligibility(host.chaos.address, dongle, target_user)
    return {rule for rule, is_met in found["rules"].items() if not is_met}


def _server_rows(host: LabHost) -> list[Row]:
    report = host.client.get("/v1/servers/chaos")
    activation = report["activation"]
    words = [activation["method"], activation["account"]]
    shown = {
        "host": host.name,
        "version": report["version"],
        "activated": ", ".join(filter(None, words)) if activation["activated"] else "no",
        "dongle_service": "on" if report["dongle_service"] else "off",
    }
    rows = [{"product": entry["product"], **entry["seats"]} for entry in report["licenses"]]
    first, *others = rows or [{}]
    return [{**shown, **first}, *others]


def _dongle_rows(host: LabHost) -> list[Row]:
    return [
        {**dongle, "host": host.name, "note": "migrated, dead" if dongle["migrated"] else None}
        for dongle in host.client.get("/v1/dongles")["dongles"]
    ]
