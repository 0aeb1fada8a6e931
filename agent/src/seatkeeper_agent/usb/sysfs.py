# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the kernel's folder of USB devices, or a recorded one of the same layout.

Every device has a folder named after its port, such as ``1-1.4``: bus 1, port 1, port 4 of the
hub there. Root hubs (``usb1``) and interfaces (``1-1.4:1.0``) are no ports.
"""

from __future__ import annotations

import re
from pathlib import Path

from seatkeeper_agent.host import host

# USB allows seven tiers: the root hub and at most six ports on the way to a device.
_PORT = re.compile(r"(?P<bus>[1-9][0-9]{0,2})-(?P<ports>[1-9][0-9]{0,2}(\.[1-9][0-9]{0,2}){0,5})")
_ATTRIBUTE_BYTES_MAX = 4096
_ID = re.compile("[0-9a-fA-F]{4}")
_NUMBER = re.compile("[0-9]{1,9}")
_SERIAL_LENGTH_MAX = 126
"""Characters of a string descriptor: one byte holds its length in bytes, two per character."""


def port_of(path: str) -> tuple[int, tuple[int, ...]] | None:
    """The bus and the ports that a port's name tells; None for what is no port's name."""
    found = _PORT.fullmatch(path)
    if found is None:
        return None
    return int(found["bus"]), tuple(int(port) for port in found["ports"].split("."))


def path_of(bus: int, ports: tuple[int, ...]) -> str:
    """The kernel's name of a port."""
    return f"{bus}-{'.'.join(map(str, ports))}"


def device_numbers(folder: Path) -> dict[str, int]:
    """The number of every device by its path, in the order of the ports; OSError.

    The kernel counts the number up with each device that is plugged in, so a device that was
    unplugged and plugged in again in the same port has another one. A device whose number cannot
    be read is not there yet, or not any more.
    """
    names = (entry.name for entry in folder.iterdir())
    paths = sorted((port, name) for name in names if (port := port_of(name)))
    numbers = ((name, device_number(folder / name)) for _, name in paths)
    return {name: number for name, number in numbers if number is not None}


def device_number(device: Path) -> int | None:
    """The number of one device; None where it cannot be read."""
    text = read_attribute(device / "devnum") or ""
    return int(text) if _NUMBER.fullmatch(text) else None


def read_ids(device: Path) -> tuple[int, int] | None:
    """A device's vendor and product id; None where they cannot be read."""
    texts = [read_attribute(device / name) for name in ("idVendor", "idProduct")]
    if not all(text is not None and _ID.fullmatch(text) for text in texts):
        return None
    vendor_id, product_id = (int(text or "", 16) for text in texts)
    return vendor_id, product_id


def read_authorized(device: Path) -> bool | None:
    """Whether drivers may use the device; None where the kernel does not tell."""
    return {"1": True, "0": False}.get(read_attribute(device / "authorized") or "")


def read_attribute(path: Path) -> str | None:
    """The text of an attribute without its final newline; None where it cannot be read."""
    try:
        content = host().read_device(path, _ATTRIBUTE_BYTES_MAX)
        return content.decode("utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError):
        return None


def clean_serial(text: str | None) -> str | None:
    """A serial number that can be shown and compared; None for an empty or unreadable one."""
    serial = (text or "").strip(" \t\r\n\0")
    usable = serial.isprintable() and 0 < len(serial) <= _SERIAL_LENGTH_MAX
    return serial if usable else None
