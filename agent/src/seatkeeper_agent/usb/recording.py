# SPDX-License-Identifier: GPL-3.0-or-later
"""A pyusb backend that finds its devices in a folder: rehearsals without USB and without root.

The folder has the kernel's layout: ``1-1.4/{idVendor,idProduct,serial,manufacturer,product,
devnum,bDeviceClass,authorized}``. The bus and the ports are those of the folder's name. A device
with ``authorized`` 0 is not listed: nobody can use it. Devices have the strings
of their descriptors and nothing else: no configuration, no endpoint.
"""

from __future__ import annotations

import errno
import struct
from array import array
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from usb.backend import IBackend
from usb.core import USBError

from seatkeeper_agent.usb import sysfs

# Numbers of the USB 2.0 specification, chapter 9.
_DEVICE_TO_HOST = 0x80
_GET_DESCRIPTOR = 6
_STRING_DESCRIPTOR = 3
_ENGLISH = 0x0409
_STRING_BYTES_MAX = 252
_STRINGS = {1: "manufacturer", 2: "product", 3: "serial"}


@dataclass(frozen=True, slots=True)
class RecordedDevice:
    """One device's folder and what was read there when the devices were listed."""

    folder: Path
    bus: int
    ports: tuple[int, ...]
    number: int
    vendor_id: int
    product_id: int
    device_class: int


class RecordingBackend(IBackend):  # type: ignore[misc] # pyusb has no types
    """The devices of one folder, read anew whenever they are listed."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def enumerate_devices(self) -> list[RecordedDevice]:
        """The devices that a driver could use; USBError where the folder cannot be read."""
        try:
            numbers = sysfs.device_numbers(self._folder)
        except OSError as error:
            raise USBError(f"{self._folder} cannot be read", errno=error.errno) from error
        found = (self._read(path, number) for path, number in numbers.items())
        return [device for device in found if device is not None]

    def get_device_descriptor(self, dev: RecordedDevice) -> SimpleNamespace:
        """The fields that pyusb wants of a device; asked for a missing string it will stall."""
        return SimpleNamespace(
            bLength=18,
            bDescriptorType=1,
            bcdUSB=0x0200,
            bDeviceClass=dev.device_class,
            bDeviceSubClass=0,
            bDeviceProtocol=0,
            bMaxPacketSize0=64,
            idVendor=dev.vendor_id,
            idProduct=dev.product_id,
            bcdDevice=0,
            iManufacturer=1,
            iProduct=2,
            iSerialNumber=3,
            bNumConfigurations=1,
            address=dev.number,
            bus=dev.bus,
            port_number=dev.ports[-1],
            port_numbers=dev.ports,
            speed=None,
        )

    def open_device(self, dev: RecordedDevice) -> RecordedDevice:
        """The device itself; USBError when it was unplugged."""
        if not dev.folder.is_dir():
            raise USBError("No such device", errno=errno.ENODEV)
        return dev

    def close_device(self, dev_handle: RecordedDevice) -> None:
        """Nothing is held open."""

    def ctrl_transfer(
        self,
        dev_handle: RecordedDevice,
        bmRequestType: int,  # noqa: N803 - the names are pyusb's
        bRequest: int,  # noqa: N803
        wValue: int,  # noqa: N803
        wIndex: int,  # noqa: N803
        data: array[int],
        timeout: int,
    ) -> int:
        """Answer a request for a string descriptor; the number of bytes put into ``data``."""
        kind, index = wValue >> 8, wValue & 0xFF
        wanted = (_DEVICE_TO_HOST, _GET_DESCRIPTOR, _STRING_DESCRIPTOR)
        if (bmRequestType, bRequest, kind) != wanted:
            raise USBError("Pipe error", errno=errno.EPIPE)
        answer = self._string(dev_handle, index)[: len(data)]
        data[: len(answer)] = array("B", answer)
        return len(answer)

    def _read(self, path: str, number: int) -> RecordedDevice | None:
        folder = self._folder / path
        ids, port = sysfs.read_ids(folder), sysfs.port_of(path)
        if ids is None or port is None or sysfs.read_authorized(folder) is False:
            return None
        bus, ports = port
        device_class = sysfs.read_attribute(folder / "bDeviceClass")
        return RecordedDevice(folder, bus, ports, number, *ids, 9 if device_class == "09" else 0)

    def _string(self, device: RecordedDevice, index: int) -> bytes:
        if index == 0:
            body = struct.pack("<H", _ENGLISH)
        else:
            name = _STRINGS.get(index)
            text = None if name is None else sysfs.read_attribute(device.folder / name)
            body = b"" if text is None else text.encode("utf-16-le")
        if not 0 < len(body) <= _STRING_BYTES_MAX:
            raise USBError("Pipe error", errno=errno.EPIPE)
        return struct.pack("<BB", 2 + len(body), _STRING_DESCRIPTOR) + body
