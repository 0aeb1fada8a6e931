# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers and the license items in them, as a vendor product shows them.

All times are whole seconds since the Unix epoch, UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

SERIAL_PATTERN = re.compile(r"^\d{1,5}-\d{1,10}(-\d{1,10})?$")
ITEM_PATTERN = re.compile(r"([0-9]{1,10}):([0-9]{1,10})(?:@([0-9]{1,5}))?")
CODE_MAX = 2**32 - 1
REFERENCE_MAX = 2**16 - 1
"""Codes are 32 bits and references 16 bits wide (grade H)."""

UNIVERSAL_FIRM_CODE_MIN = 6_000_000
"""License transfer exists only above this firm code (grade D)."""


class TransferType(StrEnum):
    """What of an item is transferred, in the vendor's five types (grade D)."""

    COMPLETE = "complete"
    UNITS = "units"
    LICENSES = "licenses"
    BORROW_COMPLETE = "borrow_complete"
    BORROW_LOCAL = "borrow_local"

    @property
    def is_borrow(self) -> bool:
        """Whether the item falls back to its origin at a given time."""
        return self in (TransferType.BORROW_COMPLETE, TransferType.BORROW_LOCAL)

    @property
    def is_partial(self) -> bool:
        """Whether the type takes an amount rather than all there is."""
        return self in (TransferType.UNITS, TransferType.LICENSES)


class Measure(StrEnum):
    """What an amount counts: seats of a license quantity, or units of a unit counter."""

    SEATS = "seats"
    UNITS = "units"


class ItemStatus(StrEnum):
    """Whether an item can be used; a completely moved item stays listed as deleted."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    DELETED = "deleted"


class HistoryStatus(StrEnum):
    """The vendor's status of a history row, spelled as its users see it (grade D)."""

    CREATED = "0"
    IN_TRANSIT_PUSH = "In Transit (push)"
    IN_TRANSIT_RETURN = "In Transit (return)"
    IN_TRANSIT_PULL = "In Transit (pull)"
    TRANSFERRED = "Transferred"
    TRANSFERRED_AND_RECEIPTED = "Transferred & Receipted"

    @property
    def in_transit(self) -> bool:
        """Whether the seats have left and no receipt has come back."""
        return self.value.startswith("In Transit")


class ItemKey(NamedTuple):
    """Names one item in a container: firm code, product code and, if needed, its reference.

    The reference tells apart several items of the same codes in one container; it is the
    runtime's own number of the product item.
    """

    firm_code: int
    product_code: int
    reference: int | None = None

    @classmethod
    def parse(cls, text: str) -> ItemKey:
        """Read ``FIRM:PRODUCT`` or ``FIRM:PRODUCT@REFERENCE``; ValueError otherwise."""
        match = ITEM_PATTERN.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not FIRM_CODE:PRODUCT_CODE, optionally @REFERENCE")
        firm, product = int(match[1]), int(match[2])
        reference = None if match[3] is None else int(match[3])
        if max(firm, product) > CODE_MAX or (reference or 0) > REFERENCE_MAX:
            raise ValueError(
                f"{text!r} has a code above {CODE_MAX} or a reference above {REFERENCE_MAX}"
            )
        return cls(firm, product, reference)

    def __str__(self) -> str:
        suffix = "" if self.reference is None else f"@{self.reference}"
        return f"{self.firm_code}:{self.product_code}{suffix}"

    def matches(self, other: ItemKey) -> bool:
        """Whether ``other`` is (one of) the items that this key names."""
        same_codes = (self.firm_code, self.product_code) == (other.firm_code, other.product_code)
        return same_codes and self.reference in (None, other.reference)


@dataclass(frozen=True, slots=True)
class TransferOption:
    """One way in which the licensor lets an item be transferred."""

    type: TransferType
    pull_allowed: bool
    return_allowed: bool
    firm_item_required: bool
    transfer_depth: int
    borrow_seconds_max: int


class Item(NamedTuple):
    """One license in a container; a tuple, which is made fast, as there may be ten thousand.

    ``license_quantity`` and ``unit_counter`` are None where the item has no such number.
    ``origin_serial`` is the container it was received from, ``borrowed_until``
    set only while it is borrowed.
    """

    key: ItemKey
    name: str
    license_quantity: int | None
    unit_counter: int | None
    update_counter: int
    options: tuple[TransferOption, ...]
    status: ItemStatus = ItemStatus.ENABLED
    feature_map: int | None = None
    expires_at: int | None = None
    local_only: bool = False
    origin_serial: str | None = None
    borrowed_until: int | None = None
    transfer_id: str | None = None

    @property
    def seats(self) -> int:
        """Usable seats; an item with neither quantity nor units counts as one."""
        if self.status is not ItemStatus.ENABLED:
            return 0
        if self.license_quantity is None:
            return 1 if self.unit_counter is None else 0
        return self.license_quantity

    @property
    def units(self) -> int:
        """Usable units, 0 for an item without a unit counter."""
        if self.status is not ItemStatus.ENABLED:
            return 0
        return self.unit_counter or 0

    def amount(self, measure: Measure) -> int:
        """Usable amount in ``measure``."""
        return self.seats if measure is Measure.SEATS else self.units

    def option(self, type_: TransferType) -> TransferOption | None:
        """The licensor's option for a transfer type, None if not offered."""
        return next((option for option in self.options if option.type is type_), None)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One row of an item's transfer history, as the vendor keeps it.

    ``item`` is the very item, with its reference, and ``is_arrival`` whether the item itself came
    with this row. Of other rows that are no longer in transit the vendor's record does not say
    whether they left or came in.
    """

    item: ItemKey
    is_arrival: bool
    index: int
    status: HistoryStatus
    type: str
    at: int
    unit_counter: int
    license_quantity: int
    returned_quantity: int
    borrow_expires_at: int | None
    transfer_id: str
    confirmed_transfer_id: str | None
    container: str
    update_counter: int


@dataclass(frozen=True, slots=True)
class Container:
    """What holds licenses: a dongle or a software container bound to a host."""

    serial: str
    kind: str
    firmware: str
    status: tuple[str, ...]
    vendor: str


@dataclass(frozen=True, slots=True)
class ContainerClock:
    """The three clocks of a container; None where the runtime shows none."""

    certified_at: int | None
    box_at: int
    system_at: int


def find_item(items: tuple[Item, ...] | list[Item], key: ItemKey) -> list[Item]:
    """All items that ``key`` names, deleted ones left out."""
    return [
        item for item in items if key.matches(item.key) and item.status is not ItemStatus.DELETED
    ]
