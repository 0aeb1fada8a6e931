# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared orders: the systems that they name, what is left to do, and where each stands."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.seatkeeper.licensing.plugins.module_utils._tables import table
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._servers import (
    Entry,
    wait_lines,
)

LOOP_VARIABLE = "license_order_entry"
_STEP_COLUMNS: t.Final = {
    "order": "Order",
    "title": "Step",
    "performer": "Performer",
    "reversible": "Reversible",
    "state": "State",
}
_CONFIRMATION_COLUMNS: t.Final = {"order": "Order", "total": "Total", "confirm": "Confirm"}


def order_list(declared: list[Entry], systems: list[Entry], known: list[Entry]) -> list[Entry]:
    """The orders with the systems that they name, but those that the host knows to be done."""
    done = {entry["name"] for entry in known if entry["state"] == "done"}
    names = [system["name"] for system in systems]
    for name in names:
        if names.count(name) > 1:
            raise AnsibleFilterError(
                f"Two entries of license_systems have the name {name}. Give each its own."
            )
    twice = [entry["name"] for entry in declared]
    for name in twice:
        if twice.count(name) > 1:
            raise AnsibleFilterError(
                f"Two entries of license_orders have the name {name}. Give each its own."
            )
    return [_resolved(entry, systems) for entry in declared if entry["name"] not in done]


def _resolved(entry: Entry, systems: list[Entry]) -> Entry:
    ends = {side: _system(entry, side, systems) for side in ("source", "target")}
    return {**entry, **ends}


def _system(entry: Entry, side: str, systems: list[Entry]) -> Entry:
    for system in systems:
        if system["name"] == entry[side]:
            return system
    there = ", ".join(system["name"] for system in systems) or "none"
    raise AnsibleFilterError(
        f"The order {entry['name']} names the {side} {entry[side]}, which is not in"
        f" license_systems. There is: {there}."
    )


def order_rows(orders: list[Entry], waiting: list[Entry]) -> list[Entry]:
    """Orders as rows of a table, each with whoever has to act, since when and until when."""
    awaited = {wait["operation"]: wait for wait in waiting}
    rows = []
    for order in orders:
        wait = awaited.get((order["operation"] or {}).get("id"), {})
        late = " (overdue)" if wait.get("overdue") else ""
        rows.append(
            {
                "name": order["name"],
                "move": f"{order['source']} to {order['target']}",
                "keys": len(order["keys"]),
                "case_number": order["case_number"],
                "state": order["state"],
                "who": wait.get("who"),
                "waits_for": wait.get("title"),
                "since": wait.get("since"),
                "until": None if wait.get("until") is None else f"{wait['until']}{late}",
            }
        )
    return rows


def order_outcome(results: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    """What the tasks for all orders of a host returned, sorted by what it means."""
    told = [
        (result[LOOP_VARIABLE]["name"], result) for result in results if LOOP_VARIABLE in result
    ]
    done = [(name, result) for name, result in told if "plan" in result]
    # Only a plan that has not been run has a digest, and steps that are news.
    planned = [(name, result) for name, result in done if result["digest"] is not None]
    plan = [row for name, result in planned for row in _steps(name, result)]
    confirmations = [_confirmation(name, result) for name, result in planned]
    waits = [wait for _name, result in done for wait in result["waiting"]]
    judged = [(name, result) for name, result in told if "quote_table" in result]
    return {
        "plan": plan,
        "confirmations": confirmations,
        "quotes": [{"order": name, **result["quote"]} for name, result in judged],
        "waits": waits,
        "failures": [
            f"Order {name}: {result.get('msg', 'no reason was given')}"
            for name, result in told
            if "plan" not in result
        ],
        "lines": [
            *(line for name, result in planned for line in _judgement(name, result)),
            *(table([_in_words(row) for row in plan], _STEP_COLUMNS) if plan else []),
            *(table(confirmations, _CONFIRMATION_COLUMNS) if confirmations else []),
            *wait_lines(waits),
        ],
    }


def _judgement(name: str, result: dict[str, t.Any]) -> list[str]:
    return [
        f"The rules for order {name}:",
        *result["report_table"],
        f"What order {name} costs:",
        *result["quote_table"],
    ]


def _confirmation(name: str, result: dict[str, t.Any]) -> Entry:
    total = result["quote"]["total"]
    currency = result["quote"]["currency"]
    return {
        "order": name,
        "total": "to be asked" if total is None else f"{total} {currency}",
        "confirm": result["digest"],
    }


def _steps(name: str, result: dict[str, t.Any]) -> t.Iterator[Entry]:
    for step in result["plan"]["steps"]:
        shown = {member: step[member] for member in _STEP_COLUMNS if member in step}
        yield {"order": name, **shown}


def _in_words(step: Entry) -> Entry:
    return {**step, "reversible": "yes" if step["reversible"] else "no"}
