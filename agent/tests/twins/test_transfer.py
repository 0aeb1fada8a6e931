# SPDX-License-Identifier: GPL-3.0-or-later
"""All five types, pushed, pulled and returned, through the library."""

from __future__ import annotations

import time
from typing import Any

import pytest

from .client import (
    BORROW_COMPLETE,
    BORROW_LOCAL,
    COMPLETE,
    FIRM,
    INITPULL,
    LICENSES,
    PULL,
    PUSH,
    RENEW,
    RETURN,
    UNITS,
    VendorError,
)
from .conftest import ITEMS, SOURCE, TARGET, Host, item, option

DAY = 86_400
IN_PUSH, IN_RETURN, ACTIVE = 1, 2, 4


def move(
    sender: Host, receiver: Host, product_code: int, kind: int, flags: int = PUSH,
    reference: int = 0, **amount: Any,
) -> bytes:  # fmt: skip
    """A whole transfer with its receipt; gives back the update."""
    at_receiver = receiver.client.open(receiver.serial)
    request = receiver.client.request(at_receiver, INITPULL if flags == PULL else flags)
    at_sender = sender.client.open(sender.serial, product_code, reference)
    update = sender.client.transfer(at_sender, request, kind, flags, **amount)
    receiver.client.install(at_receiver, update)
    sender.client.confirm(at_sender, receiver.client.receipt(at_receiver))
    return update


def received(host: Host, product_code: int) -> dict[str, Any]:
    """The newest item of a product that came from elsewhere."""
    found = [i for i in host.items() if i["product_code"] == product_code and i["origin"]]
    return found[-1]


def test_ten_of_twenty_five_licenses_move_and_are_receipted(source: Host, target: Host) -> None:
    """The main job: a separate item at the target, one level less, and rows on both sides."""
    at_target = target.client.open(TARGET)
    request = target.client.request(at_target)
    at_source = source.client.open(SOURCE, 201)
    update = source.client.transfer(at_source, request, LICENSES, licenses=10)
    (row,) = source.client.history(SOURCE, 201)
    assert (row.index, row.status, row.type, row.licenses) == (1, IN_PUSH, LICENSES, 10)
    assert (row.mask, row.serial, row.update_counter) == (130, 1000000002, 1)
    assert not any(row.confirmed_id)
    target.client.install(at_target, update)
    (arrived,) = target.client.history(TARGET, 201)
    assert (arrived.status, arrived.licenses, any(arrived.confirmed_id)) == (ACTIVE, 10, False)
    source.client.confirm(at_source, target.client.receipt(at_target))
    for host in (source, target):
        (row,) = host.client.history(host.serial, 201)
        assert row.status == ACTIVE
        assert bytes(row.confirmed_id) == bytes(row.transfer_id) != bytes(10)
    (entry,) = target.client.entries(TARGET)
    assert (entry.licenses, entry.origin_mask, entry.origin_serial) == (10, 130, 1000000001)
    assert bytes(entry.transfer_id) == bytes(row.transfer_id)
    assert [found.depth for found in target.client.options(TARGET, 201)] == [1, 1]
    assert source.client.entries(SOURCE)[0].licenses == 15


def test_asking_for_the_size_has_no_effect(source: Host, target: Host) -> None:
    """A null buffer gives the size of the update and leaves everything as it was."""
    request = target.client.request(target.client.open(TARGET))
    before = source.ask("describe")["containers"]
    handle = source.client.open(SOURCE, 201)
    size = len(source.client.transfer(handle, request, LICENSES, licenses=5, measure=True))
    assert source.ask("describe")["containers"] == before
    assert len(source.client.transfer(handle, request, LICENSES, licenses=5)) == size


def test_same_request_same_update_and_an_update_imports_once(source: Host, target: Host) -> None:
    """Repeating is safe on both sides; another amount for a used request is refused."""
    at_target = target.client.open(TARGET)
    request = target.client.request(at_target)
    handle = source.client.open(SOURCE, 201)
    update = source.client.transfer(handle, request, LICENSES, licenses=5)
    assert source.client.transfer(handle, request, LICENSES, licenses=5) == update
    with pytest.raises(VendorError, match="Error 233"):
        source.client.transfer(handle, request, LICENSES, licenses=6)
    target.client.install(at_target, update)
    with pytest.raises(VendorError, match="Error 229"):
        target.client.install(at_target, update)
    receipts = [target.client.receipt(at_target) for _ in range(2)]
    for receipt in receipts:
        source.client.confirm(handle, receipt)
    assert (source.held(201), target.held(201)) == (20, 5)


def test_a_complete_move_leaves_a_deleted_entry_until_cleanup(source: Host, target: Host) -> None:
    """The history stays readable by the entry's reference, then CmLtCleanup removes it."""
    move(source, target, 202, COMPLETE)
    (entry,) = [e for e in source.client.entries(SOURCE) if e.product_code == 202]
    assert (entry.status, entry.licenses) == (3, 0)
    assert len(source.client.history(SOURCE, 202, entry.reference)) == 1
    with pytest.raises(VendorError, match="Error 200"):
        source.client.open(SOURCE, 202)
    assert target.held(202) == 4
    assert source.client.library.CmLtCleanup(source.client.open(SOURCE), 1) == 1
    assert 202 not in {e.product_code for e in source.client.entries(SOURCE)}


def test_a_complete_move_returns_into_its_entry(source: Host, target: Host) -> None:
    """What went whole comes back whole."""
    move(source, target, 202, COMPLETE)
    move(target, source, 202, COMPLETE, RETURN)
    assert (source.held(202), target.held(202)) == (4, 0)
    assert [row.type for row in source.client.history(SOURCE, 202)] == [COMPLETE, COMPLETE]


def test_units_split_and_part_returns(source: Host, target: Host) -> None:
    """A return merges at the origin: type 6, its own transfer id, returned quantity counted."""
    move(source, target, 203, UNITS, units=400)
    move(target, source, 203, UNITS, RETURN, units=150)
    assert (source.held(203, "unit_counter"), target.held(203, "unit_counter")) == (750, 250)
    sent, merged = source.client.history(SOURCE, 203)
    assert (sent.type, sent.units, sent.returned) == (UNITS, 400, 150)
    assert (merged.type, merged.units, merged.status) == (6, 150, ACTIVE)
    assert bytes(merged.transfer_id) != bytes(sent.transfer_id)


def test_a_pull_begins_at_the_receiver(source: Host, target: Host) -> None:
    """INITPULL gives the request, and the row says so."""
    at_target = target.client.open(TARGET)
    request = target.client.request(at_target, INITPULL)
    handle = source.client.open(SOURCE, 201)
    source.client.transfer(handle, request, LICENSES, PULL, licenses=2)
    assert source.client.history(SOURCE, 201)[0].status == 3


def test_a_local_borrow_is_one_seat_and_falls_back_by_itself(source: Host, target: Host) -> None:
    """At its end the holder's item stops and the origin has the seat, once."""
    end = int(time.time()) + 7 * DAY
    move(source, target, 201, BORROW_LOCAL, end=end)
    (entry,) = target.client.entries(TARGET)
    assert (entry.licenses, entry.quantity_flags & 0x400, entry.status) == (1, 0x400, 1)
    assert entry.borrow_end.since_2000 == end - 946_684_800
    assert source.client.history(SOURCE, 201)[0].licenses == 0
    assert source.held(201) == 24
    for host in (source, target):
        host.ask("_twin.set", clock_offset_seconds=8 * DAY)
    assert (source.held(201), target.held(201)) == (25, 0)
    assert target.client.entries(TARGET)[0].status == 2


def test_an_early_return_credits_once(source: Host, target: Host) -> None:
    """Neither the later expiry nor a return that arrives after it credits again."""
    end = int(time.time()) + 7 * DAY
    move(source, target, 201, BORROW_LOCAL, end=end)
    move(target, source, 201, BORROW_LOCAL, RETURN)
    assert (source.held(201), target.held(201)) == (25, 0)
    source.ask("_twin.set", clock_offset_seconds=8 * DAY)
    assert source.held(201) == 25


def test_an_early_return_needs_no_leave(make_host: Any, target: Host) -> None:
    """Allowed by the vendor for every borrow (grade D), whatever the option says of returning."""
    lends = item(201, option("borrow_local", return_allowed=False), license_quantity=2)
    source = make_host(SOURCE, [lends])
    move(source, target, 201, BORROW_LOCAL, end=int(time.time()) + DAY)
    move(target, source, 201, BORROW_LOCAL, RETURN)
    assert (source.held(201), target.held(201)) == (2, 0)


def test_a_return_that_arrives_after_the_end_credits_nothing(source: Host, target: Host) -> None:
    """The seat fell back already."""
    move(source, target, 201, BORROW_LOCAL, end=int(time.time()) + DAY)
    at_source = source.client.open(SOURCE)
    request = source.client.request(at_source, RETURN)
    update = target.client.transfer(target.client.open(TARGET, 201), request, BORROW_LOCAL, RETURN)
    source.ask("_twin.set", clock_offset_seconds=2 * DAY)
    assert source.held(201) == 25
    source.client.install(at_source, update)
    assert source.held(201) == 25


def test_a_renewal_extends_the_same_lot(source: Host, target: Host) -> None:
    """No seat moves; both sides end later."""
    now = int(time.time())
    move(source, target, 201, BORROW_LOCAL, end=now + 2 * DAY)
    borrowed = target.client.open(TARGET, 201)
    request = target.client.request(borrowed, RENEW)
    handle = source.client.open(SOURCE, 201)
    update = source.client.transfer(handle, request, BORROW_LOCAL, RENEW, end=now + 9 * DAY)
    target.client.install(borrowed, update)
    for host in (source, target):
        host.ask("_twin.set", clock_offset_seconds=3 * DAY)
    assert (source.held(201), target.held(201)) == (24, 1)
    for host in (source, target):
        host.ask("_twin.set", clock_offset_seconds=10 * DAY)
    assert (source.held(201), target.held(201)) == (25, 0)


def test_a_renewal_names_its_lot_by_the_history_row(source: Host, target: Host) -> None:
    """With two lots lent, a request that names none is ambiguous; the row's number decides."""
    now = int(time.time())
    for _ in range(2):
        move(source, target, 201, BORROW_LOCAL, end=now + 2 * DAY)
    request = target.client.request(target.client.open(TARGET), RENEW)
    handle = source.client.open(SOURCE, 201)
    with pytest.raises(VendorError, match="Error 226"):
        source.client.transfer(handle, request, BORROW_LOCAL, RENEW, end=now + 9 * DAY)
    update = source.client.transfer(
        handle, request, BORROW_LOCAL, RENEW, end=now + 9 * DAY, option_id=2
    )
    target.client.install(target.client.open(TARGET), update)
    assert [i["borrow_end"] for i in target.items()] == [now + 2 * DAY, now + 9 * DAY]


def test_a_complete_borrow_disables_and_falls_back(source: Host, target: Host) -> None:
    """The whole item is lent, disabled at home, and enabled again at the end."""
    move(source, target, 202, BORROW_COMPLETE, end=int(time.time()) + DAY)
    assert (source.held(202), target.held(202)) == (0, 4)
    assert received(target, 202)["status"] == "enabled"
    for host in (source, target):
        host.ask("_twin.set", clock_offset_seconds=2 * DAY)
    assert (source.held(202), target.held(202)) == (4, 0)


def test_box_time_never_goes_back(source: Host) -> None:
    """Not by the clock, not over a restart."""
    later = source.ask("_twin.set", clock_offset_seconds=DAY)["box_time"]
    assert source.ask("_twin.set", clock_offset_seconds=0)["box_time"] >= later
    source.stop()
    source.start()
    assert source.ask("describe")["box_time"] >= later


def test_every_container_of_one_firm_code_is_named_in_the_receipt(
    source: Host, target: Host, make_host: Any
) -> None:
    """A receipt covers all that arrived; each sender closes its own rows."""
    other = make_host("130-1000000003", ITEMS)
    at_target = target.client.open(TARGET)
    for host in (source, other):
        request = target.client.request(at_target)
        handle = host.client.open(host.serial, 201)
        update = host.client.transfer(handle, request, LICENSES, licenses=1)
        target.client.install(at_target, update)
    receipt = target.client.receipt(at_target, FIRM)
    for host in (source, other):
        host.client.confirm(host.client.open(host.serial), receipt)
        assert host.in_transit(201) == {}
