# SPDX-License-Identifier: GPL-3.0-or-later
"""Phone systems, license keys and moves for the tests of orders, policies and quotes."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import strategies as st

from seatkeeper_agent.domain.orders import LicenseKey, Order, OrderLine, OtherOrder, PhoneSystem

ON = date(2026, 11, 22)


def day(text: str | None) -> date | None:
    """A day such as 2026-11-22; None for one that is not declared."""
    return None if text is None else date.fromisoformat(text)


def system(name: str, **values: Any) -> PhoneSystem:
    """A registered system of Studio A, on Software Assurance for a year, without stations."""
    declared = {
        "system_key": f"KEY-{name}", "owner": "Studio A", "chassis": "Max2000",
        "registered": True, "assurance_until": date(2027, 11, 22), "stations": 0, **values,
    }  # fmt: skip
    return PhoneSystem(name, **declared)


def key(
    number: int = 1, product: str = "ALTI-STATION-10", quantity: int | None = None
) -> LicenseKey:
    """A license key."""
    return LicenseKey(f"LK-{number:04}", product, quantity)


OLD, NEW = system("old"), system("new")


def order(
    *order_lines: OrderLine,
    on: date = ON,
    today: date = ON,
    beside: tuple[OtherOrder, ...] = (),
    **fields: str,
) -> Order:
    """An order; without moves, of one key from old to new."""
    return Order(
        "an order", order_lines or (OrderLine(OLD, NEW, (key(),)),), on, today, fields, beside
    )


CHASSIS = ("Max1000", "Max2000", "Max1000R", "Office", "software_only", "")
PRODUCTS = (
    "ALTI-STATION-10", "ALTI-STATION-100", "ALTI-STATION", "ALTI-ACMAGENT-05", "SSW-STATION-10",
    "ALTI-TRUNK-4",
)  # fmt: skip

days = st.dates(date(2024, 1, 1), date(2030, 12, 31))


@st.composite
def systems(draw: st.DrawFn) -> tuple[PhoneSystem, ...]:
    """Two to four systems, each declared more or less."""
    count = draw(st.integers(2, 4))
    return tuple(
        system(
            f"s{number}",
            owner=draw(st.sampled_from(("Studio A", "Studio B", ""))),
            chassis=draw(st.sampled_from(CHASSIS)),
            registered=draw(st.sampled_from((True, False, None))),
            assurance_until=draw(st.none() | days),
            stations=draw(st.none() | st.integers(0, 120)),
        )
        for number in range(count)
    )


@st.composite
def order_lines(draw: st.DrawFn) -> tuple[OrderLine, ...]:
    """One to five moves between a few systems; keys and pairs come more than once."""
    among = draw(systems())
    keys = st.builds(
        key, st.integers(1, 12), st.sampled_from(PRODUCTS), st.none() | st.integers(1, 120)
    )
    order_line = st.builds(
        OrderLine, st.sampled_from(among), st.sampled_from(among),
        st.lists(keys, min_size=1, max_size=4).map(tuple),
    )  # fmt: skip
    return tuple(draw(st.lists(order_line, min_size=1, max_size=5)))
