# SPDX-License-Identifier: GPL-3.0-or-later
"""What one host's answer may have another host do: what the inventory declares, and what that
other host has begun by its own word.

An agent whose host is in foreign hands answers as it likes. So nothing that only its answer says
leads to a request at another host; each claim that is not covered is refused in one sentence.
"""

from __future__ import annotations

import re
import typing as t
from datetime import datetime, timezone

from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import transfer_id
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    SIDES,
    Declaration,
    Entry,
)

BEGUN: t.Final = {
    "source": ("debiting", "in_transit", "crediting_back", "transferred_receipted", "void"),
    "target": (
        "requested",
        "void",
        "accepted",
        "crediting",
        "transferred",
        "transferred_receipted",
        "refused",
    ),
}
"""From these states on a host may be asked for a transfer that nobody declares any more: at the
source something was debited; a target gains, and has to take what had left for it."""
DRIVEN_ON: t.Final = {
    "source": ("debiting", "in_transit", "crediting_back"),
    "target": ("accepted", "crediting", "transferred"),
}
"""From these states on something was debited, so the transfer has to come to its end."""
DEFINING: t.Final = ("name", "item", "type", "mode", "quantity", "until", "parent")
_LENT: t.Final = ("debiting", "in_transit", "transferred_receipted")
_CAME_BACK: t.Final = ("transferred", "transferred_receipted")
_OTHER: t.Final = {"source": "target", "target": "source"}
_LOT = re.compile(
    r"(?P<lot>(?P<borrow>.+)/lot-[1-9][0-9]{0,5})(?:/(?:(?P<back>return)|until-(?P<until>[^/]+)))?",
    re.DOTALL,
)


class Claim(t.NamedTuple):
    """A transfer that an agent says is to be carried, and that nobody declares by itself."""

    record: Entry
    agent: str
    borrow: t.Optional[str]
    """The id of the declared borrow that it is said to be of."""


def other_agent(record: Entry, agent: str) -> t.Optional[str]:
    """The agent at the other end of a transfer; None where ``agent`` is at neither or both."""
    ends = [record[side]["agent"] for side in SIDES]
    others = [end for end in ends if end != agent]
    return others[0] if len(others) == 1 else None


def is_driven(record: Entry) -> bool:
    """Whether something was debited for an open transfer, by the word of the host that has it."""
    return record["state"] in DRIVEN_ON.get(record["side"], ())


def why_not_open(claim: Claim, known: t.Optional[Entry]) -> t.Optional[str]:
    """Why a transfer that nobody declares is not driven on; None where it is.

    ``known`` is the other host's own record of it.
    """
    record, other = claim.record, other_agent(claim.record, claim.agent)
    side = record["side"]
    if record[side]["agent"] != claim.agent:
        return f"it is one of {record[side]['agent']}"
    if known is None or known["side"] != _OTHER[side]:
        return f"neither the inventory nor {other} knows it"
    if known["state"] not in BEGUN[known["side"]]:
        return f"the inventory does not declare it, and at {other} it has not begun"
    differing = _differing(record, known)
    return f"{other} knows it with another {differing}" if differing else None


class Lots:
    """The transfers of one declared borrow, held against it and against its lender's journal."""

    def __init__(
        self, borrow: Declaration, lent: t.Optional[t.List[Entry]], is_there: bool = True
    ) -> None:
        """``lent`` is what the lender's own journal has of it; None where nobody knows.

        Where the lender is not there, nobody else can be asked for anything.
        """
        self._is_there = is_there
        self._entry = borrow.declared
        self._name = borrow.name
        self._records = None if lent is None else {record["id"]: record for record in lent}
        self._taken = 0 if self._records is None else _lent_now(self._name, self._records)

    def why_not(self, lot: Entry) -> t.Optional[str]:
        """Why a lot is none of its declared borrow; None where it is, and then it counts."""
        found = _LOT.fullmatch(lot["name"])
        if found is None or found["borrow"] != self._name:
            return "the inventory declares no such borrow for this host"
        if lot["id"] != transfer_id(lot["name"]):
            return "its id is not that of its name"
        known = (self._records or {}).get(lot["id"])
        if known is not None and _stands(known) and not _differing(lot, known):
            # It is lent, or comes back, by the lender's own word.
            return None
        expected = _expected(found, self._entry)
        differing = ", ".join(
            name for name, value in expected.items() if _member(lot, name) != value
        )
        if differing:
            return f"it has another {differing} than the declared borrow {self._name}"
        return self._why_not_now(found)

    def _why_not_now(self, found: t.Match[str]) -> t.Optional[str]:
        lender = self._entry["source"]["agent"]
        if self._records is None:
            return None if not self._is_there else f"nobody knows what {lender} has lent already"
        if found["until"] or found["back"]:
            lot = self._records.get(transfer_id(found["lot"]))
            is_lent = lot is not None and lot["side"] == "source" and lot["state"] in _LENT
            return None if is_lent else f"{lender} has lent no {found['lot']}"
        if self._taken >= int(self._entry["seats"]):
            return f"the inventory declares {self._entry['seats']} in all"
        self._taken += 1
        return None


def refusal(claim: Claim, why: str) -> str:
    """One sentence for a claim that no other host was asked for."""
    record = claim.record
    what = (
        f"the open transfer {record['name']}"
        if claim.borrow is None
        else f"{record['name']} of item {record['item']}"
    )
    return (
        f"The agent of {claim.agent} claims {what}, and {why}. No other host was asked for it:"
        " correct the inventory, or find out who answers in the agent's place."
    )


def _stands(known: Entry) -> bool:
    return known["state"] in (_LENT if known["side"] == "source" else BEGUN["target"])


def _differing(claimed: Entry, known: Entry) -> str:
    """In which members two descriptions of a transfer differ; empty where in none."""
    found = [member for member in DEFINING if claimed[member] != known[member]]
    for side in SIDES:
        one, two = claimed[side], known[side]
        both = one["container"] and two["container"]
        if one["agent"] != two["agent"] or (both and one["container"] != two["container"]):
            found.append(side)
    return ", ".join(found)


def _member(lot: Entry, name: str) -> t.Any:
    """``source container`` is the container of the source."""
    first, _space, rest = name.partition(" ")
    return lot[first][rest] if rest else lot[first]


def _expected(found: t.Match[str], borrow: Entry) -> Entry:
    """What a transfer of this name has to be, by the declared borrow."""
    back, extends = found["back"], found["until"]
    lender, borrower = ("target", "source") if back else ("source", "target")
    expected = {
        "item": borrow["item"].partition("@")[0] if back else borrow["item"],
        "type": borrow["type"],
        "mode": "return" if back else "extend" if extends else "push",
        "quantity": None,
        "until": None if back else borrow["until"],
        "parent": transfer_id(found["lot"]) if back or extends else None,
        f"{lender} agent": borrow["source"]["agent"],
        f"{lender} container": borrow["source"].get("container"),
        f"{borrower} agent": borrow["target"]["agent"],
    }
    if borrow["target"].get("container") is not None:
        expected[f"{borrower} container"] = borrow["target"]["container"]
    if extends:
        expected["name"] = f"{found['lot']}/until-{borrow['until']}"
    return expected


def _lent_now(borrow: str, records: t.Dict[str, Entry]) -> int:
    """How many lots of a borrow are lent by the lender's own journal: not back, and not over."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    ends: t.Dict[str, str] = {}
    for record in records.values():
        if record["side"] == "source" and record["state"] in _LENT and record["mode"] == "extend":
            ends[record["parent"]] = max(ends.get(record["parent"], ""), record["until"] or "")
    count = 0
    for record in records.values():
        found = _LOT.fullmatch(record["name"])
        if not found or found["borrow"] != borrow or found["lot"] != record["name"]:
            continue
        back = records.get(transfer_id(f"{record['name']}/return"))
        is_back = back is not None and back["side"] == "target" and back["state"] in _CAME_BACK
        end = max(record["until"] or "", ends.get(record["id"], ""))
        is_lent = record["side"] == "source" and record["state"] in _LENT
        count += is_lent and not is_back and end > now
    return count
