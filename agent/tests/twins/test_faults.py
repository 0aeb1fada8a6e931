# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed at every point and asked again: nothing is lost, nothing is doubled."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest

from seatkeeper_twins.codemeter import control
from seatkeeper_twins.codemeter.faults import points

from .client import BORROW_LOCAL, LICENSES, VendorError
from .conftest import SOURCE, TARGET, Host

TOTAL, MOVED = 25, 10
AT_SOURCE = ("debit", "confirm")
OF_A_TRANSFER = [point for point in points() if not point.startswith(("cleanup", "expire"))]


def insist(host: Host, call: Any) -> Any:
    """Call; if the engine dies meanwhile, start it again and call once more, with a new handle."""
    try:
        return call()
    except VendorError as error:
        if error.code != 100:
            raise
    assert host.wait_dead() == -signal.SIGKILL
    host.start()
    try:
        return call()
    except VendorError as error:
        if error.code != 229:
            raise
        return None


def transfer(source: Host, target: Host) -> None:
    """Ten licenses from source to target, insisting at every step, the sum right after each."""

    def open_target() -> Any:
        return target.client.open(TARGET)

    def open_source() -> Any:
        return source.client.open(SOURCE, 201)

    request = insist(target, lambda: target.client.request(open_target()))
    update = insist(
        source,
        lambda: source.client.transfer(open_source(), request, LICENSES, licenses=MOVED),
    )
    assert (source.held(201), target.held(201)) == (TOTAL - MOVED, 0)
    insist(target, lambda: target.client.install(open_target(), update))
    assert (source.held(201), target.held(201)) == (TOTAL - MOVED, MOVED)
    receipt = insist(target, lambda: target.client.receipt(open_target()))
    insist(source, lambda: source.client.confirm(open_source(), receipt))
    repeated = source.client.transfer(open_source(), request, LICENSES, licenses=MOVED)
    assert repeated == update
    with pytest.raises(VendorError, match="Error 229"):
        target.client.install(open_target(), update)


@pytest.mark.parametrize("point", OF_A_TRANSFER)
def test_death_at_every_point(source: Host, target: Host, point: str) -> None:
    """The fault survives the death it causes as used up, and the transfer converges."""
    host = source if point.startswith(AT_SOURCE) else target
    host.ask("_twin.fault", point=point, action="die")
    transfer(source, target)
    assert host.ask("_twin.faults")["faults"] == []
    assert (source.held(201), target.held(201)) == (TOTAL - MOVED, MOVED)
    assert source.in_transit(201) == {}
    assert source.held(201) + target.held(201) == TOTAL


@pytest.mark.parametrize("side", ["before", "after"])
def test_death_when_a_borrow_expires(source: Host, target: Host, side: str) -> None:
    """The seat falls back once, whichever side of the change the engine died on."""
    request = target.client.request(target.client.open(TARGET))
    end = int(time.time()) + 3600
    source.client.transfer(source.client.open(SOURCE, 201), request, BORROW_LOCAL, end=end)
    source.ask("_twin.fault", point=f"expire.{side}", action="die")
    source.ask("_twin.set", clock_offset_seconds=7200)
    with pytest.raises(VendorError, match="Error 100"):
        source.client.open(SOURCE)
    source.wait_dead()
    source.start()
    assert source.held(201) == TOTAL


def test_other_faults(source: Host, target: Host) -> None:
    """Lost answers, 235 with and without the effect, a delay, a refusal, and the n-th time."""
    at_target, handle = target.client.open(TARGET), source.client.open(SOURCE, 201)
    request = target.client.request(at_target)

    def issue() -> bytes:
        return source.client.transfer(handle, request, LICENSES, licenses=MOVED)

    def fault(action: str, side: str = "before", **values: int) -> None:
        source.ask("_twin.fault", point=f"debit.{side}", action=action, **values)

    def fails(code: int, held: int) -> None:
        with pytest.raises(VendorError) as error:
            issue()
        assert (error.value.code, source.held(201)) == (code, held)

    fault("refuse", value=234)
    fails(234, TOTAL)
    fault("lose")
    fails(100, TOTAL)
    fault("pending", times=2)
    fails(235, TOTAL)
    fails(235, TOTAL)
    fault("pending", "after", times=2)
    fails(235, TOTAL - MOVED)
    fails(235, TOTAL - MOVED)
    assert issue() == issue()
    target.ask("_twin.fault", point="import.after", action="lose", skip=1)
    target.client.install(at_target, issue())
    request = target.client.request(at_target)
    fault("slow", value=300)
    begin = time.monotonic()
    update = issue()
    assert time.monotonic() - begin >= 0.3
    with pytest.raises(VendorError, match="Error 100"):
        target.client.install(at_target, update)
    assert (source.held(201), target.held(201)) == (TOTAL - 2 * MOVED, 2 * MOVED)


def test_pending_import_succeeds_in_the_end(source: Host, target: Host) -> None:
    """The effect was there from the first call; the answer comes late and is not 229."""
    at_target = target.client.open(TARGET)
    request = target.client.request(at_target)
    update = source.client.transfer(
        source.client.open(SOURCE, 201), request, LICENSES, licenses=MOVED
    )
    target.ask("_twin.fault", point="import.after", action="pending", times=1)
    with pytest.raises(VendorError, match="Error 235"):
        target.client.install(at_target, update)
    assert target.held(201) == MOVED
    target.client.install(target.client.open(TARGET), update)
    assert target.held(201) == MOVED


def test_every_change_passes_two_points(source: Host, target: Host) -> None:
    """What a harness schedules its deaths by."""
    transfer(source, target)
    assert source.ask("_twin.passages")["passages"] == [
        "debit.before", "debit.after", "confirm.before", "confirm.after",
    ]  # fmt: skip
    assert target.ask("_twin.passages")["passages"] == [
        "context.before", "context.after", "import.before", "import.after", "receipt.before",
        "receipt.after",
    ]  # fmt: skip


def test_the_vendor_gives_back_and_a_snapshot_comes_back(source: Host, target: Host) -> None:
    """The two things that no protocol prevents, for those who test that they are noticed."""
    source.ask("_twin.snapshot", name="before")
    request = target.client.request(target.client.open(TARGET))
    handle = source.client.open(SOURCE, 201)
    source.client.transfer(handle, request, LICENSES, licenses=MOVED)
    (transfer_id,) = source.in_transit(201)
    source.ask("_twin.restore", serial=SOURCE, transfer_id=transfer_id)
    assert source.held(201) == TOTAL
    assert source.client.history(SOURCE, 201)[0].status == 0
    source.ask("_twin.rollback", name="before")
    assert source.client.history(SOURCE, 201) == []
    source.client.transfer(handle, request, LICENSES, licenses=1)
    source.stop()
    source.start()
    assert source.held(201) == TOTAL - 1


def test_an_engine_that_is_down(source: Host) -> None:
    """110 while it is down; handles of the time before mean nothing afterwards."""
    handle = source.client.open(SOURCE)
    source.stop()
    with pytest.raises(VendorError, match="No local server started, Error 110"):
        source.client.open(SOURCE)
    source.start()
    assert source.client.library.CmRelease(handle) == 0
    assert source.client.error() == 105


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"point": "debit.middle", "action": "die"}, "there is no point"),
        ({"point": "debit.before", "action": "explode"}, "there is no action"),
        ({"point": "debit.after", "action": "refuse", "value": 5}, "refuse needs"),
        ({"point": "debit.after", "action": "slow"}, "slow needs"),
        ({"point": "debit.after", "action": "die", "times": 0}, "skip must be"),
    ],
)
def test_impossible_faults(source: Host, values: dict[str, Any], text: str) -> None:
    """One sentence each."""
    answer = control.send(source.directory, {"op": "_twin.fault", **values})
    assert text in answer["reason"]
