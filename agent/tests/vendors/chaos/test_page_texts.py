# SPDX-License-Identifier: GPL-3.0-or-later
"""How the texts of a page are read: labels as a whole, moments with their zone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatkeeper_agent.vendors.chaos.page.finding import pattern_of
from seatkeeper_agent.vendors.chaos.page.rows import moment_in


@pytest.mark.parametrize(
    ("shown", "is_it"),
    [
        ("TRANSFER", True),
        ("  Transfer\n", True),
        ("TRANSFER >>", False),
        ("TRANSFER NOW", False),
        ("NO TRANSFER", False),
    ],
)
def test_a_label_is_matched_as_a_whole(shown: str, is_it: bool) -> None:
    assert bool(pattern_of("TRANSFER").search(shown)) is is_it


@given(st.text())
def test_any_text_gives_a_moment_or_none(text: str) -> None:
    moment = moment_in(text)
    assert moment is None or isinstance(moment, int)


def test_only_a_moment_with_its_zone_counts() -> None:
    assert moment_in("until 1970-01-02 00:00 UTC (soon)") == 86_400
    assert moment_in("1970-01-02T01:00:00+01:00") == 86_400
    assert moment_in("1970-01-02T00:00:00Z") == 86_400
    for text in ("1970-01-02", "1970-01-02 00:00", "1970-13-02 00:00Z", "2.1.1970 00:00 UTC"):
        assert moment_in(text) is None
