# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator tells about this host's USB."""

from __future__ import annotations

from dataclasses import dataclass

from seatkeeper_agent.usb.known import parse_rows

_KERNEL_TREE = "/sys/"


@dataclass(frozen=True, slots=True)
class UsbSettings:
    """Where the bus is and what else is a dongle; ValueError tells what is wrong.

    ``sysfs`` is the folder with one folder per device, by default the kernel's. With
    ``recording`` the bus is read from that folder and not from the kernel: rehearsals need
    neither dongles nor root. Each of ``dongles`` adds a row ``vendor:product family model`` to
    the known dongles.
    """

    sysfs: str = "/sys/bus/usb/devices"
    recording: bool = False
    dongles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.sysfs.startswith("/") or not self.sysfs.isprintable():
            raise ValueError("usb: sysfs must be an absolute path without control characters")
        if self.recording and self.sysfs.startswith(_KERNEL_TREE):
            raise ValueError(
                "usb: recording needs its own folder: set sysfs to one that is not the kernel's"
            )
        parse_rows(self.dongles)
