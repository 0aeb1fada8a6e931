# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of items and containers, ids of transfers, and the digest of a plan."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatkeeper_agent.domain.licenses import SERIAL_PATTERN, ItemKey, ItemStatus, find_item
from seatkeeper_agent.domain.planned_steps import Performer, PlannedStep, canonical, plan_digest
from seatkeeper_agent.domain.transfers import (
    TRANSITIONS,
    Declaration,
    Mode,
    Place,
    Side,
    State,
    may_become,
    shown_status,
    transfer_id,
)
from seatkeeper_agent.operations.ports import DriverRefused
from seatkeeper_agent.vendors.codemeter.serials import format_serial, parse_serial

from .views import ITEM, declare

CODES = st.integers(0, 2**32 - 1)
KEYS = st.builds(ItemKey, CODES, CODES, st.none() | st.integers(0, 65_535))


@given(key=KEYS)
def test_an_item_reads_back_what_it_shows(key: ItemKey) -> None:
    assert ItemKey.parse(str(key)) == key
    assert key.matches(key)
    assert ItemKey(key.firm_code, key.product_code).matches(key)


@given(key=KEYS, other=KEYS)
def test_a_key_names_its_own_items_only(key: ItemKey, other: ItemKey) -> None:
    same_codes = (key.firm_code, key.product_code) == (other.firm_code, other.product_code)
    assert key.matches(other) == (same_codes and key.reference in (None, other.reference))


@given(text=st.text(alphabet="0123456789:@-x ٣", max_size=24))
def test_anything_else_is_no_item(text: str) -> None:
    """Either it is refused with its text, or it is exactly what it reads back as."""
    try:
        key = ItemKey.parse(text)
    except ValueError as error:
        assert repr(text) in str(error)  # noqa: PT017 - a refusal is one of two right answers
    else:
        assert ItemKey.parse(str(key)) == key
        assert text.isascii()
        assert not text.endswith("\n")


@pytest.mark.parametrize("text", ["6000010:201\n", "٦:٣", "1:2@", "1:2@100000", ":1", "1:2:3"])
def test_texts_that_nearly_name_an_item(text: str) -> None:
    with pytest.raises(ValueError, match="is not FIRM_CODE:PRODUCT_CODE"):
        ItemKey.parse(text)


@pytest.mark.parametrize("text", ["4294967296:1", "1:4294967296", "1:2@65536"])
def test_codes_that_no_record_can_hold(text: str) -> None:
    with pytest.raises(ValueError, match="has a code above"):
        ItemKey.parse(text)


@given(mask=st.integers(1, 0xFFFF), serial=st.integers(1, 0xFFFFFFFF))
def test_a_serial_reads_back(mask: int, serial: int) -> None:
    shown = format_serial(mask, serial)
    assert SERIAL_PATTERN.match(shown)
    assert parse_serial(shown) == (mask, serial)
    with pytest.raises(DriverRefused):
        parse_serial(f"{shown}\n")


def test_deleted_items_are_not_found() -> None:
    gone = ITEM._replace(key=ItemKey(6000010, 201, 2), status=ItemStatus.DELETED)
    assert find_item([gone, ITEM], ItemKey(6000010, 201)) == [ITEM]


@given(
    name=st.text(min_size=1),
    mode=st.sampled_from(Mode),
    quantity=st.none() | st.integers(1, 2**32),
    until=st.none() | st.integers(0, 2**33),
)
def test_a_declaration_reads_back(name: str, mode: Mode, quantity: Any, until: Any) -> None:
    declared = replace(declare(), name=name, mode=mode, quantity=quantity, until=until)
    assert Declaration.from_document(declared.as_document()) == declared


STEP = PlannedStep("debit", "debit 3", "source", reversible=True)
CHANGES: dict[str, Any] = {
    "id": transfer_id("other"), "name": "other", "item": ItemKey.parse("6000010:202"),
    "type": "units", "mode": Mode.PULL, "source": Place("old", "130-9"),
    "target": Place("third", "130-2"), "quantity": 4, "until": 5, "parent": transfer_id("p"),
}  # fmt: skip
STEP_CHANGES: dict[str, Any] = {
    "name": "credit", "title": "debit 4", "side": "target", "reversible": False,
    "performer": Performer.PERSON,
}  # fmt: skip


def test_a_confirmation_is_bound_to_everything_about_the_plan() -> None:
    """Any change of the declaration, of a step or of the counter gives another digest."""
    declared = declare().as_document()
    digests = [plan_digest(declared, [STEP], 7), plan_digest(declared, [STEP], 8)]
    digests += [plan_digest(declared, [STEP], None), plan_digest(declared, [STEP, STEP], 7)]
    assert set(CHANGES) == {entry.name for entry in fields(Declaration)}
    for name, value in CHANGES.items():
        changed = {**declared, name: value if isinstance(value, str | int) else str(value)}
        digests.append(plan_digest(changed, [STEP], 7))
    assert set(STEP_CHANGES) == {entry.name for entry in fields(PlannedStep)}
    for name, value in STEP_CHANGES.items():
        digests.append(plan_digest(declared, [replace(STEP, **{name: value})], 7))
    assert len(set(digests)) == len(digests)
    assert plan_digest(dict(reversed(declared.items())), [STEP], 7) == digests[0]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(value=VALUES, other=VALUES)
def test_one_spelling_per_value(value: Any, other: Any) -> None:
    """Equal values are spelled alike, others are not (true and 1 are not equal in JSON)."""
    if repr(value) == repr(other):
        assert canonical(value) == canonical(other)
    if canonical(value) == canonical(other):
        assert value == other
    assert canonical(value).isascii()


def test_the_table_and_nothing_else() -> None:
    """Settled states have no way out, but for a target that gave up; all can be reached."""
    for side, table in TRANSITIONS.items():
        reached = {State.NONE}
        for _ in State:
            reached |= {after for state in reached for after in table.get(state, ())}
        named = set(table) | {state for after in table.values() for state in after}
        assert reached == named
        for before in State:
            for after in State:
                assert may_become(side, before, after) == (after in table.get(before, ()))
            if before.is_settled:
                late = side is Side.TARGET and before is State.VOID
                expected = {State.REQUESTED, State.ACCEPTED, State.REFUSED} if late else set()
                assert set(table.get(before, ())) == expected


def test_a_debit_is_never_given_up() -> None:
    """From the intent on only the target's word brings a transfer to its end."""
    table = TRANSITIONS[Side.SOURCE]
    assert State.VOID not in table[State.DEBITING] | table[State.IN_TRANSIT]
    assert State.REFUSED not in TRANSITIONS[Side.TARGET][State.CREDITING]


@pytest.mark.parametrize(
    ("side", "state", "mode", "shown"),
    [
        (Side.SOURCE, State.CREATED, Mode.PUSH, "0"),
        (Side.SOURCE, State.DEBITING, Mode.PUSH, "0"),
        (Side.SOURCE, State.IN_TRANSIT, Mode.PUSH, "In Transit (push)"),
        (Side.SOURCE, State.IN_TRANSIT, Mode.PULL, "In Transit (pull)"),
        (Side.SOURCE, State.IN_TRANSIT, Mode.RETURN, "In Transit (return)"),
        (Side.TARGET, State.ACCEPTED, Mode.PUSH, "In Transit (push)"),
        (Side.TARGET, State.TRANSFERRED, Mode.PUSH, "Transferred"),
        (Side.TARGET, State.RECEIPTED, Mode.PUSH, "Transferred & Receipted"),
        (Side.SOURCE, State.RECEIPTED, Mode.RETURN, "Transferred & Receipted"),
        (Side.TARGET, State.REFUSED, Mode.PUSH, "refused"),
        (Side.SOURCE, State.VOID, Mode.PUSH, "void"),
    ],
)
def test_statuses_are_the_vendors_words(side: Side, state: State, mode: Mode, shown: str) -> None:
    assert shown_status(side, state, mode) == shown


def test_ids_are_the_same_everywhere_and_for_ever() -> None:
    """A golden value: another release must compute the same."""
    assert transfer_id("ten-seats") == "8877ef27-0dc6-5fe9-86e3-e0e9be3627a2"
