# SPDX-License-Identifier: GPL-3.0-or-later
"""Serial numbers of containers, ``<mask>-<serial>``, and what the mask tells (grade D)."""

from __future__ import annotations

from seatkeeper_agent.domain.licenses import SERIAL_PATTERN
from seatkeeper_agent.operations.ports import DriverRefused, DriverUnsupported
from seatkeeper_agent.vendors.codemeter import constants as cm

_MASK_MAX = 0xFFFF
_SERIAL_MAX = 0xFFFFFFFF


def parse_serial(text: str) -> tuple[int, int]:
    """Mask and serial; DriverRefused or DriverUnsupported where there are no such two numbers."""
    if SERIAL_PATTERN.fullmatch(text) is None:
        raise DriverRefused(f"{text!r} is not a serial number like 130-123456789.")
    mask, serial, *third = (int(part) for part in text.split("-"))
    if third:
        raise DriverUnsupported(
            f"Container {text} has a serial number of three parts (CmCloud); the runtime's"
            " interface addresses containers by two."
        )
    if mask > _MASK_MAX or serial > _SERIAL_MAX:
        raise DriverRefused(f"{text} is larger than any serial number of a container.")
    return mask, serial


def format_serial(mask: int, serial: int) -> str:
    """The serial number as people see it."""
    return f"{mask}-{serial}"


def kind_of(mask: int) -> str:
    """What a container is, by its mask; ``unknown`` for masks that are not documented."""
    if mask in cm.MASKS_DONGLE:
        return "dongle"
    if mask in cm.MASKS_CMACT_OLD_FIRM_CODES:
        return "cmact_license_old_firm_codes"
    kinds = {
        cm.MASK_CMACT_UNIVERSAL: "cmact_license",
        cm.MASK_REDUNDANT: "redundant_virtual_container",
        cm.MASK_CLOUD: "cmcloud",
    }
    return kinds.get(mask, "unknown")
