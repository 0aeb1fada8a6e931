# SPDX-License-Identifier: GPL-3.0-or-later
"""How many station licenses a phone system has once everything that is ordered has moved.

Only a count with its day tells which orders it holds already: one that ended later comes on top,
one that ended earlier is part of it, and one of that very day, or beside a count without a day,
may be either. So there is a least and a most, and only what both agree on is a yes or a no.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from seatkeeper_agent.domain.orders import Order, OrderLine, OtherOrder, PhoneSystem, merged


@dataclass(frozen=True, slots=True)
class Flow:
    """Station licenses that one order brings to a system, or takes from it.

    ``stations`` None where a product's name does not tell all of them, ``known`` is the part that
    is told. ``certain`` False where the declared count may hold them already, ``ended`` where the
    order is done.
    """

    order: str | None
    known: int
    stations: int | None
    certain: bool = True
    ended: bool = False


@dataclass(frozen=True, slots=True)
class StationCount:
    """What is there, what comes and what goes; the order's own flows have no name."""

    there: int | None
    arriving: tuple[Flow, ...]
    leaving: tuple[Flow, ...]

    @property
    def least(self) -> int:
        """So many at least, when everything that may leave has left first."""
        all_known = all(flow.stations is not None for flow in self.leaving)
        may_leave = sum(flow.known for flow in self.leaving)
        left = max((self.there or 0) - may_leave, 0) if all_known else 0
        return left + sum(flow.known for flow in self.arriving if flow.certain)

    @property
    def most(self) -> int | None:
        """So many at most, when everything arrives before anything leaves; None if not known."""
        if self.there is None or any(flow.stations is None for flow in self.arriving):
            return None
        has_left = sum(flow.known for flow in self.leaving if flow.ended and flow.certain)
        return max(self.there - has_left, 0) + sum(flow.known for flow in self.arriving)

    def within(self, stations_max: int) -> bool | None:
        """Whether the limit holds; None where that is not known."""
        if self.least > stations_max:
            return False
        return True if self.most is not None and self.most <= stations_max else None


def station_count(order: Order, system: PhoneSystem) -> StationCount:
    """The order's own moves and all other orders, at one of its systems."""
    return StationCount(
        system.stations,
        tuple(_flows(order, system, arriving=True)),
        tuple(_flows(order, system, arriving=False)),
    )


def _flows(order: Order, system: PhoneSystem, arriving: bool) -> Iterator[Flow]:
    own = [
        order_line
        for order_line in merged(order.order_lines)
        if _leads(order_line, system, arriving)
    ]
    if own:
        yield _flow(None, own)
    for other in order.beside:
        if not _leads(other.order_line, system, arriving) or _is_counted(other, system):
            continue
        ended = other.ended_on is not None
        yield _flow(other.name, [other.order_line], _is_certain(other, system), ended)


def _leads(order_line: OrderLine, system: PhoneSystem, arriving: bool) -> bool:
    end = order_line.target if arriving else order_line.source
    return end.system_key == system.system_key and order_line.pair[0] != order_line.pair[1]


def _is_counted(other: OtherOrder, system: PhoneSystem) -> bool:
    """Whether the declared count holds what the order moved."""
    return (
        other.ended_on is not None
        and system.stations_as_of is not None
        and other.ended_on < system.stations_as_of
    )


def _is_certain(other: OtherOrder, system: PhoneSystem) -> bool:
    if other.ended_on is None:
        return True
    return system.stations_as_of is not None and other.ended_on > system.stations_as_of


def _flow(
    name: str | None, order_lines: list[OrderLine], certain: bool = True, ended: bool = False
) -> Flow:
    found = [key.stations for order_line in order_lines for key in order_line.keys]
    known = sum(count or 0 for count in found)
    return Flow(name, known, None if None in found else known, certain, ended)


def count_text(count: StationCount, system: PhoneSystem) -> str:
    """The count in words, with every order and the sum."""
    there = "an undeclared number" if count.there is None else str(count.there)
    of = f" on {system.stations_as_of}" if system.stations_as_of else ""
    words = f"{there} there{of} and {_listed(count.arriving)} moved to it"
    if count.most is not None:
        words += f", {count.most} in all"
    if count.leaving:
        words += f", while {_listed(count.leaving)} leave it"
    return words


def _listed(flows: tuple[Flow, ...]) -> str:
    return " and ".join(map(_amount, flows)) or "0"


def _amount(flow: Flow) -> str:
    amount = f"{flow.known}{' or more' if flow.stations is None else ''}"
    if flow.order is None:
        return amount
    maybe = "" if flow.certain else ", unless they are counted already,"
    return f"{amount} of the order {flow.order!r}{maybe}"
