# SPDX-License-Identifier: GPL-3.0-or-later
"""What each kind of rule looks at in an order; nothing that was not declared counts as seen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from seatkeeper_agent.domain.orders import (
    MADE_DOCUMENTS,
    LicenseKey,
    Move,
    Order,
    PhoneSystem,
    canonical_chassis,
    merged,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule looked at; ``holds`` None where something is not declared."""

    observed: str
    holds: bool | None


def assurance_active(order: Order) -> Iterator[Finding]:
    """Whether each target's Software Assurance covers the day of the order; its last day does."""
    for target in order.targets:
        until = target.assurance_until
        if until is None:
            yield Finding(f"{target.name}: the end of Software Assurance is not declared", None)
        else:
            told = f"{target.name}: Software Assurance until {until}, looked at for {order.on}"
            yield Finding(told, until >= order.on)


def registered(order: Order) -> Iterator[Finding]:
    """Whether each target is registered with the vendor."""
    words = {True: "registered", False: "not registered", None: "not declared"}
    for target in order.targets:
        yield Finding(f"{target.name}: {words[target.registered]}", target.registered)


def same_owner(order: Order) -> Iterator[Finding]:
    """Whether source and target have the same end user; case and spacing do not matter."""
    for move in merged(order.moves):
        owners = move.source.owner, move.target.owner
        if not all(owners):
            missing = move.source if not owners[0] else move.target
            yield Finding(f"{move.title}: the owner of {missing.name} is not declared", None)
        else:
            first, second = (" ".join(owner.split()).casefold() for owner in owners)
            told = owners[0] if first == second else f"{owners[0]} and {owners[1]}"
            yield Finding(f"{move.title}: owned by {told}", first == second)


def whole_keys(order: Order) -> Iterator[Finding]:
    """Whether no part of a key is asked for."""
    for move in order.moves:
        asked = [key for key in move.keys if key.quantity is not None]
        parts = [key for key in asked if key.size is not None and key.quantity != key.size]
        unclear = [key for key in asked if key.size is None]
        if parts:
            told = ", ".join(f"{key.quantity} of {key.product} ({key.key})" for key in parts)
            yield Finding(f"{move.title}: {told}", False)
        elif unclear:
            told = ", ".join(f"{key.quantity} of {key.product} ({key.key})" for key in unclear)
            yield Finding(f"{move.title}: {told}, whose name does not tell how much it holds", None)
        else:
            yield Finding(f"{move.title}: {_count(move.keys)}, whole", True)


def chassis_limit(order: Order, chassis: str, stations_max: int) -> Iterator[Finding]:
    """Whether each target of the chassis stays within its limit with what it has already."""
    for target in _with_chassis(order, chassis):
        if not target.chassis:
            yield Finding(f"{target.name}: its chassis is not declared", None)
            continue
        moves = merged(order.moves)
        there, arriving = target.stations, _stations(moves, target, lambda move: move.target)
        leaving = _stations(moves, target, lambda move: move.source)
        yield _within(target, (there, arriving, leaving), stations_max)


def different_systems(order: Order) -> Iterator[Finding]:
    """Whether each move leads to another system."""
    for move in merged(order.moves):
        same = move.source.system_key == move.target.system_key
        keys = move.source.system_key if same else f"{move.pair[0]} and {move.pair[1]}"
        yield Finding(f"{move.title}: {'one system, ' if same else ''}{keys}", not same)


def keys_unique(order: Order) -> Iterator[Finding]:
    """Whether no key is named twice, in one move or in several."""
    counts = Counter(key.key for move in order.moves for key in move.keys)
    twice = [key for key, count in counts.items() if count > 1]
    told = f"named more than once: {', '.join(twice)}" if twice else f"{len(counts)}, each once"
    yield Finding(told, not twice)


def documents(order: Order, chassis: str, names: tuple[str, ...]) -> Iterator[Finding]:
    """Whether the documents for a chassis are made here or named in fields of the order."""
    for target in _with_chassis(order, chassis):
        if not target.chassis:
            yield Finding(f"{target.name}: its chassis is not declared", None)
            continue
        missing = [name for name in names if name not in MADE_DOCUMENTS and not order.field(name)]
        told = "; ".join(f"{name} {_origin(order, name)}" for name in names)
        yield Finding(f"{target.name}: {told}", None if missing else True)


def field_required(order: Order, field: str) -> Iterator[Finding]:
    """Whether a field of the operator's is given."""
    value = order.field(field)
    yield Finding(f"{field}: {value or 'not given'}", bool(value))


def field_in(order: Order, field: str, values: tuple[str, ...]) -> Iterator[Finding]:
    """Whether a field has one of the allowed values."""
    value = order.field(field)
    yield Finding(f"{field}: {value or 'not given'}", value in values if value else None)


def field_matches(order: Order, field: str, pattern: re.Pattern[str]) -> Iterator[Finding]:
    """Whether the whole of a field matches a pattern."""
    value = order.field(field)
    holds = pattern.fullmatch(value) is not None if value else None
    yield Finding(f"{field}: {value or 'not given'}", holds)


CHECKS: dict[str, Callable[..., Iterator[Finding]]] = {
    check.__name__: check
    for check in (
        assurance_active, registered, same_owner, whole_keys, chassis_limit, different_systems,
        keys_unique, documents, field_required, field_in, field_matches,
    )
}  # fmt: skip


def _with_chassis(order: Order, chassis: str) -> Iterator[PhoneSystem]:
    """The targets with a chassis, and those that may have it because theirs is not declared."""
    wanted = canonical_chassis(chassis)
    for target in order.targets:
        if not target.chassis or canonical_chassis(target.chassis) == wanted:
            yield target


def _stations(
    moves: Iterable[Move], system: PhoneSystem, end: Callable[[Move], PhoneSystem]
) -> tuple[int, bool]:
    """The station licenses that move to or from a system, and whether that is all of them."""
    found = [
        key.stations
        for move in moves
        if end(move) == system and move.source != move.target
        for key in move.keys
    ]
    return sum(count or 0 for count in found), None not in found


def _within(
    target: PhoneSystem,
    counts: tuple[int | None, tuple[int, bool], tuple[int, bool]],
    stations_max: int,
) -> Finding:
    there, (arriving, arriving_known), (leaving, leaving_known) = counts
    # Those that leave may do so before or after the others arrive: the vendor does not tell.
    fewest_left = max((there or 0) - leaving, 0) if leaving_known else 0
    most = None if there is None or not arriving_known else there + arriving
    holds = True if most is not None and most <= stations_max else None
    if fewest_left + arriving > stations_max:
        holds = False
    told = f"{'an undeclared number' if there is None else there} there"
    told += f" and {arriving}{'' if arriving_known else ' or more'} moved to it"
    if most is not None:
        told += f", {most} in all"
    if leaving or not leaving_known:
        told += f", while {leaving}{'' if leaving_known else ' or more'} leave it"
    return Finding(f"{target.name} ({target.chassis}): {told}", holds)


def _origin(order: Order, name: str) -> str:
    if order.field(name):
        return f"is {order.field(name)}"
    return "is made with the order" if name in MADE_DOCUMENTS else "is not declared"


def _count(keys: tuple[LicenseKey, ...]) -> str:
    return f"{len(keys)} license key{'' if len(keys) == 1 else 's'}"
