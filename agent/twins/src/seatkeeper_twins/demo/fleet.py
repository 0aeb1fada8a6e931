# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo's hosts hold, as their agents tell it, and as the twins do to check on them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from seatkeeper_twins.demo.screen import Screen
from seatkeeper_twins.lab.lab import Lab

Row = dict[str, Any]

HOLDING_COLUMNS = {
    "host": "Host", "container": "Container", "item": "Item", "name": "Name", "seats": "Seats",
    "units": "Units", "borrowed_until": "Borrowed until", "origin": "From",
}  # fmt: skip
HISTORY_COLUMNS = {
    "host": "Host", "item": "Item", "at": "At", "type": "Type", "license_quantity": "Licenses",
    "unit_counter": "Units", "returned_quantity": "Returned", "container": "Other container",
    "status": "Status",
}  # fmt: skip


def holdings(lab: Lab) -> list[Row]:
    """The usable items of all hosts."""
    return [
        {**item, "host": name, "container": container["serial"]}
        for name, host in lab.hosts.items()
        for container in host.client.all("/v1/containers", "containers")
        for item in host.client.all(f"/v1/containers/{container['serial']}/items", "items")
        if item["status"] != "deleted"
    ]


def history(lab: Lab) -> list[Row]:
    """The vendor's transfer history of all hosts, oldest first."""
    rows = [
        {**row, "host": name}
        for name, host in lab.hosts.items()
        for container in host.client.all("/v1/containers", "containers")
        for row in host.client.all(f"/v1/containers/{container['serial']}/history", "history")
    ]
    return sorted(rows, key=lambda row: (row["at"], row["item"]))


def open_work(lab: Lab) -> list[str]:
    """Names of the transfers and operations that no journal calls finished."""
    return [
        f"{entry.get('name') or entry['id']} on {name}"
        for name, host in lab.hosts.items()
        for member in ("transfers", "operations")
        for entry in host.client.all(f"/v1/{member}", member, state="open")
    ]


def broken_invariants(lab: Lab) -> list[str]:
    """What the agents say of invariants that do not hold."""
    return [
        f"{invariant['name']} on {name}: {invariant['detail']}"
        for name, host in lab.hosts.items()
        for invariant in host.client.get("/v1/agent")["invariants"]
        if not invariant["holds"]
    ]


def state(lab: Lab) -> Row:
    """Everything that a run may change: each twin's containers and each agent's journal."""
    return {
        name: {
            "containers": host.twin("describe")["containers"],
            "transfers": host.client.all("/v1/transfers", "transfers", state="all"),
            "borrows": host.client.all("/v1/borrows", "borrows"),
            "operations": host.client.all("/v1/operations", "operations", state="all"),
        }
        for name, host in lab.hosts.items()
    }


def sums(rows: list[Row]) -> dict[str, Row]:
    """For each item of all hosts: its name, what is owned, what is borrowed, and the sum."""
    names = {_code(row): row["name"] for row in rows}
    owned, borrowed = Counter[str](), Counter[str]()
    for row in rows:
        counter = owned if row["borrowed_until"] is None else borrowed
        counter[_code(row)] += row["seats"] + row["units"]
    return {
        code: {
            "item": code,
            "name": names[code],
            "own": owned[code],
            "lent": borrowed[code],
            "sum": owned[code] + borrowed[code],
        }
        for code in sorted(names)
    }


def held(rows: list[Row], host: str, code: str) -> int:
    """Usable seats or units of an item on a host, borrowed ones included."""
    return sum(
        row["seats"] + row["units"] for row in rows if row["host"] == host and _code(row) == code
    )


def show_holdings(screen: Screen, rows: list[Row]) -> None:
    """Print what all hosts hold; numbers that an item does not have are left blank."""
    shown = [
        {
            **row,
            "seats": row["seats"] if row["unit_counter"] is None else None,
            "units": row["unit_counter"],
        }
        for row in rows
    ]
    screen.table(shown, HOLDING_COLUMNS)


def _code(row: Row) -> str:
    code: str = row["item"].partition("@")[0]
    return code
