# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules hold for all orders of a system together, and what is not known blocks what costs."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatkeeper_agent.domain.definitions import Difference, clause, differences
from seatkeeper_agent.domain.orders import LicenseKey, OrderLine, OtherOrder, PhoneSystem
from seatkeeper_agent.domain.policies import ON_UNKNOWN, RuleKind, evaluate
from seatkeeper_agent.domain.quotes import LineKind, Prices, quote
from seatkeeper_agent.domain.rules import OnUnknown, RuleRow, RuleVerdict, is_refused
from seatkeeper_agent.domain.station_limits import station_count
from seatkeeper_agent.vendors.altigen.policy import vendor_policy

from .phone_systems import NEW, OLD, ON, key, order, system

MET, NOT_MET, UNKNOWN = RuleVerdict.MET, RuleVerdict.NOT_MET, RuleVerdict.UNKNOWN
COUNTED = date(2026, 11, 20)
LIMIT = 50

BLOCKS = OnUnknown.BLOCKS
TABLE = {
    "assurance_active": BLOCKS,
    "registered": BLOCKS,
    "same_owner": BLOCKS,
    "whole_keys": BLOCKS,
    "chassis_limit": BLOCKS,
    "different_systems": BLOCKS,
    "keys_unique": BLOCKS,
    "documents": BLOCKS,
    "field_required": BLOCKS,
    "field_in": BLOCKS,
    "field_matches": BLOCKS,
}


def test_every_kind_of_rule_says_what_an_unknown_does() -> None:
    assert {kind.value: then for kind, then in ON_UNKNOWN.items()} == TABLE
    assert set(ON_UNKNOWN) == set(RuleKind)


@pytest.mark.parametrize(
    ("target", "rule"),
    [
        (system("new", assurance_until=None), "target_assurance"),
        (system("new", registered=None), "target_registered"),
        (system("new", owner=""), "same_owner"),
        (system("new", chassis="Max1000", stations=None), "max1000_stations"),
        (system("new", chassis=""), "max1000_stations"),
        (system("new", chassis=""), "software_only_documents"),
    ],
)
def test_what_is_not_declared_keeps_an_order_from_being_placed(
    target: PhoneSystem, rule: str
) -> None:
    rows = evaluate(vendor_policy(), order(OrderLine(OLD, target, (key(),))))
    found = {row.rule: row for row in rows}
    assert (found[rule].verdict, found[rule].blocks) == (UNKNOWN, True)
    assert "declare" in found[rule].advice.lower()
    assert is_refused(rows)


def test_a_row_blocks_by_what_its_unknown_means() -> None:
    for then, blocks in ((OnUnknown.BLOCKS, True), (OnUnknown.SHOWN, False)):
        rows = {verdict: RuleRow("a", "b", "c", verdict, "d", then) for verdict in RuleVerdict}
        assert rows[UNKNOWN].blocks is blocks
        assert (rows[MET].blocks, rows[NOT_MET].blocks) == (False, True)
        assert rows[UNKNOWN].as_document()["on_unknown"] == then.value


def other(
    name: str, *keys: LicenseKey, ended_on: date | None = None, shares_fee: bool = False
) -> OtherOrder:
    """Another order that goes to the target of ``order_to``."""
    return OtherOrder(name, OrderLine(OLD, TARGET, keys), ended_on, shares_fee)


TARGET = system("new", chassis="Max1000", stations=35, stations_as_of=COUNTED)


def row_of(rule: str, *beside: OtherOrder, target: PhoneSystem = TARGET) -> RuleRow:
    """What a rule of the vendor says of ten stations to the target."""
    found = order(OrderLine(OLD, target, (key(1),)), beside=beside)
    return next(row for row in evaluate(vendor_policy(), found) if row.rule == rule)


def test_the_second_order_is_refused_and_both_and_the_sum_are_named() -> None:
    assert row_of("max1000_stations").verdict is MET
    row = row_of("max1000_stations", other("first", key(2)))
    assert row.verdict is NOT_MET
    assert row.observed == (
        "new (Max1000): 35 there on 2026-11-20 and 10 and 10 of the order 'first' moved to it,"
        " 55 in all"
    )


@pytest.mark.parametrize(
    ("ended", "verdict"),
    [
        (COUNTED - timedelta(days=1), MET),  # part of the count
        (COUNTED, UNKNOWN),  # before or after it was counted
        (COUNTED + timedelta(days=1), NOT_MET),
        (None, NOT_MET),
    ],
)
def test_only_orders_that_ended_after_the_count_are_added(
    ended: date | None, verdict: RuleVerdict
) -> None:
    row = row_of("max1000_stations", other("first", key(2), ended_on=ended))
    assert row.verdict is verdict
    assert ("'first'" in row.observed) is (verdict is not MET)


def test_a_count_without_its_day_is_no_yes_beside_an_order_that_is_done() -> None:
    undated = system("new", chassis="Max1000", stations=35)
    done = other("first", key(2), ended_on=ON)
    row = row_of("max1000_stations", done, target=undated)
    assert (row.verdict, row.blocks) == (UNKNOWN, True)
    assert "stations_as_of" in row.advice
    few = system("new", chassis="Max1000", stations=30)
    assert row_of("max1000_stations", done, target=few).verdict is MET


def test_a_key_is_in_one_order_only() -> None:
    row = row_of("keys_unique", other("first", key(1)))
    assert row.verdict is NOT_MET
    assert row.observed == "LK-0001 is in the order 'first' as well"


def test_a_key_leaves_the_system_that_it_came_to_last() -> None:
    elsewhere = OtherOrder("away", OrderLine(OLD, system("third"), (key(1),)), ON)
    row = row_of("keys_unique", elsewhere)
    assert row.observed == "LK-0001 went to third with the order 'away'"
    back = OtherOrder("back", OrderLine(system("third"), OLD, (key(1),)), ON)
    assert row_of("keys_unique", elsewhere, back).verdict is MET


@pytest.mark.parametrize(
    ("until", "on", "verdict", "part"),
    [
        (ON - timedelta(days=1), ON, NOT_MET, f"and today is {ON}"),
        (ON, ON, MET, ""),
        (ON + timedelta(days=3), ON + timedelta(days=4), NOT_MET, "the order is for 2026-11-26"),
        (ON + timedelta(days=4), ON + timedelta(days=4), MET, ""),
    ],
)
def test_assurance_is_judged_by_today_and_by_a_day_that_lies_ahead(
    until: date, on: date, verdict: RuleVerdict, part: str
) -> None:
    target = system("new", assurance_until=until)
    found = order(OrderLine(OLD, target, (key(),)), on=on, today=ON)
    row = next(row for row in evaluate(vendor_policy(), found) if row.rule == "target_assurance")
    assert row.verdict is verdict
    assert row.observed.endswith(part)


def test_a_day_of_the_past_does_not_make_an_ended_assurance_active() -> None:
    ended = system("new", assurance_until=ON - timedelta(days=1))
    found = order(OrderLine(OLD, ended, (key(),)), on=ON - timedelta(days=7), today=ON)
    row = next(row for row in evaluate(vendor_policy(), found) if row.rule == "target_assurance")
    assert row.verdict is NOT_MET


def test_two_orders_of_one_pair_cost_one_fee_when_they_go_together() -> None:
    first, second = OrderLine(OLD, NEW, (key(1),)), OrderLine(OLD, NEW, (key(2),))
    for shares, amount in ((True, "0.00"), (False, "300.00")):
        found = quote((second,), Prices(), ON, (OtherOrder("first", first, None, shares),))
        (line,) = [line for line in found.lines if line.kind is LineKind.MOVE_FEE]
        assert line.as_document()["amount"] == amount
        assert ("in the one fee of the order 'first'" in line.text) is shares
    away = OtherOrder("away", OrderLine(OLD, system("third"), (key(3),)), None, True)
    (line,) = quote((second,), Prices(), ON, (away,)).lines[:1]
    assert line.as_document()["amount"] == "300.00"


sizes = st.integers(1, 30)
days_ended = st.none() | st.integers(-3, 3).map(lambda n: COUNTED + timedelta(days=n))


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 60),
    st.lists(st.tuples(sizes, days_ended, st.booleans()), max_size=6),
    sizes,
    st.data(),
)
def test_least_and_most_hold_whatever_was_counted(
    there: int,
    others: list[tuple[int, date | None, bool]],
    own: int,
    data: st.DataObject,
) -> None:
    """Against a world in which each order of the counting day was counted or was not."""
    target = system("new", chassis="Max1000", stations=there, stations_as_of=COUNTED)
    beside = tuple(
        OtherOrder(
            f"o{n}",
            OrderLine(OLD, target, (key(n, f"ALTI-STATION-{size}"),))
            if arrives
            else OrderLine(target, OLD, (key(n, f"ALTI-STATION-{size}"),)),
            ended,
        )
        for n, (size, ended, arrives) in enumerate(others, 10)
    )
    found = order(OrderLine(OLD, target, (key(1, f"ALTI-STATION-{own}"),)), beside=beside)
    count = station_count(found, target)
    now = there
    for size, ended, arrives in others:
        counted = ended is not None and (
            ended < COUNTED or (ended == COUNTED and data.draw(st.booleans()))
        )
        now += 0 if counted else size if arrives else -size
    real = now + own
    assert count.most is not None
    assert real <= count.most
    assert count.within(real - 1) is not True
    if now >= 0 and all(arrives for _size, _ended, arrives in others):
        assert count.least <= real
        assert count.within(real) is not False


def test_only_what_defines_a_thing_is_compared() -> None:
    done = {"source": "A", "target": "B", "license keys": "K1, K2"}
    assert differences(done, done) == ()
    found = differences({**done, "license keys": "K1"}, done)
    assert found == (Difference("license keys", "K1", "K1, K2"),)
    assert clause(found, ended=True) == "license keys: declared K1, done K1, K2"
    assert clause(found, ended=False) == "license keys: declared K1, begun with K1, K2"
