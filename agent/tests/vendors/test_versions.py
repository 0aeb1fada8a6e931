# SPDX-License-Identifier: GPL-3.0-or-later
"""What versions and masks mean, and what the driver does with numbers it does not know."""

from __future__ import annotations

import pytest

from seatkeeper_agent.domain.licenses import HistoryStatus, TransferType
from seatkeeper_agent.operations.ports import DriverUnsupported
from seatkeeper_agent.vendors.codemeter.messages import Entry, History, Option
from seatkeeper_agent.vendors.codemeter.serials import kind_of
from seatkeeper_agent.vendors.codemeter.translate import history_row_of, item_of, options_of
from seatkeeper_agent.vendors.codemeter.versions import (
    Version,
    runtime_types,
    security_floor_met,
    transfer_refusal,
)


@pytest.mark.parametrize(
    ("version", "met"),
    [
        ((6, 10, 0), False),
        ((8, 40, 9999), False),
        ((8, 41, 1), None),
        ((8, 42, 0), True),
        ((9, 0, 0), False),
        ((9, 9, 0), False),
        ((9, 10, 0), True),
        ((10, 0, 0), True),
    ],
)
def test_the_security_floor(version: tuple[int, int, int], met: bool | None) -> None:
    assert security_floor_met(Version(*version)) is met


def test_the_number_of_a_version() -> None:
    assert str(Version.from_number(8 << 24 | 41 << 16 | 5901)) == "8.41.5901"
    assert len(runtime_types(Version(7, 51, 0))) == 2
    assert set(runtime_types(Version(8, 0, 0))) == set(TransferType)


@pytest.mark.parametrize(
    ("mask", "firmware", "version", "sends", "borrows", "receives"),
    [
        (130, (1, 18), (6, 10, 0), True, True, True),
        (128, (1, 18), (9, 10, 0), False, False, False),
        (140, (1, 0), (9, 10, 0), False, False, False),
        (3, (3, 10), (6, 10, 0), False, False, False),
        (3, (3, 0), (6, 20, 0), False, True, False),
        (3, (3, 10), (9, 10, 0), True, True, True),
        (1, (2, 6), (9, 10, 0), False, False, False),
    ],
)
def test_which_containers_take_part(
    mask: int,
    firmware: tuple[int, int],
    version: tuple[int, int, int],
    sends: bool,
    borrows: bool,
    receives: bool,
) -> None:
    """What a container may receive depends on the type, what it may send does not."""
    found = Version(*version)
    for type_ in TransferType:
        sent = transfer_refusal(mask, firmware, found, type_, sends=True)
        received = transfer_refusal(mask, firmware, found, type_, sends=False)
        assert (sent is None) == sends
        assert (received is None) == (borrows if type_.is_borrow else receives)


def test_masks() -> None:
    kinds = [kind_of(mask) for mask in (1, 3, 127, 130, 131, 140, 9)]
    assert kinds == [
        "dongle",
        "dongle",
        "cmact_license_old_firm_codes",
        "cmact_license",
        "redundant_virtual_container",
        "cmcloud",
        "unknown",
    ]


def history(status: int, type_: int = 3, confirmed: str = "") -> History:
    return History(1, status, type_, 5, 0, 2, 0, None, "aa", confirmed, 130, 7, 3)


ENTRY = Entry(6000010, 1, 1, 0, 1, 1, "", 0, 0, 0, None, 1, 0, 0, None, "")


def test_statuses_of_the_history() -> None:
    shown = [history_row_of(ENTRY, history(number)).status for number in range(5)]
    assert shown == [
        HistoryStatus.CREATED,
        HistoryStatus.IN_TRANSIT_PUSH,
        HistoryStatus.IN_TRANSIT_RETURN,
        HistoryStatus.IN_TRANSIT_PULL,
        HistoryStatus.TRANSFERRED,
    ]
    receipted = history_row_of(ENTRY, history(4, confirmed="aa"))
    assert receipted.status is HistoryStatus.TRANSFERRED_AND_RECEIPTED
    assert [history_row_of(ENTRY, history(4, type_)).type for type_ in (1, 6, 7, 9)] == [
        "complete",
        "merge_units",
        "merge_licenses",
        "type 9",
    ]


def test_numbers_that_the_interface_does_not_name_are_not_guessed() -> None:
    with pytest.raises(DriverUnsupported, match="has the status 5"):
        history_row_of(ENTRY, history(5))
    entry = ENTRY._replace(status=7)
    with pytest.raises(DriverUnsupported, match="has the transfer status 7"):
        item_of(entry, ())
    assert options_of([Option(0, 9, 0, 1)]) == ()
