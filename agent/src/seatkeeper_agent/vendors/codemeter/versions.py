# SPDX-License-Identifier: GPL-3.0-or-later
"""What a version of the runtime means: the security floor and the transfer types."""

from __future__ import annotations

from dataclasses import dataclass

from seatkeeper_agent.domain.licenses import TransferType
from seatkeeper_agent.vendors.codemeter import constants as cm

SECURE_SINCE = "9.10 or 8.41a"
"""The runtimes that close the holes published in 2026 (grade D)."""

FIRMWARE_MIN = (3, 10)
FIRMWARE_BORROWING_MIN = (3, 0)
RUNTIME_FOR_DONGLES_MIN = (6, 20)
"""Dongles transfer from 3.10 on and receive a borrow from 3.0 on, with runtime 6.20 (grade D)."""

_TYPES_OF_OLD_RUNTIMES = (TransferType.LICENSES, TransferType.BORROW_LOCAL)
_ALL_TYPES_SINCE = (8, 0)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version of the runtime."""

    major: int
    minor: int
    build: int

    @classmethod
    def from_number(cls, number: int) -> Version:
        """Read what CmGetVersion gives: major << 24, minor << 16, build (grade H)."""
        return cls(number >> 24, number >> 16 & 0xFF, number & 0xFFFF)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor:02d}.{self.build}"


def security_floor_met(version: Version) -> bool | None:
    """Whether the runtime has the security fixes.

    None for 8.41: the letter of 8.41a is not part of the number that the runtime tells.
    """
    short = (version.major, version.minor)
    if short == (8, 41):
        return None
    return short >= (9, 10) or (8, 41) < short < (9, 0)


def runtime_types(version: Version) -> tuple[TransferType, ...]:
    """The transfer types of a runtime.

    6.10 and the help of 7.51 name two (grade D). The API definition of 6.70 numbers all five
    (grade H) and the flow description explains them without a version (grade D), so they are
    offered from 8.0 on, the first release after the help that names two only; there the
    product itself has the last word.
    """
    if (version.major, version.minor) < _ALL_TYPES_SINCE:
        return _TYPES_OF_OLD_RUNTIMES
    return tuple(TransferType)


def transfer_refusal(
    mask: int, firmware: tuple[int, int], version: Version, type_: TransferType, sends: bool
) -> str | None:
    """Why a container cannot send or receive a transfer of a type, None where it can (grade D)."""
    if mask == cm.MASK_CMACT_UNIVERSAL:
        return None
    if mask not in cm.MASKS_DONGLE:
        return f"containers with mask {mask} are not documented to take part in license transfer"
    if (version.major, version.minor) < RUNTIME_FOR_DONGLES_MIN:
        return f"runtime {version} transfers between CmActLicense containers only"
    borrows = type_.is_borrow and not sends
    least = FIRMWARE_BORROWING_MIN if borrows else FIRMWARE_MIN
    if firmware < least:
        shown, wanted = (f"{major}.{minor:02d}" for major, minor in (firmware, least))
        return f"its firmware {shown} is older than {wanted}"
    return None
