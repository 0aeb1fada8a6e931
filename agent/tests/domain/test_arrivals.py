# SPDX-License-Identifier: GPL-3.0-or-later
"""What arrived beside what was declared: product by product, kind by kind, seat by seat."""

from __future__ import annotations

import pytest

from seatkeeper_agent.domain.arrivals import compared
from seatkeeper_agent.domain.eligibility import HeldLicense
from seatkeeper_agent.domain.servers import ProductSeats

Seats = dict[str, int]


def held(seats: Seats | None, product: str = "V-Ray", version: str = "3.6") -> HeldLicense:
    """What is declared."""
    return HeldLicense(product, version, True, seats)


def came(product: str = "V-Ray", **seats: int) -> ProductSeats:
    """What arrived."""
    return ProductSeats(product, seats)


TWO = held({"interface": 2})
TABLE: list[tuple[str, tuple[HeldLicense, ...], tuple[ProductSeats, ...], list[str], list[str]]] = [
    ("the same", (TWO,), (came(interface=2),), [], []),
    ("a kind of none", (held({"interface": 2, "render": 0}),), (came(interface=2),), [], []),
    ("nothing", (TWO,), (), ["V-Ray: declared 2 interface, arrived 0"], []),
    ("too few", (TWO,), (came(interface=1),), ["V-Ray: declared 2 interface, arrived 1"], []),
    ("too many", (TWO,), (came(interface=3),), [], ["V-Ray: declared 2 interface, arrived 3"]),
    (
        "another kind", (TWO,), (came(render=3),),
        ["V-Ray: declared 2 interface, arrived 0"], ["V-Ray: declared 0 render, arrived 3"],
    ),
    (
        "another product", (TWO,), (came("Phoenix", interface=2),),
        ["V-Ray: declared 2 interface, arrived 0"], ["Phoenix: declared 0 interface, arrived 2"],
    ),
    ("two of a product", (TWO, held({"interface": 1}, version="5")), (came(interface=3),), [], []),
    ("no numbers", (held(None),), (came(render=3),), [], []),
    ("no numbers, nothing", (held(None),), (), ["V-Ray: declared, arrived none"], []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "gained", "missing", "besides"),
    [entry[1:] for entry in TABLE],
    ids=[entry[0] for entry in TABLE],
)
def test_every_difference_is_said(
    declared: tuple[HeldLicense, ...],
    gained: tuple[ProductSeats, ...],
    missing: list[str],
    besides: list[str],
) -> None:
    found = compared(declared, gained)
    assert (list(found.missing), list(found.besides)) == (missing, besides)


def test_what_cannot_be_compared_is_said() -> None:
    """A version never; numbers where they are not declared, and then it is not complete."""
    found = compared([TWO, held(None, "Phoenix", "3.1")], [])
    assert found.is_complete is False
    assert list(found.not_compared) == [
        "V-Ray: version 3.6, of which the server shows nothing",
        "Phoenix: kinds and numbers of seats, which are not declared",
        "Phoenix: version 3.1, of which the server shows nothing",
    ]
    assert compared([TWO], []).is_complete is True
