# SPDX-License-Identifier: GPL-3.0-or-later
"""A bus in a folder, seen by pyusb and by the inventory."""

from __future__ import annotations

from pathlib import Path

import pytest
import usb.core
import usb.util

from seatkeeper_agent.domain.servers import Dongle, UsbUnavailable
from seatkeeper_agent.usb.inventory import UsbInventory
from seatkeeper_agent.usb.isolation import Isolation
from seatkeeper_agent.usb.recording import RecordingBackend
from seatkeeper_agent.usb.settings import UsbSettings

from .recorded_bus import RecordedBus


def test_pyusb_lists_what_a_driver_would_find(bus: RecordedBus) -> None:
    bus.plug("2-1.4", serial="WK-0007")
    bus.plug("2-1", ids="1a40:0101", serial=None, manufacturer=None, bDeviceClass="09")
    bus.plug("2-2", authorized="0")
    hub, dongle = usb.core.find(find_all=True, backend=RecordingBackend(bus.folder))
    assert (hub.idVendor, hub.idProduct, hub.bDeviceClass) == (0x1A40, 0x0101, 9)
    assert hub.product == "WIBU-KEY"
    with pytest.raises(usb.core.USBError, match="Pipe error"):
        usb.util.get_string(hub, hub.iSerialNumber)
    assert (dongle.idVendor, dongle.idProduct) == (0x064F, 0x0BD7)
    assert (dongle.bus, dongle.port_numbers, dongle.address) == (2, (1, 4), 2)
    assert dongle.serial_number == "WK-0007"
    assert dongle.manufacturer == "WIBU-SYSTEMS AG"


def test_what_a_recorded_device_cannot_do(bus: RecordedBus) -> None:
    bus.plug("1-1", product="P" * 127)
    device = usb.core.find(backend=RecordingBackend(bus.folder))
    with pytest.raises(usb.core.USBError, match="Pipe error"):
        device.ctrl_transfer(0xC0, 1, 0, 0, 8)
    with pytest.raises(usb.core.USBError, match="Pipe error"):
        usb.util.get_string(device, 9)
    with pytest.raises(usb.core.USBError, match="Pipe error"):
        usb.util.get_string(device, device.iProduct)
    usb.util.dispose_resources(device)
    bus.unplug("1-1")
    with pytest.raises(usb.core.USBError, match="No such device"):
        device.ctrl_transfer(0x80, 6, 0x0300, 0, 4)
    bus.folder.rmdir()
    with pytest.raises(usb.core.USBError, match="cannot be read"):
        usb.core.find(backend=RecordingBackend(bus.folder))


def test_dongles_are_listed_in_the_order_of_their_ports(bus: RecordedBus) -> None:
    for path in ("10-1", "1-10", "1-2.3", "1-2"):
        bus.plug(path)
    bus.plug("1-3", ids="0403:6001")
    bus.plug("1-4", ids="1234:5678", serial="  A 1 ")
    inventory = bus.inventory("1234:5678 acme Acme Key")
    found = inventory.dongles()
    assert inventory.source == "recording"
    assert [dongle.path for dongle in found] == ["1-2", "1-2.3", "1-4", "1-10", "10-1"]
    assert found[0] == Dongle(
        "1-2", 0x064F, 0x0BD7, "wibukey", "WIBU-SYSTEMS WibuKey Box/U", "WK-1-2", True
    )
    assert found[2] == Dongle("1-4", 0x1234, 0x5678, "acme", "Acme Key", "A 1", True)


def test_a_hidden_dongle_stays_listed_as_hidden(bus: RecordedBus) -> None:
    bus.plug("1-1")
    bus.plug("1-2")
    Isolation(bus.folder).hide(["1-1"])
    assert [device.port_numbers for device in _listed(bus)] == [(2,)]
    found = [(dongle.id, dongle.authorized) for dongle in bus.inventory().dongles()]
    assert found == [("WK-1-1", False), ("WK-1-2", True)]


@pytest.mark.parametrize("serial", [None, "", "  ", "a\x1b[31m", "S" * 127, "a\nb"])
def test_a_serial_number_that_cannot_be_used_is_none(bus: RecordedBus, serial: str | None) -> None:
    bus.plug("1-1", serial=serial)
    (dongle,) = bus.inventory().dongles()
    assert dongle.serial is None
    assert dongle.id == "1-1"


def test_attributes_that_are_missing_or_nonsense(bus: RecordedBus) -> None:
    bus.plug("1-1", authorized=None, bDeviceClass=None, manufacturer=None)
    bus.plug("1-2", authorized="maybe")
    bus.plug("1-3", ids="064f:xyz")
    bus.plug("1-4", idVendor=None)
    bus.plug("1-5", devnum="seven")
    bus.plug("1-6", devnum=None)
    bus.plug("01-7")
    found = [(dongle.path, dongle.authorized) for dongle in bus.inventory().dongles()]
    assert found == [("1-1", None), ("1-2", None)]


def test_a_bus_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    missing = UsbInventory(UsbSettings(str(tmp_path / "none"), recording=True))
    with pytest.raises(UsbUnavailable, match=r"none cannot be read \(No such file or directory\)"):
        missing.dongles()
    (tmp_path / "file").touch()
    with pytest.raises(UsbUnavailable, match="Not a directory"):
        UsbInventory(UsbSettings(str(tmp_path / "file"), recording=True)).dongles()


def _listed(bus: RecordedBus) -> list[usb.core.Device]:
    return list(usb.core.find(find_all=True, backend=RecordingBackend(bus.folder)))
