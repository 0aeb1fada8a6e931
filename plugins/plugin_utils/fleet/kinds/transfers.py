# SPDX-License-Identifier: GPL-3.0-or-later
"""Transfers and borrows of licenses between containers of two hosts."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import (
    borrow_id,
    transfer_id,
    transfer_reference,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    SIDES,
    AgentOf,
    Declaration,
    Entry,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.kind import (
    Kind,
    Run,
    Variables,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.matters import Matter
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.places import placed

_NOBODY: t.Final = "not begun"


def read_transfers(variables: Variables, _host: str, agent_of: AgentOf) -> t.Iterator[Declaration]:
    """Transfers between two hosts; what confirms one is for its source alone."""
    for entry in variables.get("license_transfers") or ():
        parent = entry.get("parent")
        transfer = {
            "name": entry["name"],
            "item": entry["item"],
            "type": entry["type"],
            "mode": entry["mode"],
            "quantity": entry.get("quantity"),
            "until": entry.get("until"),
            "parent": None if parent is None else transfer_reference(parent),
            **{side: _end(entry, side, agent_of) for side in SIDES},
        }
        digest = entry.get("plan_digest")
        source = transfer["source"]["agent"]
        confirmed = {} if digest is None else {source: {"plan_digest": digest}}
        yield carried(transfer_id(entry["name"]), transfer, confirmed)


def read_borrows(variables: Variables, _host: str, agent_of: AgentOf) -> t.Iterator[Declaration]:
    """Borrows: a borrower says what has to be carried for it, its lender what was lent."""
    for entry in variables.get("license_borrows") or ():
        declared = {
            "name": entry["name"],
            "item": entry["item"],
            "type": entry["type"],
            "seats": entry["seats"],
            "until": entry["until"],
            **{side: _end(entry, side, agent_of) for side in SIDES},
        }
        agents = (declared["source"]["agent"], declared["target"]["agent"])
        yield Declaration("borrow", borrow_id(entry["name"]), entry["name"], agents, declared)


def carried(
    identity: str,
    transfer: Entry,
    confirmed: t.Optional[t.Dict[str, Entry]] = None,
    is_declared: bool = True,
) -> Declaration:
    """A transfer as both agents know it; its source is asked first whether it would go."""
    agents = (transfer["source"]["agent"], transfer["target"]["agent"])
    return Declaration(
        "transfer",
        identity,
        transfer["name"],
        agents,
        {"transfer": transfer},
        confirmed or {},
        is_declared=is_declared,
    )


def _end(entry: Entry, side: str, agent_of: AgentOf) -> Entry:
    container = entry.get(f"{side}_container")
    named = {} if container is None else {"container": container}
    return {"agent": agent_of(entry[side]), **named}


def _placed(matter: Matter, run: Run) -> Declaration:
    """With the containers that it leaves out, where they are clear."""
    shown = {agent: host.containers for agent, host in run.hosts.items()}
    return placed(matter.declaration, shown, _places_known(matter, run))


def _places_known(matter: Matter, run: Run) -> t.Dict[str, str]:
    """The containers of a transfer by side, each as its own host's journal has it."""
    known: t.Dict[str, str] = {}
    for agent, result in matter.asked.items():
        for side in SIDES:
            end = (result["present"] or {}).get(side) or {}
            other = run.hosts.get(str(end.get("agent")))
            is_own = end.get("agent") == agent or other is None or other.problem is not None
            if is_own and end.get("container"):
                known.setdefault(side, end["container"])
    return known


def _transfer_declared(matter: Matter) -> str:
    if matter.claim is not None and matter.claim.borrow is None:
        return "brought to its end"
    transfer = matter.declaration.declared["transfer"]
    amount = transfer["quantity"]
    what = transfer["type"] if amount is None else f"{amount} {transfer['type']}"
    return f"{what} of {transfer['item']}"


def _transfer_present(matter: Matter) -> t.Optional[str]:
    firsts = list(matter.first.values())
    known = [first["present"]["status"] for first in firsts if first["present"] is not None]
    return known[0] if known else _NOBODY if firsts else None


def _borrow_declared(matter: Matter) -> str:
    declared = matter.declaration.declared
    return f"{declared['seats']} of {declared['item']} until {declared['until']}"


def _borrow_present(matter: Matter) -> t.Optional[str]:
    """How many seats were borrowed."""
    firsts = matter.first.values()
    seats = [first["before"]["seats"] for first in firsts if "seats" in first["before"]]
    return str(seats[0]) if seats else None


TRANSFER: t.Final = Kind(
    "transfers",
    read_transfers,
    _transfer_declared,
    _transfer_present,
    completed=_placed,
)
BORROW: t.Final = Kind(
    "transfers",
    read_borrows,
    _borrow_declared,
    _borrow_present,
    completed=_placed,
)
