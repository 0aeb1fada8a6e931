# SPDX-License-Identifier: GPL-3.0-or-later
"""The real libusb on devices that umockdev plays: transfers, plugging, faults, many dongles."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from seatkeeper_agent.usb.inventory import SERIAL_MILLISECONDS_MAX

from .programs import Bed, Program, bed_is_missing, without_override

TELL_SECONDS_MAX = 30
NOTICE_SECONDS_MAX = 1.0
SILENCE_SECONDS = 0.6
MANY = 50
NEWS_MAX = 5
ROUNDS_MAX = 8
NEVER = float("inf")


@pytest.fixture
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """A bed with nothing plugged in; it leaves nothing behind."""
    if reason := bed_is_missing():
        # Skipped silently in CI, nothing would ever be held against the real libusb.
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    # A short name: sockets lie deep in it, and a socket's path has 107 characters at most.
    folder = tmp_path_factory.mktemp("b")
    bed = Bed(folder)
    assert bed.folder.is_dir()
    yield bed
    assert bed.program.end() == 0
    assert list(folder.iterdir()) == []


@pytest.fixture
def client(bed: Bed) -> Iterator[Program]:
    """The code under test."""
    with bed.client() as client:
        yield client


def dongles(client: Program) -> list[dict[str, Any]]:
    """What the inventory lists."""
    answer = client.ask("dongles")
    assert "dongles" in answer, answer
    found: list[dict[str, Any]] = answer["dongles"]
    return found


def serials(client: Program) -> dict[str, str | None]:
    """The serial numbers by path."""
    return {dongle["path"]: dongle["serial"] for dongle in dongles(client)}


def change(client: Program) -> tuple[list[str], list[str], float]:
    """What was added and removed, and when that was told."""
    reported = client.ask("change", seconds=TELL_SECONDS_MAX)
    return reported["added"], reported["removed"], reported["at"]


def received(client: Program, devices: int) -> None:
    """Wait until libusb has heard of so many: umockdev ends when too much news is waiting."""
    deadline = time.monotonic() + TELL_SECONDS_MAX
    while client.ask("listed")["devices"] != devices:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_serial_number_comes_by_a_control_transfer(bed: Bed, client: Program) -> None:
    assert dongles(client) == []
    bed.plug(2, serial="WK-Ü-0002", product="0bd8", kernel_serial=None)
    bed.plug(1, vendor="0403", product="6001")
    bed.plug(3, vendor="0529", product="0001", serial="H3", kernel_serial="of the kernel")
    assert dongles(client) == [
        {
            "path": "1-2",
            "vendor_id": 0x064F,
            "product_id": 0x0BD8,
            "family": "wibukey",
            "model": "WIBU-SYSTEMS WibuKey Box/RU",
            "serial": "WK-Ü-0002",
            "authorized": True,
        },
        {
            "path": "1-3",
            "vendor_id": 0x0529,
            "product_id": 0x0001,
            "family": "hasp",
            "model": "Aladdin/SafeNet HASP",
            "serial": "H3",
            "authorized": True,
        },
    ]
    assert bed.transfers(2) > 0
    assert bed.transfers(1) == 0, "what is no dongle is not asked anything"


def test_a_dongle_that_does_not_tell_spoils_nothing(bed: Bed, client: Program) -> None:
    bed.plug(1, serial=None)
    bed.plug(2, behaviour="stall", kernel_serial=None)
    bed.plug(3, behaviour="stall", kernel_serial="K3")
    bed.plug(4, behaviour="nonsense", kernel_serial=None)
    bed.plug(5)
    assert serials(client) == {"1-1": None, "1-2": None, "1-3": "K3", "1-4": None, "1-5": "WK-5"}


def test_a_dongle_that_hangs_costs_its_time_limit_only(bed: Bed, client: Program) -> None:
    bed.plug(1, behaviour="silent", kernel_serial="K1")
    bed.plug(2)
    answer = client.ask("dongles")
    assert [entry["serial"] for entry in answer["dongles"]] == ["K1", "WK-2"]
    assert answer["seconds"] >= SERIAL_MILLISECONDS_MAX / 1000
    assert answer["seconds"] < TELL_SECONDS_MAX


def test_a_node_without_permission_leaves_what_the_kernel_tells(bed: Bed) -> None:
    bed.plug(1, mode=0, kernel_serial=None)
    bed.plug(2, mode=0, kernel_serial="K2")
    bed.plug(3, kernel_serial="K3")
    with bed.client(without_override()) as client:
        assert serials(client) == {"1-1": None, "1-2": "K2", "1-3": "WK-3"}
    assert bed.transfers(2) == 0


def test_plugging_is_noticed_within_a_second(bed: Bed, client: Program) -> None:
    bed.plug(1)
    client.ask("watch")
    requested = bed.transfers(1)
    # On a busy machine a single one may wait for the processor: some must be in time.
    plugged, unplugged = NEVER, NEVER
    for _ in range(ROUNDS_MAX):
        started = time.monotonic()
        bed.plug(2)
        added, removed, reported_at = change(client)
        assert (added, removed) == (["WK-2"], [])
        plugged = min(plugged, reported_at - started)
        started = time.monotonic()
        bed.unplug(2)
        added, removed, reported_at = change(client)
        assert (added, removed) == ([], ["WK-2"])
        unplugged = min(unplugged, reported_at - started)
        if max(plugged, unplugged) <= NOTICE_SECONDS_MAX:
            break
    assert max(plugged, unplugged) <= NOTICE_SECONDS_MAX
    assert bed.transfers(1) == requested, "the other dongle is not disturbed"
    assert client.ask("change", seconds=SILENCE_SECONDS) == {"silent": True}


def test_another_dongle_in_the_same_port_is_told(bed: Bed, client: Program) -> None:
    bed.plug(1, serial="FIRST")
    client.ask("watch")
    bed.unplug(1)
    bed.plug(1, serial="SECOND")
    added, removed, _ = change(client)
    if not added:
        added, *_ = change(client)
    assert (added, removed) == (["SECOND"], ["FIRST"])


def test_plugging_that_no_udev_tells_is_seen_all_the_same(bed: Bed, client: Program) -> None:
    bed.plug(1)
    assert serials(client) == {"1-1": "WK-1"}
    devices = bed.folder / "sys/bus/usb/devices"
    gone, new = devices / "1-1", devices / "1-2"
    new.mkdir()
    attributes = {"idVendor": "0529", "idProduct": "0003", "serial": "K2", "devnum": "99"}
    for name, text in attributes.items():
        (new / name).write_text(f"{text}\n", encoding="utf-8")
    assert serials(client) == {"1-1": "WK-1", "1-2": "K2"}
    gone.unlink()
    assert serials(client) == {"1-2": "K2"}
    new.rename(gone)
    assert [(entry["path"], entry["family"]) for entry in dongles(client)] == [("1-1", "hasp")]


def test_a_dongle_is_unplugged_while_a_driver_uses_it(bed: Bed, client: Program) -> None:
    bed.plug(1)
    bed.plug(2)
    with bed.client() as driver:
        driver.ask("hold", port=1)
        assert driver.ask("use")["bytes"] > 0
        assert serials(client) == {"1-1": "WK-1", "1-2": "WK-2"}, "reading disturbs no driver"
        client.ask("watch")
        bed.unplug(1)
        assert change(client)[:2] == ([], ["WK-1"])
        assert driver.ask("use") == {"errno": errno.ENODEV}
        assert serials(client) == {"1-2": "WK-2"}


def test_a_dongle_is_unplugged_while_it_is_asked(bed: Bed, client: Program) -> None:
    for port in range(1, NEWS_MAX + 1):
        bed.plug(port, behaviour="silent", kernel_serial=None)
    with bed.client() as other:
        received(client, NEWS_MAX)
        received(other, NEWS_MAX)
        # Each of these hangs in the transfers of the same dongles while they go away.
        started = time.monotonic()
        client.request("dongles")
        other.request("dongles")
        for port in range(1, NEWS_MAX + 1):
            bed.unplug(port)
        found = [program.answer()["dongles"] for program in (client, other)]
        assert time.monotonic() - started < TELL_SECONDS_MAX
        assert all(entry["serial"] is None for listed in found for entry in listed)
        assert dongles(client) == dongles(other) == []


def test_a_client_that_is_killed_leaves_the_others_alone(bed: Bed, client: Program) -> None:
    bed.plug(1)
    with bed.client() as driver:
        driver.ask("hold", port=1)
        driver.kill()
    assert serials(client) == {"1-1": "WK-1"}


def test_fifty_dongles_at_once(bed: Bed, client: Program) -> None:
    client.ask("watch")
    for port in range(1, MANY + 1):
        bed.plug(port)
        if port % NEWS_MAX == 0:
            received(client, port)
    wanted = {f"1-{port}": f"WK-{port}" for port in range(1, MANY + 1)}
    assert serials(client) == wanted
    assert list(serials(client)) == list(wanted), "in the order of the ports"
    reported: list[str] = []
    while len(reported) < MANY:
        reported += change(client)[0]
    assert sorted(reported) == sorted(wanted.values())
    for port in range(1, MANY + 1):
        bed.unplug(port)
        if port % NEWS_MAX == 0:
            received(client, MANY - port)
    gone: list[str] = []
    while len(gone) < MANY:
        gone += change(client)[1]
    assert sorted(gone) == sorted(wanted.values())
    assert dongles(client) == []
