# SPDX-License-Identifier: GPL-3.0-or-later
"""Dates are read as people and YAML write them, and what is none is a problem of the operator's."""

from __future__ import annotations

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import day, instant
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2027-01-31", "2027-01-31T00:00:00Z"),
        (" 2027-01-31 18:00:00+02:00\n", "2027-01-31T16:00:00Z"),
        ("2027-01-31T18:00:00z", "2027-01-31T18:00:00Z"),
    ],
)
def test_a_time_is_read_in_utc(written: str, meant: str) -> None:
    assert instant("until", written) == meant


@pytest.mark.parametrize(
    "written", ["", "tomorrow", "2027-02-30", "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"]
)
def test_what_is_no_time_is_refused_without_a_traceback(written: str) -> None:
    with pytest.raises(LicenseProblem, match="is not a date such as 2026-11-28"):
        instant("until", written)


@pytest.mark.parametrize("written", ["", "tomorrow", "2027-02-30"])
def test_what_is_no_day_is_refused(written: str) -> None:
    with pytest.raises(LicenseProblem, match="is not a day such as 2026-11-28"):
        day("date", written)
