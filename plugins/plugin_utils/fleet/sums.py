# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether after a run there is as much of each item on all hosts together as there was before.

Counted are usable amounts and what is on its way between the hosts. Items of which something goes
to or comes from a host outside the play are left out, as are those whose borrow ends just now and
those of which a step has not ended.
"""

from __future__ import annotations

import dataclasses
import typing as t
from collections import Counter
from datetime import datetime, timedelta, timezone

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import Entry

EXPIRY_MARGIN: t.Final = timedelta(minutes=5)
_MEASURES: t.Final = ("seats", "units")
_UNSETTLED: t.Final = ("debiting", "crediting", "crediting_back")
_ARRIVED: t.Final = ("transferred", "transferred_receipted")


@dataclasses.dataclass
class Holding:
    """What one host had at one moment.

    ``amounts`` are seats and units by item, ``leaving`` the same by the id of a transfer.
    """

    amounts: t.Dict[str, t.Dict[str, int]]
    leaving: t.Dict[str, t.Tuple[str, t.Dict[str, int]]]
    arrived: t.List[str]
    unsettled: t.List[str]


def holding_of(items: t.Iterable[Entry], transfers: t.Iterable[Entry]) -> Holding:
    """What a look at a host showed."""
    soon = (datetime.now(timezone.utc) + EXPIRY_MARGIN).strftime("%Y-%m-%dT%H:%M:%SZ")
    held = Holding({}, {}, [], [])
    for item in items:
        code = _code(item["item"])
        amounts = held.amounts.setdefault(code, dict.fromkeys(_MEASURES, 0))
        for measure in _MEASURES:
            amounts[measure] += item[measure]
        if item["borrowed_until"] is not None and item["borrowed_until"] <= soon:
            held.unsettled.append(code)
    for record in transfers:
        code = _code(record["item"])
        if record["state"] in _UNSETTLED:
            held.unsettled.append(code)
        elif record["side"] == "source" and record["state"] == "in_transit":
            held.leaving[record["id"]] = (code, record["amounts"])
        elif record["side"] == "target" and record["state"] in _ARRIVED:
            held.arrived.append(record["id"])
    return held


def differences(
    before: t.List[Holding], after: t.List[Holding], left_out: t.Iterable[str]
) -> t.List[str]:
    """A sentence for each item of which there is more or less than before."""
    ignored = {_code(item) for item in left_out}
    ignored.update(code for held in (*before, *after) for code in held.unsettled)
    was, is_now = _sums(before), _sums(after)
    return [
        f"There were {was[key]} {key[1]} of item {key[0]} over all hosts and there are"
        f" {is_now[key]} now. Change nothing more and compare the history of the containers."
        for key in sorted({*was, *is_now})
        if key[0] not in ignored and was[key] != is_now[key]
    ]


def _sums(holdings: t.List[Holding]) -> t.Counter[t.Tuple[str, str]]:
    sums: t.Counter[t.Tuple[str, str]] = Counter()
    arrived = {identity for held in holdings for identity in held.arrived}
    for held in holdings:
        on_its_way = [entry for name, entry in held.leaving.items() if name not in arrived]
        for code, amounts in (*held.amounts.items(), *on_its_way):
            for measure, amount in amounts.items():
                sums[code, measure] += amount
    return sums


def _code(item: str) -> str:
    return item.partition("@")[0]
