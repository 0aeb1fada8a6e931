# SPDX-License-Identifier: GPL-3.0-or-later
"""A recorded bus: a folder with one folder per device, as the kernel has it."""

from __future__ import annotations

import shutil
from pathlib import Path

from seatkeeper_agent.usb.inventory import UsbInventory
from seatkeeper_agent.usb.settings import UsbSettings

WIBUKEY = "064f:0bd7"


class RecordedBus:
    """Dongles are plugged in and unplugged by whole folders, so that none is seen in part."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "devices"
        self._workshop = folder / "workshop"
        self._plugged = 1
        self.folder.mkdir()
        self._workshop.mkdir()

    def plug(self, path: str, ids: str = WIBUKEY, **attributes: str | None) -> None:
        """Plug a device into a port; an attribute that is None is left out."""
        self._plugged += 1
        vendor, product = ids.split(":")
        given: dict[str, str | None] = {
            "idVendor": vendor,
            "idProduct": product,
            "manufacturer": "WIBU-SYSTEMS AG",
            "product": "WIBU-KEY",
            "serial": f"WK-{path}",
            "busnum": path.split("-", maxsplit=1)[0],
            "devnum": str(self._plugged),
            "bDeviceClass": "ff",
            "authorized": "1",
        } | attributes
        made = self._workshop / path
        made.mkdir()
        for name, text in given.items():
            if text is not None:
                (made / name).write_text(f"{text}\n", encoding="utf-8")
        made.rename(self.folder / path)

    def unplug(self, path: str) -> None:
        """Take the device out of the port."""
        gone = self._workshop / path
        (self.folder / path).rename(gone)
        shutil.rmtree(gone)

    def inventory(self, *rows: str) -> UsbInventory:
        """An inventory of this bus with the operator's rows."""
        return UsbInventory(UsbSettings(str(self.folder), recording=True, dongles=rows))
