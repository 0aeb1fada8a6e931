# SPDX-License-Identifier: GPL-3.0-or-later
"""Hiding plugged dongles from the vendor's driver, and giving them back.

Writing ``0`` to a device's attribute ``authorized`` makes the kernel de-configure it and take it
from its drivers; ``1`` brings it back. The kernel keeps this until the device is unplugged or the
host starts anew, so a hidden dongle outlives the agent: whoever hides writes down what.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from pathlib import Path

from seatkeeper_agent.domain.servers import IsolationError
from seatkeeper_agent.host import host
from seatkeeper_agent.usb import sysfs

_GONE = {errno.ENOENT, errno.ENODEV, errno.ENOTDIR}


class Isolation:
    """Hides devices by their paths in the folder of USB devices.

    Nothing is remembered here: what is hidden is always what reading back tells.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def authorized(self, path: str) -> bool | None:
        """Whether drivers may use the device; None where that cannot be read."""
        return sysfs.read_authorized(self._device(path))

    def hide(self, paths: Iterable[str]) -> None:
        """EFFECT: take the devices from their drivers; returns when the kernel says so of all.

        IsolationError at the first that cannot be hidden, an unplugged one included. Those
        before it stay hidden: give them back.
        """
        for path in paths:
            self._write(path, "0")

    def give_back(self, paths: Iterable[str]) -> None:
        """EFFECT: let drivers use the devices again; an unplugged one needs nothing.

        Tries all of them; then IsolationError with what could not be given back.
        """
        failures = []
        for path in paths:
            if not self._device(path).is_dir():
                continue
            try:
                self._write(path, "1")
            except IsolationError as error:
                if self._device(path).is_dir():
                    failures.append(str(error))
        if failures:
            raise IsolationError(" ".join(failures))

    def _device(self, path: str) -> Path:
        if sysfs.port_of(path) is None:
            raise IsolationError(f"{path!r} is no USB port's name, which reads like 1-1.4.")
        return self._folder / path

    def _write(self, path: str, value: str) -> None:
        wish = "hidden" if value == "0" else "given back"
        attribute = self._device(path) / "authorized"
        try:
            host().write_device(attribute, value.encode())
        except OSError as error:
            if error.errno in _GONE and not attribute.parent.is_dir():
                reason = "nothing is plugged in there any more. Look at the dongles again"
            else:
                reason = (
                    f"{attribute} cannot be written ({error.strerror}). Let the agent write it,"
                    " or unplug the dongle"
                )
            raise IsolationError(f"The device at {path} cannot be {wish}: {reason}.") from error
        if self.authorized(path) is not (value == "1"):
            raise IsolationError(
                f"The device at {path} was not {wish}: {attribute} was written and does not read"
                f" {value}. Look at the dongles again."
            )
