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

from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import (
    instant,
    transfer_id,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._places import (
    Entry,
    Reported,
    borrows_of,
    host_of,
    own_record,
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
UNLISTED_MAX: t.Final = 1_000
_LENT: t.Final = ("debiting", "in_transit", "transferred_receipted")
_CAME_BACK: t.Final = ("transferred", "transferred_receipted")
_DEFINING: t.Final = ("name", "item", "type", "mode", "quantity", "until", "parent")
_KEPT: t.Final = ("id", *_DEFINING, "source", "target", "side", "state")
_OTHER: t.Final = {"source": "target", "target": "source"}
_LOT = re.compile(
    r"(?P<lot>(?P<borrow>.+)/lot-[1-9][0-9]{0,5})(?:/(?:(?P<back>return)|until-(?P<until>[^/]+)))?",
    re.DOTALL,
)

Checked = t.Tuple[t.List[Entry], t.List[str]]
"""What is allowed, and a sentence for each claim that is not."""


def open_allowed(host: Reported, reported: list[Reported], declared: t.Container[str]) -> Checked:
    """The transfers that a host reports as begun, and whose ids nobody declares any more."""
    allowed, refused = [], []
    for record in _driven(host):
        if record["id"] in declared:
            continue
        other = host_of(record[_OTHER[record["side"]]]["agent"], reported)
        why = _why_not_open(record, host, other)
        if why is None:
            allowed.append(_joined(record, other))
        else:
            refused.append(_refusal(host, f"the open transfer {record['name']}", why))
    return allowed, refused


def more_to_read(reported: list[Reported], agent: str) -> dict[str, t.Any]:
    """What the host of ``agent`` has to look up in its own journal before others are believed.

    ``ids`` are transfers that others report and it has not listed, ``lent`` is whether somebody
    says that seats are to be borrowed from it.
    """
    own = host_of(agent, reported) or {}
    others = [host for host in reported if host["agent"] != agent]
    ids = {
        record["id"]
        for host in others
        for record in _driven(host)
        if record[_OTHER[record["side"]]]["agent"] == agent
        and own_record(own, record["id"]) is None
    }
    lent = any(
        agent in (lot["source"]["agent"], lot["target"]["agent"])
        for host in others
        for lot in host.get("lots", ())
    )
    return {"ids": sorted(ids)[:UNLISTED_MAX], "lent": lent}


def kept_records(reported: Reported, records: list[Entry], ids: t.Container[str]) -> Reported:
    """What a host told, with the transfers of these ids and the lots that its own journal knows.

    All others stay as they were before the first leg.
    """
    before = reported["before"]
    more = [record for record in records if record["id"] in ids]
    lots = [
        {member: record[member] for member in _KEPT}
        for record in records
        if _LOT.fullmatch(record["name"])
    ]
    return {
        **reported,
        "before": {**before, "transfers": [*before["transfers"], *more]},
        "lent": lots,
    }


def _driven(host: Reported) -> t.Iterator[Entry]:
    for record in (host.get("before") or {}).get("transfers", ()):
        if record["state"] in DRIVEN_ON[record["side"]]:
            yield record


def lots_allowed(host: Reported, reported: list[Reported]) -> Checked:
    """The transfers that a borrower says its declared borrows bring about."""
    every = [entry for each in reported for entry in each.get("borrows", ())]
    entries = {entry["name"]: entry for entry in borrows_of(every, host["agent"], reported)}
    allowed: list[Entry] = []
    refused: list[str] = []
    taken: dict[str, int] = {}
    for lot in host.get("lots", ()):
        found = _LOT.fullmatch(lot["name"])
        entry = entries.get(found["borrow"]) if found else None
        if found is None or entry is None:
            why: str | None = "the inventory declares no such borrow for this host"
        else:
            why = _why_no_lot(lot, found, entry, reported, taken)
        if why is None:
            allowed.append(lot)
        else:
            refused.append(_refusal(host, f"{lot['name']} of item {lot['item']}", why))
    return allowed, refused


def _refusal(host: Reported, what: str, why: str) -> str:
    return (
        f"The agent of {host['agent']} claims {what}, and {why}. No other host was asked for it:"
        " correct the inventory, or find out who answers in the agent's place."
    )


def _why_not_open(record: Entry, host: Reported, other: Reported | None) -> str | None:
    """Why a transfer that nobody declares is not driven on; None where it is."""
    side = record["side"]
    if record[side]["agent"] != host["agent"]:
        return f"it is one of {record[side]['agent']}"
    if other is None or not other.get("before"):
        # Nobody is there who could be asked for anything.
        return None
    name, known = other["agent"], own_record(other, record["id"])
    if known is None or known["side"] != _OTHER[side]:
        return f"neither the inventory nor {name} knows it"
    if known["state"] not in BEGUN[known["side"]]:
        return f"the inventory does not declare it, and at {name} it has not begun"
    differing = _differing(record, known)
    return f"{name} knows it with another {differing}" if differing else None


def _differing(claimed: Entry, known: Entry) -> str:
    """In which members two descriptions of a transfer differ; empty where in none."""
    found = [member for member in _DEFINING if claimed[member] != known[member]]
    for side in _OTHER:
        one, two = claimed[side], known[side]
        both = one["container"] and two["container"]
        if one["agent"] != two["agent"] or (both and one["container"] != two["container"]):
            found.append(side)
    return ", ".join(found)


def _joined(record: Entry, other: Reported | None) -> Entry:
    """The transfer, each end with the container that its own host says."""
    known = own_record(other or {}, record["id"])
    side = _OTHER[record["side"]]
    return record if known is None else {**record, side: known[side]}


def _why_no_lot(
    lot: Entry, found: re.Match[str], entry: Entry, reported: list[Reported], taken: dict[str, int]
) -> str | None:
    """Why a lot is none of its declared borrow; None where it is."""
    if lot["id"] != transfer_id(lot["name"]):
        return "its id is not that of its name"
    lender = host_of(entry["source"], reported)
    known = own_record(lender or {}, lot["id"])
    stands = _LENT if known is not None and known["side"] == "source" else BEGUN["target"]
    if known is not None and known["state"] in stands and not _differing(lot, known):
        # It is lent, or comes back, by the lender's own word.
        return None
    expected = _expected(found, entry)
    differing = ", ".join(name for name, value in expected.items() if _member(lot, name) != value)
    if differing:
        return f"it has another {differing} than the declared borrow {entry['name']}"
    if lender is None or not lender.get("before"):
        # Nobody is there who could be asked for anything.
        return None
    if lender.get("lent") is None:
        return f"nobody knows what {entry['source']} has lent already"
    if found["until"] or found["back"]:
        is_lent = _has_lent(lender, transfer_id(found["lot"]))
        return None if is_lent else f"{entry['source']} has lent no {found['lot']}"
    return _why_no_seat(entry, lender, taken)


def _why_no_seat(entry: Entry, lender: Reported, taken: dict[str, int]) -> str | None:
    """Whether one more seat is within what is declared, counted in the lender's own journal."""
    name = entry["name"]
    taken.setdefault(name, _lent_now(entry, lender))
    if taken[name] >= int(entry["seats"]):
        return f"the inventory declares {entry['seats']} in all"
    taken[name] += 1
    return None


def _member(lot: Entry, name: str) -> t.Any:
    """``source container`` is the container of the source."""
    first, _space, rest = name.partition(" ")
    return lot[first][rest] if rest else lot[first]


def _expected(found: re.Match[str], entry: Entry) -> dict[str, t.Any]:
    """What a transfer of this name has to be, by the declared borrow."""
    until = instant("until", str(entry["until"]))
    back, extends = found["back"], found["until"]
    lender, borrower = ("target", "source") if back else ("source", "target")
    expected = {
        "item": entry["item"].partition("@")[0] if back else entry["item"],
        "type": entry.get("type", "borrow_local"),
        "mode": "return" if back else "extend" if extends else "push",
        "quantity": None,
        "until": None if back else until,
        "parent": transfer_id(found["lot"]) if back or extends else None,
        f"{lender} agent": entry["source"],
        f"{lender} container": entry["source_container"],
        f"{borrower} agent": entry["target"],
    }
    if entry.get("target_container") is not None:
        expected[f"{borrower} container"] = entry["target_container"]
    if extends:
        expected["name"] = f"{found['lot']}/until-{until}"
    return expected


def _has_lent(lender: Reported, identity: str) -> bool:
    known = own_record(lender, identity)
    return known is not None and known["side"] == "source" and known["state"] in _LENT


def _lent_now(entry: Entry, lender: Reported) -> int:
    """How many lots of a borrow are lent by the lender's own journal: not back, and not over."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    records = {record["id"]: record for record in lender.get("lent", ())}
    ends: dict[str, str] = {}
    for record in records.values():
        if record["side"] == "source" and record["state"] in _LENT and record["mode"] == "extend":
            ends[record["parent"]] = max(ends.get(record["parent"], ""), record["until"] or "")
    count = 0
    for record in records.values():
        found = _LOT.fullmatch(record["name"])
        if not found or found["borrow"] != entry["name"] or found["lot"] != record["name"]:
            continue
        back = records.get(transfer_id(f"{record['name']}/return"))
        is_back = back is not None and back["side"] == "target" and back["state"] in _CAME_BACK
        end = max(record["until"] or "", ends.get(record["id"], ""))
        is_lent = record["side"] == "source" and record["state"] in _LENT
        count += is_lent and not is_back and end > now
    return count
