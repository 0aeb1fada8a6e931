# SPDX-License-Identifier: GPL-3.0-or-later
"""Which license dongles are plugged into this host."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seatkeeper_agent.domain.servers import Dongle, UsbUnavailable
from seatkeeper_agent.usb import sysfs
from seatkeeper_agent.usb.known import KnownDongles, Model
from seatkeeper_agent.usb.settings import UsbSettings

SERIAL_MILLISECONDS_MAX = 500
"""How long one transfer of the serial number may take; a dongle that hangs costs two of them."""

_LIBUSB = "libusb-1.0.so.0"


@dataclass(frozen=True, slots=True)
class Sighting:
    """A dongle that was seen and not asked; equal only while it stays plugged in."""

    path: str
    number: int
    vendor_id: int
    product_id: int
    model: Model
    device: Any = field(compare=False, repr=False)
    """pyusb's object; None for a dongle that pyusb does not list, such as a hidden one."""


class UsbInventory:
    """The dongles of this host, or of a recorded bus; usable from several threads.

    pyusb lists the devices and reads serial numbers. The folder ``sysfs`` has the last word on
    what is plugged in: without a running udev libusb does not hear of plugging.
    """

    def __init__(self, settings: UsbSettings) -> None:
        self.source = "recording" if settings.recording else "kernel"
        self._sysfs = Path(settings.sysfs)
        self._known = KnownDongles(settings.dongles)

    def dongles(self) -> list[Dongle]:
        """All known license dongles, hidden ones included, in the order of their ports.

        Asks each for its serial number, SERIAL_MILLISECONDS_MAX per transfer; a dongle that
        cannot be asked is listed without one. UsbUnavailable where there is nothing to look at.
        """
        found = (self.dongle(sighting) for sighting in self.look())
        return [dongle for dongle in found if dongle is not None]

    def plugged(self) -> dict[str, int]:
        """The kernel's number of each device by its path, of no kind; empty where none is seen.

        Two of these are equal only while nothing was plugged in or unplugged between them.
        """
        try:
            return sysfs.device_numbers(self._sysfs)
        except OSError:
            return {}

    def look(self) -> list[Sighting]:
        """The same dongles without asking any of them: nothing is sent on the bus."""
        try:
            numbers = sysfs.device_numbers(self._sysfs)
        except OSError as error:
            raise UsbUnavailable(
                f"This host's USB cannot be seen: {self._sysfs} cannot be read"
                f" ({error.strerror}). Check that the host has USB and the setting usb.sysfs."
            ) from error
        listed = self._listed()
        found = []
        for path, number in numbers.items():
            device = listed.get(path)
            if device is not None and device.address != number:
                device = None  # libusb has not heard yet of what is in this port now
            ids = self._ids(path, device)
            model = ids and self._known.find(*ids)
            if ids and model:
                found.append(Sighting(path, number, *ids, model, device))
        return found

    def dongle(self, sighting: Sighting) -> Dongle | None:
        """What a dongle that was seen tells of itself; None when it was unplugged meanwhile."""
        folder = self._sysfs / sighting.path
        requested = None if sighting.device is None else _ask_serial(sighting.device)
        serial = requested or sysfs.clean_serial(sysfs.read_attribute(folder / "serial"))
        authorized = sysfs.read_authorized(folder)
        # Looked at last: without its serial number it would pass for another dongle.
        if sysfs.device_number(folder) != sighting.number:
            return None
        return Dongle(
            path=sighting.path,
            vendor_id=sighting.vendor_id,
            product_id=sighting.product_id,
            family=sighting.model.family,
            model=sighting.model.model,
            serial=serial,
            authorized=authorized,
            number=sighting.number,
        )

    def _ids(self, path: str, device: Any) -> tuple[int, int] | None:
        if device is None:
            return sysfs.read_ids(self._sysfs / path)
        return device.idVendor, device.idProduct

    def _listed(self) -> dict[str, Any]:
        """pyusb's devices by path, without root hubs."""
        import usb.core  # an agent on a host without dongles does without it

        try:
            devices = list(usb.core.find(find_all=True, backend=self._backend()))
        except usb.core.USBError as error:
            raise UsbUnavailable(f"This host's USB devices cannot be listed: {error}.") from error
        return {
            sysfs.path_of(device.bus, device.port_numbers): device
            for device in devices
            if device.port_numbers
        }

    def _backend(self) -> Any:
        if self.source == "recording":
            from seatkeeper_agent.usb.recording import RecordingBackend

            return RecordingBackend(self._sysfs)
        return _libusb()


def _libusb() -> Any:
    """pyusb's one libusb of this process; UsbUnavailable where there is none."""
    import usb.backend.libusb1

    # By its name for the loader: pyusb's own search starts compilers, at each look.
    backend = usb.backend.libusb1.get_backend(find_library=lambda _: _LIBUSB)
    if backend is not None:
        return backend
    try:
        ctypes.CDLL(_LIBUSB)
    except OSError as error:
        raise UsbUnavailable(
            f"libusb 1.0 cannot be loaded ({error}). Install it: Debian's package libusb-1.0-0,"
            " Red Hat's libusb1."
        ) from error
    raise UsbUnavailable(
        "libusb cannot reach this host's USB. Let the agent see /sys/bus/usb and /dev/bus/usb and"
        " use netlink sockets."
    )


def _ask_serial(device: Any) -> str | None:
    """The serial number by the device's own string descriptor; None when it gives none."""
    import usb.core
    import usb.util

    device.default_timeout = SERIAL_MILLISECONDS_MAX
    try:
        return sysfs.clean_serial(usb.util.get_string(device, device.iSerialNumber))
    except (usb.core.USBError, NotImplementedError, ValueError, IndexError):
        return None  # unplugged, no permission, a stall, or nonsense from the device
    finally:
        usb.util.dispose_resources(device)
