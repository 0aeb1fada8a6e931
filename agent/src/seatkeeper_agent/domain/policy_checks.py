# SPDX-License-Identifier: GPL-3.0-or-later
"""What each kind of rule looks at in an order; nothing that was not declared counts as seen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from seatkeeper_agent.domain.orders import (
    MADE_DOCUMENTS,
    SENT_DOCUMENTS,
    LicenseKey,
    Order,
    PhoneSystem,
    canonical_chassis,
    merged,
)
from seatkeeper_agent.domain.station_limits import count_text, station_count


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule looked at; ``holds`` None where something is not declared."""

    observed: str
    holds: bool | None


def assurance_active(order: Order) -> Iterator[Finding]:
    """Whether each target's Software Assurance is active today and on the day of the order.

    Its last day is a day of it.
    """
    for target in order.targets:
        until = target.assurance_until
        if until is None:
            yield Finding(f"{target.name}: the end of Software Assurance is not declared", None)
            continue
        words = f"{target.name}: Software Assurance until {until}"
        if until < order.today:
            yield Finding(f"{words}, and today is {order.today}", False)
        elif until < order.on:
            yield Finding(f"{words}, and the order is for {order.on}", False)
        else:
            yield Finding(words, True)


def registered(order: Order) -> Iterator[Finding]:
    """Whether each target is registered with the vendor."""
    words = {True: "registered", False: "not registered", None: "not declared"}
    for target in order.targets:
        yield Finding(f"{target.name}: {words[target.registered]}", target.registered)


def same_owner(order: Order) -> Iterator[Finding]:
    """Whether source and target have the same end user; case and spacing do not matter."""
    for order_line in merged(order.order_lines):
        owners = order_line.source.owner, order_line.target.owner
        if not all(owners):
            missing = order_line.source if not owners[0] else order_line.target
            yield Finding(f"{order_line.title}: the owner of {missing.name} is not declared", None)
        else:
            first, second = (" ".join(owner.split()).casefold() for owner in owners)
            names = owners[0] if first == second else f"{owners[0]} and {owners[1]}"
            yield Finding(f"{order_line.title}: owned by {names}", first == second)


def whole_keys(order: Order) -> Iterator[Finding]:
    """Whether no part of a key is asked for."""
    for order_line in order.order_lines:
        requested = [key for key in order_line.keys if key.quantity is not None]
        parts = [key for key in requested if key.size is not None and key.quantity != key.size]
        unclear = [key for key in requested if key.size is None]
        if parts:
            yield Finding(f"{order_line.title}: {_parts(parts)}", False)
        elif unclear:
            words = f"{_parts(unclear)}, whose name does not tell how much it holds"
            yield Finding(f"{order_line.title}: {words}", None)
        else:
            yield Finding(f"{order_line.title}: {_count(order_line.keys)}, whole", True)


def chassis_limit(order: Order, chassis: str, stations_max: int) -> Iterator[Finding]:
    """Whether each target of the chassis stays within its limit, with all other orders as well."""
    for target in _with_chassis(order, chassis):
        if not target.chassis:
            yield Finding(f"{target.name}: its chassis is not declared", None)
            continue
        count = station_count(order, target)
        words = f"{target.name} ({target.chassis}): {count_text(count, target)}"
        yield Finding(words, count.within(stations_max))


def different_systems(order: Order) -> Iterator[Finding]:
    """Whether each move leads to another system."""
    for order_line in merged(order.order_lines):
        same = order_line.source.system_key == order_line.target.system_key
        keys = (
            order_line.source.system_key
            if same
            else f"{order_line.pair[0]} and {order_line.pair[1]}"
        )
        yield Finding(f"{order_line.title}: {'one system, ' if same else ''}{keys}", not same)


def keys_unique(order: Order) -> Iterator[Finding]:
    """Whether no key is named twice: in this order, in another, or where it moved away from."""
    counts = Counter(key.key for order_line in order.order_lines for key in order_line.keys)
    twice = [key for key, count in counts.items() if count > 1]
    words = [f"named more than once: {', '.join(twice)}"] if twice else []
    words += [f"{key} {elsewhere}" for key, elsewhere in _elsewhere(order).items()]
    yield Finding("; ".join(words) or f"{len(counts)}, each once", not words)


def documents(order: Order, chassis: str, names: tuple[str, ...]) -> Iterator[Finding]:
    """Whether the documents for a chassis are made, sent in a step, or named in a field."""
    for target in _with_chassis(order, chassis):
        if not target.chassis:
            yield Finding(f"{target.name}: its chassis is not declared", None)
            continue
        had = MADE_DOCUMENTS | SENT_DOCUMENTS
        missing = [name for name in names if name not in had and not order.field(name)]
        words = "; ".join(f"{name} {_origin(order, name)}" for name in names)
        yield Finding(f"{target.name}: {words}", None if missing else True)


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


def _origin(order: Order, name: str) -> str:
    if order.field(name):
        return f"is {order.field(name)}"
    if name in SENT_DOCUMENTS:
        return "is sent in a step of its own"
    return "is made with the order" if name in MADE_DOCUMENTS else "is not declared"


def _elsewhere(order: Order) -> dict[str, str]:
    """Which of the order's keys another order has, or has moved away from the order's source."""
    found = {}
    for order_line in order.order_lines:
        for key in order_line.keys:
            reason = _reason_elsewhere(order, order_line.source, key)
            if reason is not None:
                found[key.key] = reason
    return found


def _reason_elsewhere(order: Order, source: PhoneSystem, key: LicenseKey) -> str | None:
    named = [other for other in order.beside if key.key in {k.key for k in other.order_line.keys}]
    still = [other.name for other in named if other.ended_on is None]
    if still:
        return f"is in the order {still[0]!r} as well"
    # Where a key went last is where it is.
    if named and named[-1].order_line.target.system_key != source.system_key:
        return f"went to {named[-1].order_line.target.name} with the order {named[-1].name!r}"
    return None


def _parts(keys: list[LicenseKey]) -> str:
    return ", ".join(f"{key.quantity} of {key.product} ({key.key})" for key in keys)


def _count(keys: tuple[LicenseKey, ...]) -> str:
    return f"{len(keys)} license key{'' if len(keys) == 1 else 's'}"
