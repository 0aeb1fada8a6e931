# SPDX-License-Identifier: GPL-3.0-or-later
"""The records have the documented sizes and offsets, and times survive both ways."""

from __future__ import annotations

from ctypes import sizeof

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatkeeper_agent.vendors.codemeter import records

DOCUMENTED_SIZES = {
    records.CMTIME: 16,
    records.CMLTHISTORY: 104,
    records.CMLTTRANSFEROPTIONS: 320,
    records.CMLTREQUEST: 256,
    records.CMLTTRANSFER: 264,
    records.CMBOXENTRY2: 1024,
}


@pytest.mark.parametrize(("record", "size"), DOCUMENTED_SIZES.items())
def test_documented_sizes(record: type, size: int) -> None:
    assert sizeof(record) == size


@pytest.mark.parametrize(
    ("field", "offset"),
    [
        ("native_options", 632),
        ("dependencies", 796),
        ("module_reference", 818),
        ("product_item_reference", 820),
        ("transfer_serial", 824),
        ("transfer_borrow_expiration", 828),
        ("transfer_id", 844),
    ],
)
def test_documented_offsets_of_an_entry(field: str, offset: int) -> None:
    assert getattr(records.CMBOXENTRY2, field).offset == offset


def test_a_different_layout_ends_the_import() -> None:
    with pytest.raises(ImportError, match="CMTIME has 16 bytes, not 17"):
        records.check_layout({records.CMTIME: 17}, {})
    with pytest.raises(ImportError, match=r"CMBOXENTRY2.transfer_id is at 844, not 840"):
        records.check_layout({}, {"transfer_id": 840})


@given(st.integers(records.EPOCH_2000 + 1, records.EPOCH_2000 + 2**32 - 1))
def test_a_time_is_the_same_in_its_fields_and_in_its_counter(seconds: int) -> None:
    moment = records.CMTIME.from_epoch(seconds)
    assert moment.to_epoch() == seconds
    moment.since_2000 = 0
    assert moment.to_epoch() == seconds


def test_no_time_is_all_zero() -> None:
    assert bytes(records.CMTIME.from_epoch(None)) == bytes(16)
    assert records.CMTIME().to_epoch() is None
