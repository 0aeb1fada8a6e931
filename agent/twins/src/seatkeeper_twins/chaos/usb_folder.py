# SPDX-License-Identifier: GPL-3.0-or-later
"""A recorded USB bus: a folder laid out as the kernel's /sys/bus/usb/devices, with fake dongles.

A device appears and disappears as a whole: it is made in a hidden folder and renamed.
"""

from __future__ import annotations

import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

WIBU = 0x064F
WIBUKEY_BOX_U, WIBUKEY_BOX_RU = 0x0BD7, 0x0BD8
_PORT = re.compile(r"(\d{1,3})-\d{1,3}(\.\d{1,3}){0,5}")
_NAMES = {
    (WIBU, WIBUKEY_BOX_U): ("WIBU-SYSTEMS", "WibuKey Box/U"),
    (WIBU, WIBUKEY_BOX_RU): ("WIBU-SYSTEMS", "WibuKey Box/RU"),
}
_OTHER_NAMES = ("Seatkeeper twin", "Dongle")
DEVICES_MAX = 1_000
_COUNTER_NAME = ".last-devnum"
_ROOT_HUB, _NUMBER_MAX = 1, 127


@dataclass(frozen=True, slots=True)
class Plugged:
    """One device of the bus, by the kernel's name of its port."""

    path: str
    vendor_id: int
    product_id: int
    serial: str | None
    authorized: bool


def plug(
    folder: Path,
    path: str,
    vendor_id: int = WIBU,
    product_id: int = WIBUKEY_BOX_RU,
    serial: str | None = None,
) -> None:
    """Plug a fake dongle into a port such as 1-1.4.

    ValueError: no name of a port, or no ids. FileExistsError: something is plugged there.
    """
    port = _PORT.fullmatch(path)
    if port is None:
        raise ValueError(f"{path!r} is no port of a USB bus; one looks like 1-1.4.")
    if not (0 <= vendor_id <= 0xFFFF and 0 <= product_id <= 0xFFFF):
        raise ValueError("The ids of a USB device are numbers from 0 to 65535.")
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / path).exists():
        raise FileExistsError(f"Something is plugged into {path} already.")
    manufacturer, product = _NAMES.get((vendor_id, product_id), _OTHER_NAMES)
    attributes = {
        "idVendor": f"{vendor_id:04x}", "idProduct": f"{product_id:04x}",
        "manufacturer": manufacturer, "product": product, "busnum": port[1],
        "devnum": str(_next_number(folder)), "bDeviceClass": "ff", "authorized": "1",
    }  # fmt: skip
    if serial is not None:
        attributes["serial"] = serial
    draft = folder / f".plug-{secrets.token_hex(4)}"
    draft.mkdir()
    for name, value in attributes.items():
        (draft / name).write_text(f"{value}\n", encoding="utf-8")
    draft.rename(folder / path)


def unplug(folder: Path, path: str) -> None:
    """Unplug what is in a port; FileNotFoundError when nothing is."""
    hidden = folder / f".unplug-{secrets.token_hex(4)}"
    if _PORT.fullmatch(path) is None or not (folder / path).is_dir():
        raise FileNotFoundError(f"Nothing is plugged into {path!r}.")
    (folder / path).rename(hidden)
    shutil.rmtree(hidden)


def unplug_all(folder: Path) -> None:
    """Leave the bus empty."""
    for device in plugged(folder):
        unplug(folder, device.path)


def plugged(folder: Path) -> list[Plugged]:
    """All devices, by port; one that vanishes meanwhile is not there."""
    if not folder.is_dir():
        return []
    entries = sorted(entry for entry in folder.iterdir() if _PORT.fullmatch(entry.name))
    found = [_read(entry) for entry in entries[:DEVICES_MAX]]
    return [device for device in found if device is not None]


def wibukeys(folder: Path) -> list[Plugged]:
    """The WibuKey dongles that the kernel lets a driver use."""
    return [
        device
        for device in plugged(folder)
        if device.authorized
        and device.vendor_id == WIBU
        and device.product_id in (WIBUKEY_BOX_U, WIBUKEY_BOX_RU)
    ]


def _read(entry: Path) -> Plugged | None:
    def attribute(name: str) -> str | None:
        path = entry / name
        return path.read_text(encoding="utf-8").strip() if path.exists() else None

    try:
        same = entry.stat().st_ino
        device = Plugged(
            path=entry.name,
            vendor_id=int(attribute("idVendor") or "", 16),
            product_id=int(attribute("idProduct") or "", 16),
            serial=attribute("serial"),
            authorized=attribute("authorized") != "0",
        )
        # What was unplugged between two reads was read in part.
        return device if entry.stat().st_ino == same else None
    except (OSError, ValueError):
        return None


def _next_number(folder: Path) -> int:
    """A device number as the kernel gives it: the next one, also for what is plugged in again."""
    counter = folder / _COUNTER_NAME
    last = int(counter.read_text(encoding="ascii")) if counter.exists() else _ROOT_HUB
    number = last + 1 if last < _NUMBER_MAX else _ROOT_HUB + 1
    counter.write_text(f"{number}\n", encoding="ascii")
    return number
