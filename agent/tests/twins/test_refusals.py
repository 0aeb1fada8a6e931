# SPDX-License-Identifier: GPL-3.0-or-later
"""What the twin refuses, with the vendor's number, and that a refusal touches nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from ctypes import byref
from typing import Any

import pytest

from .client import (
    BORROW_COMPLETE,
    BORROW_LOCAL,
    COMPLETE,
    INITPULL,
    LICENSES,
    PULL,
    PUSH,
    RETURN,
    UNITS,
    Access,
    VendorError,
)
from .conftest import SOURCE, TARGET, Host, item, option
from .test_transfer import move

DAY = 86_400


@pytest.fixture
def refused(source: Host, target: Host) -> Iterator[Callable[..., None]]:
    """Try a transfer that must be refused with this number; in the end nothing has changed."""
    before = source.ask("describe")["containers"]

    def attempt(code: int, product_code: int, kind: int, flags: int = PUSH, **amount: Any) -> None:
        purpose = INITPULL if flags == PULL else flags
        request = target.client.request(target.client.open(TARGET), purpose)
        handle = source.client.open(SOURCE, product_code)
        for measure in (True, False):
            with pytest.raises(VendorError) as error:
                source.client.transfer(handle, request, kind, flags, measure=measure, **amount)
            assert error.value.code == code

    yield attempt
    assert source.ask("describe")["containers"] == before


def test_the_rules_of_an_item(refused: Callable[..., None]) -> None:
    """Type, quantity, pull, depth and firm item."""
    later = int(time.time()) + DAY
    refused(231, 201, COMPLETE)
    refused(231, 201, UNITS, units=1)
    refused(212, 201, LICENSES, licenses=26)
    refused(212, 203, UNITS, units=1001)
    refused(105, 201, LICENSES)
    refused(105, 201, LICENSES, licenses=1, units=1)
    refused(105, 201, LICENSES, licenses=1, end=later)
    refused(105, 201, BORROW_LOCAL, licenses=2, end=later)
    refused(231, 204, LICENSES, PULL, licenses=1)
    refused(231, 201, BORROW_LOCAL, PULL, end=later)
    refused(231, 205, LICENSES, licenses=1)
    refused(200, 206, LICENSES, licenses=1)
    refused(231, 201, LICENSES, RETURN, licenses=1)


def test_the_rules_of_a_borrow(refused: Callable[..., None], source: Host) -> None:
    """Past, none, too long, capped by the administrator, blocked, clocks apart."""
    now = int(time.time())
    refused(226, 201, BORROW_LOCAL)
    refused(226, 201, BORROW_LOCAL, end=now - 10)
    refused(226, 201, BORROW_LOCAL, end=now + 31 * DAY)
    source.ask("_twin.set", max_borrow_hours=1)
    refused(226, 202, BORROW_COMPLETE, end=now + 2 * 3600)
    source.ask("_twin.set", borrow_blocked=True)
    refused(231, 201, BORROW_LOCAL, end=now + 60)
    source.ask("_twin.set", borrow_blocked=False, clock_offset_seconds=7200)
    refused(232, 201, BORROW_LOCAL, end=now + 7200 + 60)


def test_a_target_far_behind_does_not_import_a_borrow(source: Host, target: Host) -> None:
    """It would hold the seat longer than it was lent."""
    for host in (source, target):
        host.ask("_twin.set", clock_offset_seconds=60)
    at_target = target.client.open(TARGET)
    request = target.client.request(at_target)
    source.ask("_twin.set", clock_offset_seconds=3000)
    update = source.client.transfer(
        source.client.open(SOURCE, 201), request, BORROW_LOCAL, end=int(time.time()) + DAY
    )
    target.ask("_twin.set", max_time_difference_seconds=600)
    with pytest.raises(VendorError, match="Error 232"):
        target.client.install(at_target, update)
    target.ask("_twin.set", clock_offset_seconds=2 * DAY)
    with pytest.raises(VendorError, match="Error 226"):
        target.client.install(at_target, update)


def test_a_borrowed_license_moves_no_further(source: Host, target: Host, make_host: Any) -> None:
    """Depth or not."""
    third = make_host("130-1000000003", [])
    move(source, target, 201, BORROW_LOCAL, end=int(time.time()) + DAY)
    request = third.client.request(third.client.open(third.serial))
    with pytest.raises(VendorError, match="Error 231"):
        target.client.transfer(target.client.open(TARGET, 201), request, LICENSES, licenses=1)
    back = third.client.request(third.client.open(third.serial), RETURN)
    with pytest.raises(VendorError, match="Error 201"):
        target.client.transfer(target.client.open(TARGET, 201), back, BORROW_LOCAL, RETURN)


def test_depth_ends_after_two_levels_and_return_may_be_forbidden(
    source: Host, target: Host, make_host: Any
) -> None:
    """Levels are counted down in the options of what arrives."""
    third = make_host("130-1000000003", [])
    fourth = make_host("130-1000000004", [])
    move(source, target, 201, LICENSES, licenses=5)
    move(target, third, 201, LICENSES, licenses=3)
    request = fourth.client.request(fourth.client.open(fourth.serial))
    handle = third.client.open(third.serial, 201)
    with pytest.raises(VendorError, match="Error 231"):
        third.client.transfer(handle, request, LICENSES, licenses=1)
    move(source, target, 204, LICENSES, licenses=1)
    back = source.client.request(source.client.open(SOURCE), RETURN)
    with pytest.raises(VendorError, match="Error 231"):
        target.client.transfer(target.client.open(TARGET, 204), back, LICENSES, RETURN, licenses=1)


def test_an_unreceipted_transfer_may_block_the_next(source: Host, target: Host) -> None:
    """Only for items seeded so."""
    at_target, handle = target.client.open(TARGET), source.client.open(SOURCE, 207)
    update = source.client.transfer(handle, target.client.request(at_target), LICENSES, licenses=1)
    with pytest.raises(VendorError, match="Error 231"):
        source.client.transfer(handle, target.client.request(at_target), LICENSES, licenses=1)
    target.client.install(at_target, update)
    source.client.confirm(handle, target.client.receipt(at_target))
    source.client.transfer(handle, target.client.request(at_target), LICENSES, licenses=1)


def test_altered_foreign_and_misaddressed_documents(
    source: Host, target: Host, make_host: Any
) -> None:
    """211 for what is not genuine, 201 for what is meant for another container."""
    third = make_host("130-1000000003", [])
    at_target, handle = target.client.open(TARGET), source.client.open(SOURCE, 201)
    request = target.client.request(at_target)
    update = source.client.transfer(handle, request, LICENSES, licenses=1)
    altered = update[:300] + bytes([update[300] ^ 1]) + update[301:]
    for wrong in (altered, request, b"anything", update + b" "):
        with pytest.raises(VendorError, match="Error 211"):
            target.client.install(at_target, wrong)
    with pytest.raises(VendorError, match="Error 201"):
        third.client.install(third.client.open(third.serial), update)
    target.client.install(at_target, update)
    receipt = target.client.receipt(at_target)
    with pytest.raises(VendorError, match="Error 201"):
        third.client.confirm(third.client.open(third.serial), receipt)
    with pytest.raises(VendorError, match="Error 211"):
        source.client.confirm(handle, update)
    assert update.startswith(b"SEATKEEPER TWIN ARTEFACT - NOT A LICENSE\n")


def test_firm_codes_and_kinds_of_containers(make_host: Any, target: Host) -> None:
    """Only universal firm codes; dongles need a firmware; profile 6.10 knows only 130."""
    with pytest.raises(VendorError, match="Error 105"):
        target.client.request(target.client.open(TARGET), firm_code=6_000_000)
    local = {"license_quantity": 3}
    old = make_host(
        "130-1000000006", [item(1, option("licenses"), option("units"), **local)], "6.10"
    )
    assert old.client.library.CmGetVersion(None) == 6 << 24 | 10 << 16
    handle = old.client.open(old.serial, 1)
    request = target.client.request(target.client.open(TARGET))
    with pytest.raises(VendorError, match="Error 105"):
        old.client.transfer(handle, request, UNITS, units=1)
    assert old.client.transfer(handle, request, LICENSES, licenses=1)
    dongle = make_host("3-5000001", [], "6.10")
    with pytest.raises(VendorError, match="Error 105"):
        dongle.client.request(dongle.client.open(dongle.serial))


def test_dongles_need_a_firmware(source: Host, make_host: Any) -> None:
    """3.10 to take part, 3.0 to receive a borrow, below that nothing."""
    young = make_host("3-5000001", [], firmware="3.10")
    move(source, young, 201, LICENSES, licenses=2)
    middle = make_host("3-5000002", [], firmware="3.0")
    move(source, middle, 201, BORROW_LOCAL, end=int(time.time()) + DAY)
    request = middle.client.request(middle.client.open(middle.serial))
    handle = source.client.open(SOURCE, 201)
    with pytest.raises(VendorError, match="Error 105"):
        source.client.transfer(handle, request, LICENSES, licenses=1)
    move(middle, source, 201, BORROW_LOCAL, RETURN)
    old = make_host("3-5000003", [], firmware="2.99")
    with pytest.raises(VendorError, match="Error 105"):
        old.client.request(old.client.open(old.serial))
    assert [len(young.client.boxes(port)) for port in (0, 1, 4)] == [1, 1, 0]


def test_handles_and_null_pointers(source: Host) -> None:
    """Nothing wrong on the caller's side ends the engine."""
    client = source.client
    system = client.open()
    for code, call in (
        (201, lambda: client.open("130-77")),
        (200, lambda: client.open(SOURCE, 999)),
        (231, lambda: client.open(SOURCE, 201, ctrl=0)),
        (105, lambda: client.records(client.open(SOURCE), 0x38, Access)),
        (105, lambda: client.records(client.open(SOURCE), 0x99, Access)),
        (105, lambda: client.checked(client.library.CmAccess2(0, None))),
        (111, lambda: client.checked(client.library.CmAccess2(1, byref(Access())))),
        (105, lambda: client.checked(client.library.CmRelease(0x12345))),
        (105, lambda: client.checked(client.library.CmSetCertifiedTimeUpdate(None, None))),
        (100, lambda: client.checked(client.library.CmSetCertifiedTimeUpdate(system, None))),
        (105, lambda: client.checked(client.library.CmLtLiveTransfer(system, system, 2, None))),
        (211, lambda: client.install(client.open(SOURCE), b"")),
    ):
        with pytest.raises(VendorError) as error:
            call()
        assert error.value.code == code
        assert error.value.args[0].endswith(f", Error {code}")
    handle = client.open(SOURCE, 201)
    assert client.library.CmRelease(handle) == 1
    with pytest.raises(VendorError, match="Error 105"):
        client.records(handle, 0x38, Access)
