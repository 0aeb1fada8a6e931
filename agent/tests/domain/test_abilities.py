# SPDX-License-Identifier: GPL-3.0-or-later
"""What a look says may be done to an item is what the rules allow when it is declared."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from seatkeeper_agent.domain.abilities import Abilities, Sending, abilities
from seatkeeper_agent.domain.licenses import (
    Item,
    ItemKey,
    ItemStatus,
    TransferOption,
    TransferType,
)
from seatkeeper_agent.domain.preflight import (
    PeerFacts,
    Policy,
    SourceView,
    source_problems,
    target_problems,
)

from .views import NOW, TARGET, declare, row, view_of

LONG = 400 * 86_400
"""Longer than any limit that is drawn."""

ORIGINS = (None, TARGET, "130-9")
TYPES = st.sets(st.sampled_from(list(TransferType))).map(tuple)
AMOUNTS = st.sampled_from([None, 0, 1, 7])
SECONDS = st.sampled_from([0, 1, 3600, 86_400])
OPTIONS = st.lists(
    st.builds(
        TransferOption,
        type=st.sampled_from(list(TransferType)),
        pull_allowed=st.booleans(),
        return_allowed=st.booleans(),
        firm_item_required=st.booleans(),
        transfer_depth=st.integers(0, 2),
        borrow_seconds_max=SECONDS,
    ),
    unique_by=lambda option: option.type,
).map(tuple)
ITEMS = st.builds(
    Item,
    key=st.builds(
        ItemKey, st.sampled_from([5_999_999, 6_000_000, 6_000_001]), st.just(201), st.just(1)
    ),
    name=st.just("Render"),
    license_quantity=AMOUNTS,
    unit_counter=AMOUNTS,
    update_counter=st.just(1),
    options=OPTIONS,
    status=st.sampled_from(list(ItemStatus)),
    origin_serial=st.sampled_from(ORIGINS),
    borrowed_until=st.sampled_from([None, NOW + 60]),
    transfer_id=st.just("aa"),
)
POLICIES = st.builds(
    Policy,
    borrow_seconds_max=st.none() | SECONDS,
    transfer_blocked=st.booleans(),
)


def shown(item: Item, types: tuple[TransferType, ...], policy: Policy) -> Abilities:
    """What a look at this host says."""
    known = () if policy.transfer_blocked else types
    return abilities(item, known, known, policy.borrow_seconds_max)


def may_leave(
    item: Item,
    types: tuple[TransferType, ...],
    policy: Policy,
    type_: TransferType,
    mode: str = "push",
    **changes: int | None,
) -> bool:
    """Whether no rule speaks against it; the other host has told all that it has to."""
    wanted = replace(
        declare(type_, mode, item=str(item.key)),
        quantity=changes.get("quantity", 1 if type_.is_partial else None),
        until=changes.get("until", NOW + 1 if type_.is_borrow else None),
    )
    view = view_of(
        wanted,
        item,
        policy=policy,
        runtime_types=types,
        peer=PeerFacts(True, NOW, True),
        **({"history": ()} if mode != "return" else returned(item, type_)),
    )
    return not source_problems(view)


def returned(item: Item, type_: TransferType) -> dict[str, object]:
    """It came in as this type."""
    return {"history": (row(type_, item=item.key, is_arrival=True),), "parent_vendor_id": "aa"}


@given(ITEMS, TYPES, POLICIES)
def test_what_may_leave(item: Item, types: tuple[TransferType, ...], policy: Policy) -> None:
    found = {entry.type: entry for entry in shown(item, types, policy).sendings}
    for type_ in TransferType:
        assert (type_ in found) == may_leave(item, types, policy, type_)
        if type_ in found:
            check_limits(item, types, policy, found[type_])
        pulls = type_ in found and found[type_].pull
        assert pulls == may_leave(item, types, policy, type_, "pull")


def check_limits(
    item: Item, types: tuple[TransferType, ...], policy: Policy, found: Sending
) -> None:
    """AssertionError unless the most is allowed, and one more is not."""
    if found.type.is_partial:
        most = found.amount_max
        assert most is not None
        assert may_leave(item, types, policy, found.type, quantity=most)
        assert not may_leave(item, types, policy, found.type, quantity=most + 1)
    if found.type.is_borrow:
        longest = LONG if found.seconds_max is None else found.seconds_max
        assert may_leave(item, types, policy, found.type, until=NOW + longest)
        if found.seconds_max is not None:
            assert not may_leave(item, types, policy, found.type, until=NOW + longest + 1)


@given(ITEMS, TYPES, POLICIES)
def test_what_may_go_back(item: Item, types: tuple[TransferType, ...], policy: Policy) -> None:
    """As the type that it came in, which a borrow is exactly where it has an end."""
    found = shown(item, types, policy)
    assert found.return_to in ((item.origin_serial,) if found.return_types else (None,))
    for type_ in TransferType:
        if type_.is_borrow != (item.borrowed_until is not None):
            assert type_ not in found.return_types
            continue
        allowed = may_leave(item, types, policy, type_, "return", until=None)
        to_target = item.origin_serial == TARGET
        assert (type_ in found.return_types and to_target) == allowed


@given(ITEMS, TYPES, POLICIES)
def test_what_may_come_in(item: Item, types: tuple[TransferType, ...], policy: Policy) -> None:
    found = shown(item, types, policy).receivable
    for type_ in TransferType:
        wanted = replace(declare(type_, item=str(item.key)), quantity=None, until=None)
        assert (type_ in found) == (not target_problems(wanted, types, policy))


def test_what_is_said_of_an_item_in_words_and_numbers() -> None:
    """The usual one: 25 seats of which any number may be pulled, and lent for a day."""
    view: SourceView = view_of(declare())
    found = shown(view.item, tuple(TransferType), Policy(borrow_seconds_max=86_400))
    by_type = {entry.type: entry for entry in found.sendings}
    assert by_type[TransferType.LICENSES].amount_max == view.item.license_quantity
    assert by_type[TransferType.UNITS].amount_max == view.item.unit_counter
    assert by_type[TransferType.COMPLETE].amount_max is None
    assert by_type[TransferType.BORROW_LOCAL].seconds_max == 86_400
