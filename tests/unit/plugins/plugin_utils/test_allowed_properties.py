# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever one host answers, another is asked only for what the inventory declares for it."""

from __future__ import annotations

import typing as t

import pytest

# ansible-test's environments have no more than it needs; `make test` runs this.
pytest.importorskip("hypothesis")

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import transfer_id
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._allowed import BEGUN
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._declarations import (
    all_transfers,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._legs import (
    ASK,
    LEGS,
    Fleet,
    Reported,
    leg_calls,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._outcome import (
    kept_borrows,
    kept_results,
)
from ansible_collections.seatkeeper.licensing.tests.unit.plugins.plugin_utils.test_allowed import (
    BORROW,
    CONTAINERS,
    HONEST,
    HOSTILE,
    ITEMS,
    LATER,
    SEATS,
    THIRD,
    TRANSFERS,
    UNTIL,
    Record,
    end,
    host,
    looked_up,
    lot,
    record,
)

NAMES = (
    "to-honest",
    "to-hostile",
    "undeclared",
    "cad",
    "other/lot-1",
    *(f"cad/lot-{number}{end}" for number in (1, 2, 3, 4) for end in ("", "/return")),
    *(f"cad/lot-{number}/until-{until}" for number in (1, 2) for until in (UNTIL, LATER)),
)
STATES = {side: ("none", "created", *BEGUN[side]) for side in BEGUN}


@st.composite
def claims(draw: st.DrawFn) -> Record:
    """A transfer that somebody claims; most of it looks as if it belonged to the inventory."""
    name = draw(st.sampled_from(NAMES))
    known = st.sampled_from
    ends = st.builds(end, known(sorted(CONTAINERS)), known([None, "130-1", "130-2", "130-9"]))
    lot_ids = [transfer_id(each) for each in NAMES]
    return {
        "id": draw(st.one_of(st.just(transfer_id(name)), known(lot_ids))),
        "name": name,
        "item": draw(known(ITEMS)),
        "type": draw(known(["borrow_local", "licenses", "complete"])),
        "mode": draw(known(["push", "return", "extend"])),
        "quantity": draw(known([None, 1, 25])),
        "until": draw(known([None, UNTIL, LATER])),
        "parent": draw(known([None, transfer_id("cad/lot-1")])),
        "source": draw(ends),
        "target": draw(ends),
    }


@st.composite
def lots(draw: st.DrawFn) -> Record:
    """A claim, or a lot that is as it should be but for one member at most."""
    if draw(st.booleans()):
        return draw(claims())
    changed = draw(
        st.sampled_from(
            [{}, {"item": ITEMS[1]}, {"until": LATER}, {"quantity": 25}, {"id": transfer_id("cad")}]
        )
    )
    return lot(f"cad/lot-{draw(st.integers(1, 5))}", **changed)


@st.composite
def records(draw: st.DrawFn, described: st.SearchStrategy[Record]) -> Record:
    side = draw(st.sampled_from(sorted(STATES)))
    return record(draw(described), side, draw(st.sampled_from(STATES[side])))


@st.composite
def own_records(draw: st.DrawFn) -> Record:
    """What the honest host's own journal knows, each under its own id."""
    name = draw(st.sampled_from(["undeclared", "cad/lot-1", "cad/lot-2"]))
    described = lot(name) if "lot" in name else lot(name, item=ITEMS[1], type="licenses")
    return record(described, "source", draw(st.sampled_from(STATES["source"])))


def calls_at_the_honest_host(hosts: list[Reported], document: t.Any) -> list[Record]:
    """All that it is asked for in a run in which it does everything and the other claims it."""
    requested: list[Record] = []
    plan = {"digest": "d", "steps": []}
    for leg in (ASK, *LEGS):
        for number, each in enumerate(hosts):
            transfers = all_transfers(TRANSFERS, hosts)
            calls = leg_calls(transfers, leg, each["agent"], Fleet(hosts), "")
            if each["agent"] == HONEST:
                requested += [{**call, "leg": leg} for call in calls]
            results = [
                {"license_transfer_call": call, "changed": True, "plan": plan, "document": document}
                for call in calls
            ]
            hosts[number] = kept_results(each, leg, results)
    return requested


def is_covered(call: Record, journal: list[Record]) -> bool:
    """Whether the inventory, or the honest host's own journal, has exactly this."""
    ends = {side: call[side] for side in ("source", "target")}
    side = "source" if call["leg"] in (ASK, "issue", "confirm") else "target"
    if ends[side] != HONEST or call[f"{side}_container"] != CONTAINERS[HONEST]:
        return False
    reported = {member: call[member] for member in ("item", "type", "quantity")}
    for entry in TRANSFERS:
        if entry["name"] == call["name"] and call["id"] == transfer_id(entry["name"]):
            usual = (call["mode"], call["until"], call["parent"]) == ("push", None, None)
            return usual and entry == {**reported, **ends, "name": call["name"]}
    members = ("name", "item", "type", "mode", "quantity", "until", "parent")
    for entry in journal:
        begun = entry["state"] in BEGUN["source"]
        if begun and entry["id"] == call["id"] and side == "source":
            return all(call[member] == entry[member] for member in members)
    return _is_lot(call, ends)


def _is_lot(call: Record, ends: Record) -> bool:
    back = call["name"].endswith("/return")
    lent = call["name"].removesuffix("/return").partition("/until-")[0]
    if call["id"] != transfer_id(call["name"]) or not lent.startswith("cad/lot-"):
        return False
    right = call["item"] == ITEMS[0] and call["type"] == "borrow_local" and call["quantity"] is None
    if back:
        is_returned = (call["mode"], call["until"]) == ("return", None)
        return right and is_returned and ends == {"source": HOSTILE, "target": HONEST}
    return right and call["until"] == UNTIL and ends == {"source": HONEST, "target": HOSTILE}


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(lots(), max_size=6),
    st.lists(records(st.one_of(lots(), claims())), max_size=4),
    st.lists(own_records(), max_size=3, unique_by=lambda entry: t.cast("str", entry["id"])),
    st.sampled_from([None, {"payload": "forged"}]),
    st.booleans(),
)
@example([lot(f"cad/lot-{number}") for number in range(1, 5)], [], [], None, True)
@example([lot("cad/lot-1", item=ITEMS[1])], [], [], None, True)
@example([], [record(lot("undeclared"), "target", "accepted")], [], None, True)
@example(
    [],
    [record(lot("undeclared", item=ITEMS[1], type="licenses"), "target", "accepted")],
    [record(lot("undeclared", item=ITEMS[1], type="licenses"), "source", "created")],
    None,
    True,
)
@example([lot("cad/lot-1", id=transfer_id("to-hostile"))], [], [], None, True)
@example(
    [],
    [record(lot("undeclared", type="licenses"), "target", "accepted")],
    [record(lot("undeclared", item=ITEMS[1], type="licenses"), "source", "in_transit")],
    None,
    True,
)
def test_whatever_a_host_answers_another_is_asked_for_what_the_inventory_declares(
    said: list[Record],
    known: list[Record],
    journal: list[Record],
    document: t.Any,
    is_first: bool,
) -> None:
    still_open = ("created", "debiting", "in_transit", "crediting_back")
    listed = [entry for entry in journal if entry["state"] in still_open]
    hosts = [host(HONEST, listed), host(HOSTILE, known), host(THIRD, known)]
    hosts = looked_up(hosts, journal)
    results = [{"transfers": said, "license_transfer_borrow": BORROW}]
    hosts[1] = kept_borrows(hosts[1], results)
    hosts = looked_up(hosts, journal)
    calls = calls_at_the_honest_host(hosts[::-1] if is_first else hosts, document)
    uncovered = [call for call in calls if not is_covered(call, journal)]
    assert uncovered == []
    taken = {entry["id"] for entry in journal if entry["state"] in BEGUN["source"]}
    given_up = {entry["id"] for entry in journal if entry["state"] in ("crediting_back", "void")}
    lent = {entry["id"] for entry in journal if "lot" in entry["name"]} & taken - given_up
    new = {
        call["id"]
        for call in calls
        if call["leg"] == "issue" and call["mode"] == "push" and "lot" in call["name"]
    }
    assert len(new | lent) <= SEATS
