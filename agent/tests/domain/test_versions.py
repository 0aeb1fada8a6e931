# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions are compared by their numbers; what cannot be told stays unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatkeeper_agent.domain.versions import at_least, numbers_of

PARTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("version", "least", "expected"),
    [
        ("4.5.0", "4.5.0", True),
        ("4.5", "4.5.0", True),
        ("4.4.9", "4.5.0", False),
        ("4.10", "4.5.0", True),
        ("10", "9.99", True),
        ("6.00", "6.00", True),
        ("6", "6.00", True),
        ("6.0", "6.00.0", True),
        ("5.99", "6.00", False),
        ("6.01", "6.00", True),
        ("4.5.0.1", "4.5.0", True),
        ("v4.5.0", "4.5.0", True),
        ("WibuKey 6.40 (Linux)", "6.00", True),
        ("6.0.1-rc2", "6.0.1", True),
        ("5.5.5b", "5.5.5", True),
        ("04.05.00", "4.5.0", True),
        ("0", "4.5.0", False),
        (None, "4.5.0", None),
        ("", "4.5.0", None),
        ("unknown", "4.5.0", None),
        ("...", "4.5.0", None),
    ],
)
def test_by_hand(version: str | None, least: str, expected: bool | None) -> None:
    assert at_least(version, least) is expected


@given(PARTS, PARTS)
def test_as_lists_of_numbers_are_compared(first: list[int], second: list[int]) -> None:
    """Missing numbers at the end count as zero."""
    length = max(len(first), len(second))
    padded = [[*parts, *[0] * (length - len(parts))] for parts in (first, second)]
    assert at_least(text_of(first), text_of(second)) is (padded[0] >= padded[1])


@given(PARTS, st.integers(0, 3))
def test_zeros_at_the_end_mean_nothing(parts: list[int], zeros: int) -> None:
    longer = [*parts, *[0] * zeros][:8]
    assert numbers_of(text_of(parts)) == numbers_of(text_of(longer))


@given(st.text(max_size=300))
def test_any_text_is_read_or_is_none(text: str) -> None:
    """Nothing that a product prints stops the agent."""
    numbers = numbers_of(text)
    assert numbers is None or (0 < len(numbers) <= 8 and all(number >= 0 for number in numbers))
    assert at_least(text, "4.5.0") is (None if numbers is None else numbers >= (4, 5))


def text_of(parts: list[int]) -> str:
    """As vendors write it."""
    return ".".join(map(str, parts))
