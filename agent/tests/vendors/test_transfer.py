# SPDX-License-Identifier: GPL-3.0-or-later
"""The legs of a transfer through the driver, and what it says when one of them goes wrong."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from seatkeeper_agent.domain.licenses import HistoryStatus, Item, ItemKey, ItemStatus, TransferType
from seatkeeper_agent.domain.transfers import Mode
from seatkeeper_agent.operations.ports import (
    DriverPending,
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
    DriverUnsupported,
    TransferCommand,
)
from seatkeeper_agent.vendors.codemeter.driver import CodeMeterDriver

from .conftest import (
    BORROWED,
    DONGLE,
    FIRM,
    SEATS,
    SOURCE,
    TARGET,
    UNITS,
    WHOLE,
    Twin,
)

WEEK_SECONDS = 7 * 24 * 3600


def one(driver: CodeMeterDriver, serial: str, product_code: int) -> Item:
    (found,) = driver.items(serial, ItemKey(FIRM, product_code))
    return found


def command(
    type_: TransferType,
    quantity: int | None = None,
    mode: Mode = Mode.PUSH,
    until: int | None = None,
) -> TransferCommand:
    return TransferCommand(type_, mode, quantity, until)


def send(
    driver: CodeMeterDriver,
    product_code: int,
    wanted: TransferCommand,
    source: str = SOURCE,
    target: str = TARGET,
) -> bytes:
    """The first two legs."""
    request = driver.create_request(target, FIRM, wanted.mode)
    return driver.do_transfer(source, one(driver, source, product_code), wanted, request)


def receive(
    driver: CodeMeterDriver, update: bytes, source: str = SOURCE, target: str = TARGET
) -> None:
    """The legs after them."""
    driver.import_update(target, update)
    driver.confirm_transfer(source, driver.create_receipt(target, FIRM))


def statuses(driver: CodeMeterDriver, serial: str, product_code: int) -> list[HistoryStatus]:
    return [row.status for row in driver.history(serial, FIRM, product_code)]


def test_licenses_are_pushed_and_receipted(driver: CodeMeterDriver) -> None:
    update = send(driver, SEATS, command(TransferType.LICENSES, 10))
    assert one(driver, SOURCE, SEATS).seats == 15
    assert statuses(driver, SOURCE, SEATS) == [HistoryStatus.IN_TRANSIT_PUSH]
    driver.import_update(TARGET, update)
    arrived = one(driver, TARGET, SEATS)
    assert (arrived.seats, arrived.origin_serial) == (10, SOURCE)
    receipt = driver.create_receipt(TARGET, FIRM)
    assert statuses(driver, SOURCE, SEATS) == [HistoryStatus.IN_TRANSIT_PUSH]
    driver.confirm_transfer(SOURCE, receipt)
    assert statuses(driver, SOURCE, SEATS) == [HistoryStatus.TRANSFERRED_AND_RECEIPTED]
    assert statuses(driver, TARGET, SEATS) == [HistoryStatus.TRANSFERRED_AND_RECEIPTED]
    sent = driver.history(SOURCE, FIRM, SEATS)[0]
    assert (sent.type, sent.license_quantity, sent.container) == ("licenses", 10, TARGET)
    assert sent.transfer_id == arrived.transfer_id


def test_licenses_are_returned_to_their_origin(driver: CodeMeterDriver) -> None:
    receive(driver, send(driver, SEATS, command(TransferType.LICENSES, 10)))
    back = command(TransferType.LICENSES, 4, Mode.RETURN)
    update = send(driver, SEATS, back, source=TARGET, target=SOURCE)
    assert HistoryStatus.IN_TRANSIT_RETURN in statuses(driver, TARGET, SEATS)
    receive(driver, update, source=TARGET, target=SOURCE)
    assert one(driver, SOURCE, SEATS).seats == 19
    assert one(driver, TARGET, SEATS).seats == 6


def test_licenses_are_pulled(driver: CodeMeterDriver) -> None:
    update = send(driver, SEATS, command(TransferType.LICENSES, 3, Mode.PULL))
    assert statuses(driver, SOURCE, SEATS) == [HistoryStatus.IN_TRANSIT_PULL]
    receive(driver, update)
    assert one(driver, TARGET, SEATS).seats == 3


def test_units_are_split_and_an_item_moves_complete(driver: CodeMeterDriver) -> None:
    receive(driver, send(driver, UNITS, command(TransferType.UNITS, 400)))
    assert one(driver, SOURCE, UNITS).units == 600
    assert one(driver, TARGET, UNITS).units == 400
    receive(driver, send(driver, WHOLE, command(TransferType.COMPLETE)))
    assert one(driver, TARGET, WHOLE).seats == 1
    left = one(driver, SOURCE, WHOLE)
    assert (left.status, left.seats) == (ItemStatus.DELETED, 0)
    assert statuses(driver, SOURCE, WHOLE) == [HistoryStatus.TRANSFERRED_AND_RECEIPTED]


def test_a_borrow_ends_when_asked_and_can_be_extended(driver: CodeMeterDriver) -> None:
    until = int(time.time()) + WEEK_SECONDS
    receive(driver, send(driver, BORROWED, command(TransferType.BORROW_LOCAL, until=until)))
    lent = one(driver, TARGET, BORROWED)
    assert (lent.seats, lent.borrowed_until, lent.local_only) == (1, until, True)
    assert driver.history(SOURCE, FIRM, BORROWED)[0].borrow_expires_at == until
    longer = command(TransferType.BORROW_LOCAL, mode=Mode.EXTEND, until=until + WEEK_SECONDS)
    receive(driver, send(driver, BORROWED, longer))
    assert one(driver, TARGET, BORROWED).borrowed_until == until + WEEK_SECONDS
    early = command(TransferType.BORROW_LOCAL, mode=Mode.RETURN)
    receive(driver, send(driver, BORROWED, early, TARGET, SOURCE), TARGET, SOURCE)
    assert one(driver, SOURCE, BORROWED).seats == 5


def test_the_vendors_refusals_come_with_their_numbers(driver: CodeMeterDriver) -> None:
    with pytest.raises(DriverRefused, match="Error 212") as too_many:
        send(driver, SEATS, command(TransferType.LICENSES, 26))
    assert too_many.value.number == 212
    with pytest.raises(DriverRefused, match="Error 211"):
        driver.import_update(TARGET, b"not an update")
    update = send(driver, SEATS, command(TransferType.LICENSES, 1))
    driver.import_update(TARGET, update)
    with pytest.raises(DriverRefused) as again:
        driver.import_update(TARGET, update)
    assert again.value.number == 229


@pytest.mark.parametrize(
    ("wanted", "request_bytes", "error", "reported"),
    [
        (command(TransferType.LICENSES), b"r", DriverRefused, "needs a quantity"),
        (command(TransferType.LICENSES, -1), b"r", DriverRefused, "outside of"),
        (command(TransferType.LICENSES, 2**32), b"r", DriverRefused, "outside of"),
        (command(TransferType.BORROW_LOCAL, until=2**40), b"r", DriverRefused, "runtime can hold"),
        (command(TransferType.LICENSES, 1), b"", DriverRefused, "0 bytes"),
        (command(TransferType.LICENSES, 1), bytes(300_000), DriverRefused, "300000 bytes"),
    ],
)
def test_what_the_runtime_cannot_hold_is_refused_before_it_is_asked(
    reader: CodeMeterDriver,
    wanted: TransferCommand,
    request_bytes: bytes,
    error: type[Exception],
    reported: str,
) -> None:
    item = one(reader, SOURCE, SEATS)
    with pytest.raises(error, match=reported):
        reader.do_transfer(SOURCE, item, wanted, request_bytes)


def test_containers_that_take_no_part_are_refused_before_they_are_touched(
    reader: CodeMeterDriver,
) -> None:
    for serial, sends in ((SOURCE, True), (TARGET, False)):
        reader.require_transfer(serial, TransferType.LICENSES, sends)
    with pytest.raises(DriverUnsupported, match=r"firmware 2.09 is older than 3.10"):
        reader.require_transfer(DONGLE, TransferType.LICENSES, sends=True)
    with pytest.raises(DriverUnsupported, match=r"firmware 2.09 is older than 3.00"):
        reader.require_transfer(DONGLE, TransferType.BORROW_LOCAL, sends=False)
    with pytest.raises(DriverRefused, match="There is no container 130-7"):
        reader.require_transfer("130-7", TransferType.LICENSES, sends=True)


LEGS: dict[str, Callable[[CodeMeterDriver, bytes], object]] = {
    "debit": lambda driver, _: send(driver, SEATS, command(TransferType.LICENSES, 10)),
    "import": lambda driver, update: driver.import_update(TARGET, update),
    "confirm": receive,
}


@pytest.mark.parametrize("leg", LEGS)
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_server_that_dies_in_an_effect_leaves_it_open(twin: Twin, leg: str, side: str) -> None:
    driver = twin.driver()
    update = b"" if leg == "debit" else send(driver, SEATS, command(TransferType.LICENSES, 10))
    twin.fault(f"{leg}.{side}", "die")
    with pytest.raises(DriverUnfinished, match="Error 100"):
        LEGS[leg](driver, update)
    twin.process.kill()
    twin.start()
    seats = one(driver, SOURCE, SEATS).seats
    assert seats == (25 if (leg, side) == ("debit", "before") else 15)


def test_a_lost_answer_leaves_the_effect_open(twin: Twin) -> None:
    driver = twin.driver()
    twin.fault("debit.after", "lose")
    with pytest.raises(DriverUnfinished, match="Error 100"):
        send(driver, SEATS, command(TransferType.LICENSES, 10))
    assert one(driver, SOURCE, SEATS).seats == 15


def test_pending_is_waited_for_in_reads_and_told_for_effects(twin: Twin) -> None:
    driver = twin.driver()
    twin.fault("context.before", "pending", times=3)
    assert driver.create_request(TARGET, FIRM, Mode.PUSH)
    item = one(driver, SOURCE, SEATS)
    request = driver.create_request(TARGET, FIRM, Mode.PUSH)
    twin.fault("debit.before", "pending")
    with pytest.raises(DriverPending, match="Error 235"):
        driver.do_transfer(SOURCE, item, command(TransferType.LICENSES, 10), request)
    assert one(driver, SOURCE, SEATS).seats == 25
    assert driver.do_transfer(SOURCE, item, command(TransferType.LICENSES, 10), request)


def test_pending_is_waited_for_no_longer_than_a_call_may_take(twin: Twin) -> None:
    driver = twin.driver(call_seconds_max=0.5)
    twin.fault("context.before", "pending", times=1000)
    started = time.monotonic()
    with pytest.raises(DriverPending):
        driver.create_request(TARGET, FIRM, Mode.PUSH)
    assert time.monotonic() - started < 30


def test_an_effect_that_takes_too_long_is_left_open(twin: Twin) -> None:
    driver = twin.driver()
    item = one(driver, SOURCE, SEATS)
    request = driver.create_request(TARGET, FIRM, Mode.PUSH)
    hasty = twin.driver()
    hasty.containers()
    # Its process has started by now, which may take longer on a busy machine.
    hasty._library._call_seconds_max = 0.5
    twin.fault("debit.before", "slow", value=1500)
    with pytest.raises(DriverUnfinished, match=r"did not answer do_transfer within 0.5 seconds"):
        hasty.do_transfer(SOURCE, item, command(TransferType.LICENSES, 10), request)
    assert one(driver, SOURCE, SEATS).seats == 15


def test_a_server_that_is_down_was_not_reached_by_an_effect(twin: Twin) -> None:
    driver = twin.driver()
    update = send(driver, SEATS, command(TransferType.LICENSES, 10))
    twin.stop()
    with pytest.raises(DriverUnavailable, match="Error 110"):
        driver.import_update(TARGET, update)


def test_what_a_container_can_move_is_what_is_let_pass(reader: CodeMeterDriver) -> None:
    containers = reader.containers()
    movable = reader.movable_types(containers)
    assert set(movable) == {container.serial for container in containers}
    for serial, types in movable.items():
        for sends, able in ((True, types.sent), (False, types.received)):
            assert able == tuple(t for t in TransferType if lets_pass(reader, serial, t, sends))
    assert movable[DONGLE].sent != movable[SOURCE].sent, "the dongle's firmware is too old to send"


def lets_pass(driver: CodeMeterDriver, serial: str, type_: TransferType, sends: bool) -> bool:
    """Whether the driver has nothing against it."""
    try:
        driver.require_transfer(serial, type_, sends)
    except DriverUnsupported:
        return False
    return True
