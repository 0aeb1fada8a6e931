# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared orders: the systems that they name, what is left to do, and where each stands."""

from __future__ import annotations

import typing as t
from decimal import Decimal

from ansible.errors import AnsibleFilterError

from ansible_collections.seatkeeper.licensing.plugins.module_utils._card_data import (
    free_texts,
    has_card_number,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._tables import table
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._answers import (
    TEXT_OR_NONE,
    check,
)
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
_RECORD: t.Final = {
    "name": str,
    "state": str,
    "source": str,
    "target": str,
    "source_key": str,
    "target_key": str,
    "keys": [{"key": str}],
    "ended_on": TEXT_OR_NONE,
}
_CONFIRMATION_COLUMNS: t.Final = {"order": "Order", "total": "Total", "plan_digest": "Plan digest"}


def order_list(
    declared: list[Entry],
    systems: list[Entry],
    known: list[Entry],
    everywhere: t.Sequence[Entry] = (),
    elsewhere: t.Sequence[Entry] = (),
) -> list[Entry]:
    """The host's orders with the systems that they name, and with all that rules look at.

    Those that the host knows to be done as they are declared are left out. ``everywhere`` are the
    orders that all hosts declare, ``elsewhere`` those that other hosts know.
    """
    _refuse_card_data(declared, systems)
    _require_unique("phone_systems", [system["name"] for system in systems])
    _require_unique("license_orders", [entry["name"] for entry in declared])
    check(known, [_RECORD], "orders", str(declared[0].get("host")) if declared else "the host")
    own = [entry["name"] for entry in declared]
    reported = [record for record in elsewhere if _is_anothers(record, own)]
    done = {entry["name"]: entry for entry in known if entry["state"] == "done"}
    found = []
    for entry in declared:
        if entry["name"] in done and _is_as_done(entry, done[entry["name"]], systems):
            continue
        here = {record["name"] for record in known}
        others = _others(entry, systems, [e for e in everywhere if e["name"] not in here])
        found.append({**_resolved(entry, systems), "others": _joined(others, reported)})
    return found


def _refuse_card_data(declared: list[Entry], systems: list[Entry]) -> None:
    """Card data gets neither to a host nor into a log, and no message repeats it."""
    texts = [
        (f"{variable}[{number}].{member}", entry.get(member))
        for variable, entries, members in (
            ("license_orders", declared, ("name", "fields", "case_number", "rules")),
            ("phone_systems", systems, ("name", "owner", "chassis")),
        )
        for number, entry in enumerate(entries)
        for member in members
    ]
    for place, value in texts:
        if any(map(has_card_number, free_texts(value))):
            raise AnsibleFilterError(
                f"{place} may hold the number of a payment card, which is never taken. Leave it"
                " out: the card's owner writes it by hand into the vendor's form."
            )


def _require_unique(variable: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise AnsibleFilterError(
                f"Two entries of {variable} have the name {name}. Give each its own."
            )


def _is_as_done(entry: Entry, record: Entry, systems: list[Entry]) -> bool:
    """Whether the systems and the license keys are those of the order that is done."""
    keys = {system["name"]: system["system_key"] for system in systems}
    for side in ("source", "target"):
        # A system that left the inventory is known by its name only.
        if keys.get(entry[side], record[f"{side}_key"]) != record[f"{side}_key"]:
            return False
        if entry[side] not in keys and entry[side] != record[side]:
            return False
    return {key["key"] for key in entry["keys"]} == {key["key"] for key in record["keys"]}


def _others(entry: Entry, systems: list[Entry], everywhere: list[Entry]) -> list[Entry]:
    """What is declared before an order: the later one of two is the one too many."""
    by_name = {system["name"]: system for system in systems}
    found: dict[str, Entry] = {}
    for other in everywhere:
        if other["name"] == entry["name"]:
            break
        # One whose system nobody declared is an error of its own.
        if other["source"] in by_name and other["target"] in by_name:
            ends = {side: by_name[other[side]] for side in ("source", "target")}
            shares = other["host"] == entry["host"]
            named = {"name": other["name"], "keys": other["keys"]}
            found[other["name"]] = {**named, **ends, "shares_fee": shares}
    return list(found.values())


def _is_anothers(record: t.Any, own: list[str]) -> bool:
    """Whether another host may speak of an order: not of one that is declared for this host.

    The task of the host that sent what cannot be read fails by itself.
    """
    try:
        check(record, _RECORD, "orders", "another host")
    except AnsibleFilterError:
        return False
    return record["name"] not in own


def _joined(others: list[Entry], elsewhere: t.Sequence[Entry]) -> list[Entry]:
    """With what other hosts have placed, which counts as they know it."""
    found = {other["name"]: other for other in others}
    for record in elsewhere:
        if record["state"] not in ("none", "failed"):
            found[record["name"]] = {
                "name": record["name"],
                "source": _named_system(record, "source"),
                "target": _named_system(record, "target"),
                "keys": record["keys"],
                "ended_on": record["ended_on"],
            }
    return list(found.values())


def _named_system(record: Entry, side: str) -> Entry:
    named = {"name": record[side], "system_key": record[f"{side}_key"]}
    return {**named, "owner": "", "chassis": ""}


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
        f" phone_systems. There is: {there}."
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
    reported = [
        (result[LOOP_VARIABLE]["name"], result) for result in results if LOOP_VARIABLE in result
    ]
    done = [(name, result) for name, result in reported if "plan" in result]
    # Only a plan that has not been run has a digest, and steps that are news.
    planned = [(name, result) for name, result in done if result["digest"] is not None]
    plan = [row for name, result in planned for row in _steps(name, result)]
    confirmations = [_confirmation(name, result) for name, result in planned]
    waits = [wait for _name, result in done for wait in result["waiting"]]
    judged = [(name, result) for name, result in reported if "quote_table" in result]
    placed = [result for _name, result in done if _is_placed(result)]
    sums = [
        *_sum("The orders to be confirmed", [result for _name, result in planned]),
        *_sum("The orders placed now", placed),
    ]
    return {
        "plan": plan,
        "confirmations": confirmations,
        "quotes": [{"order": name, **result["quote"]} for name, result in judged],
        "waits": waits,
        "failures": [
            f"Order {name}: {result.get('msg', 'no reason was given')}"
            for name, result in reported
            if "plan" not in result
        ],
        "lines": [
            *(line for name, result in planned for line in _judgement(name, result)),
            *(table([_in_words(row) for row in plan], _STEP_COLUMNS) if plan else []),
            *(table(confirmations, _CONFIRMATION_COLUMNS) if confirmations else []),
            *sums,
            *wait_lines(waits),
        ],
    }


def _is_placed(result: dict[str, t.Any]) -> bool:
    """Whether this run has placed the order."""
    before = (result.get("before") or {}).get("state")
    return result["digest"] is None and bool(result["changed"]) and before == "none"


def _sum(which: str, results: list[dict[str, t.Any]]) -> list[str]:
    """What several orders cost together, in each currency; at least that if more is to be asked."""
    if len(results) < 2:
        return []
    amounts: dict[str, Decimal] = {}
    for result in results:
        quote = result["quote"]
        known = [Decimal(e["amount"]) for e in quote["lines"] if e["amount"] is not None]
        currency = quote["currency"]
        amounts[currency] = amounts.get(currency, Decimal(0)) + sum(known)
    requested = any(result["quote"]["total"] is None for result in results)
    words = " and ".join(f"{amount:.2f} {currency}" for currency, amount in amounts.items())
    more = ", and what is to be asked" if requested else ""
    return [f"{which} cost together: {words}{more}"]


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
        "plan_digest": result["digest"],
    }


def _steps(name: str, result: dict[str, t.Any]) -> t.Iterator[Entry]:
    for step in result["plan"]["steps"]:
        shown = {member: step[member] for member in _STEP_COLUMNS if member in step}
        yield {"order": name, **shown}


def _in_words(step: Entry) -> Entry:
    return {**step, "reversible": "yes" if step["reversible"] else "no"}
