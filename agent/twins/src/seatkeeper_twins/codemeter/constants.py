# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of the runtime's public interface (grade H) and the twin's own profiles."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Error(IntEnum):
    """The vendor's error numbers that the twin uses."""

    NETWORK_FAULT = 100
    INVALID_PARAMETER = 105
    NO_NETWORK_SERVER = 111
    ENTRY_NOT_FOUND = 200
    BOX_NOT_FOUND = 201
    VALIDATION_FAILED = 211
    NO_MORE_LICENSES = 212
    BORROW_FAILED = 226
    UPDATE_TOO_NEW = 228
    UPDATE_TOO_OLD = 229
    ACCESS_DENIED = 231
    TIME_DIFFERENCE_TOO_LARGE = 232
    UPDATE_FAILED = 233
    UPDATE_ABORTED = 234
    COMMAND_PENDING = 235


class Refusal(Exception):
    """A call is answered with one of the vendor's numbers; the reason goes to the twin's log."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{reason}, Error {int(code)}")
        self.code = int(code)
        self.reason = reason


class TransferType(IntEnum):
    """CMLTTRANSFER.ctrl, and the type in options and history; the last two in history only."""

    COMPLETE = 1
    UNITS = 2
    LICENSES = 3
    BORROW_LOCAL = 4
    BORROW_COMPLETE = 5
    MERGE_UNITS = 6
    MERGE_LICENSES = 7


BORROW_TYPES = frozenset({TransferType.BORROW_LOCAL, TransferType.BORROW_COMPLETE})
WHOLE_TYPES = frozenset({TransferType.COMPLETE, TransferType.BORROW_COMPLETE})
TYPE_NAMES = {
    "complete": TransferType.COMPLETE,
    "units": TransferType.UNITS,
    "licenses": TransferType.LICENSES,
    "borrow_local": TransferType.BORROW_LOCAL,
    "borrow_complete": TransferType.BORROW_COMPLETE,
}


class Flow(IntEnum):
    """Flags of CmLtDoTransfer; INITPULL is the receiver's flag when a pull begins."""

    FSB = 1
    PUSH = 2
    RETURN = 3
    PULL = 4
    RENEWBORROW = 5
    INITPULL = 0x1000


class HistoryStatus(IntEnum):
    """CMLTHISTORY.status."""

    HIDDEN = 0
    IN_PUSH_TRANSIT = 1
    IN_RETURN_TRANSIT = 2
    IN_PULL_TRANSIT = 3
    ACTIVE = 4


TRANSIT_OF_FLOW = {
    Flow.PUSH: HistoryStatus.IN_PUSH_TRANSIT,
    Flow.RENEWBORROW: HistoryStatus.IN_PUSH_TRANSIT,
    Flow.RETURN: HistoryStatus.IN_RETURN_TRANSIT,
    Flow.PULL: HistoryStatus.IN_PULL_TRANSIT,
}


class TransferStatus(IntEnum):
    """CMBOXENTRY2 transfer status of an item."""

    ENABLED = 1
    DISABLED = 2
    DELETED = 3


class ItemOption(IntFlag):
    """Bits of the product item options set in CMBOXENTRY2."""

    PRODUCT_CODE = 0x1
    FEATURE_MAP = 0x2
    EXPIRATION = 0x4
    UNIT_COUNTER = 0x10
    TEXT = 0x400
    LICENSE_QUANTITY = 0x1000
    BORROW_EXPIRATION = 0x100000
    HISTORY = 0x200000
    TRANSFER_OPTIONS = 0x800000
    RETURN_INFO = 0x1000000
    ACCEPTS_PULL = 0x2000000
    STATUS = 0x4000000


FIRM_ITEM_TRANSFER_BASED = 0x4
QUANTITY_LOCAL_ACCESS_ONLY = 0x400
OPTION_PULL_ALLOWED, OPTION_RETURN_ALLOWED, OPTION_NO_FIRM_ITEM_REQUIRED = 1, 2, 4
ACCESS_NO_USER_LIMIT, ACCESS_SUBSYSTEM, ACCESS_FIRM_ITEM = 0x100, 0x80000, 0x100000
ACCESS_LIMIT_MASK = 0x700
ACCESS_LAN_ONLY = 1
CLEANUP_DELETED, CLEANUP_DISABLED, CLEANUP_HIDDEN_HISTORY = 1, 2, 4
BOX_STATUS_CMACT, BOX_STATUS_LOADED = 0x8, 0x200
BOX_STATUS_ACTIVE, BOX_STATUS_PROGRAMMABLE = 0x1000, 0x2000
SYSTEM_STATUS_FLAGS = 0x1 | 0x2 | 0x10

MASK_CMACT_UNIVERSAL = 130
DONGLE_MASKS = frozenset({1, 2, 3})
UNIVERSAL_FIRM_CODE_MIN = 6_000_001
"""Only firm codes above 6,000,000 can be transferred (grade D)."""
FIRMWARE_TRANSFER_MIN = (3, 10)
FIRMWARE_RECEIVE_BORROW_MIN = (3, 0)

PROFILES: dict[str, tuple[int, int]] = {"6.10": (6, 10), "current": (9, 10)}
"""Version of the runtime (major, minor) that each profile stands for."""
TYPES_OF_PROFILE = {
    "6.10": frozenset({TransferType.LICENSES, TransferType.BORROW_LOCAL}),
    "current": frozenset(TYPE_NAMES.values()),
}


def version_number(profile: str) -> int:
    """What CmGetVersion answers: major << 24, minor << 16, build (here always 0)."""
    major, minor = PROFILES[profile]
    return major << 24 | minor << 16
