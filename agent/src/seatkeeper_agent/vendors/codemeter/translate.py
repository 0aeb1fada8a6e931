# SPDX-License-Identifier: GPL-3.0-or-later
"""From the runtime's records to the agent's words, and back."""

from __future__ import annotations

from seatkeeper_agent.domain.licenses import (
    Container,
    HistoryRow,
    HistoryStatus,
    Item,
    ItemKey,
    ItemStatus,
    TransferOption,
    TransferType,
)
from seatkeeper_agent.domain.transfers import Mode
from seatkeeper_agent.operations.ports import DriverUnsupported
from seatkeeper_agent.vendors.codemeter import constants as cm
from seatkeeper_agent.vendors.codemeter.messages import Box, Entry, History, Option
from seatkeeper_agent.vendors.codemeter.serials import format_serial, kind_of

TYPE_NUMBERS = {
    TransferType.COMPLETE: cm.TYPE_COMPLETE,
    TransferType.UNITS: cm.TYPE_UNITS,
    TransferType.LICENSES: cm.TYPE_LICENSES,
    TransferType.BORROW_LOCAL: cm.TYPE_BORROW_LOCAL,
    TransferType.BORROW_COMPLETE: cm.TYPE_BORROW_COMPLETE,
}
_TYPES = {number: type_ for type_, number in TYPE_NUMBERS.items()}

_HISTORY_TYPES = {number: type_.value for number, type_ in _TYPES.items()} | {
    cm.TYPE_MERGE_UNITS: "merge_units",
    cm.TYPE_MERGE_LICENSES: "merge_licenses",
}

REQUEST_FLAGS = {
    Mode.PUSH: cm.LT_PUSH,
    Mode.RETURN: cm.LT_RETURN,
    Mode.PULL: cm.LT_INIT_PULL,
    Mode.EXTEND: cm.LT_RENEW_BORROW,
}
"""Flags of CmLtCreateContext.

Public callers pass PUSH and RETURN (grade T). INITPULL and RENEWBORROW have only their names
to speak for them (grade H).
"""

TRANSFER_FLAGS = {
    Mode.PUSH: cm.LT_PUSH,
    Mode.RETURN: cm.LT_RETURN,
    Mode.PULL: cm.LT_PULL,
    Mode.EXTEND: cm.LT_RENEW_BORROW,
}
"""Flags of CmLtDoTransfer (grade H)."""

_ITEM_STATUS = {
    0: ItemStatus.ENABLED,
    cm.STATUS_ENABLED: ItemStatus.ENABLED,
    cm.STATUS_DISABLED: ItemStatus.DISABLED,
    cm.STATUS_DELETED: ItemStatus.DELETED,
    cm.STATUS_EXPIRED: ItemStatus.DISABLED,
}

_HISTORY_STATUS = {
    cm.HISTORY_HIDDEN: HistoryStatus.CREATED,
    cm.HISTORY_IN_PUSH_TRANSIT: HistoryStatus.IN_TRANSIT_PUSH,
    cm.HISTORY_IN_RETURN_TRANSIT: HistoryStatus.IN_TRANSIT_RETURN,
    cm.HISTORY_IN_PULL_TRANSIT: HistoryStatus.IN_TRANSIT_PULL,
    cm.HISTORY_ACTIVE: HistoryStatus.TRANSFERRED,
}


def container_of(box: Box) -> Container:
    """A container; a status bit without a documented word is left out."""
    words = (word for bit, word in cm.BOX_STATUS_WORDS.items() if (box.status or 0) & bit)
    return Container(
        serial=format_serial(box.mask, box.serial),
        kind=kind_of(box.mask),
        firmware=f"{box.major}.{box.minor:02d}",
        status=tuple(words),
        vendor="codemeter",
    )


def item_of(entry: Entry, options: tuple[TransferOption, ...]) -> Item:
    """An item; its name is the firm item's text, the only text in the runtime's record."""
    status = _ITEM_STATUS.get(entry.status)
    if status is None:
        raise DriverUnsupported(
            f"Item {entry.firm_code}:{entry.product_code} has the transfer status"
            f" {entry.status}, which the runtime's interface does not name."
        )
    shown = entry.set_options
    origin = format_serial(entry.origin_mask, entry.origin_serial) if entry.origin_serial else None
    return Item(
        key=ItemKey(*entry.codes),
        name=entry.name,
        license_quantity=entry.license_quantity if shown & cm.ENTRY_LICENSE_QUANTITY else None,
        unit_counter=entry.unit_counter if shown & cm.ENTRY_UNIT_COUNTER else None,
        update_counter=entry.update_counter,
        options=options,
        status=status,
        feature_map=entry.feature_map if shown & cm.ENTRY_FEATURE_MAP else None,
        expires_at=entry.expires_at if shown & cm.ENTRY_EXPIRATION else None,
        local_only=bool(entry.quantity_flags & cm.QUANTITY_LOCAL_ACCESS_ONLY),
        origin_serial=origin,
        borrowed_until=entry.borrowed_until,
        transfer_id=entry.transfer_id or None,
    )


def options_of(rows: list[Option]) -> tuple[TransferOption, ...]:
    """The licensor's options; a type that the interface does not name cannot be asked for."""
    return tuple(
        TransferOption(
            type=_TYPES[row.type],
            pull_allowed=bool(row.flags & cm.OPTION_MAY_BE_PULLED),
            return_allowed=bool(row.flags & cm.OPTION_MAY_BE_RETURNED),
            firm_item_required=not row.flags & cm.OPTION_NO_FIRM_ITEM_REQUIRED,
            transfer_depth=row.transfer_depth,
            borrow_seconds_max=row.borrow_seconds_max,
        )
        for row in rows
        if row.type in _TYPES
    )


def history_row_of(entry: Entry, row: History) -> HistoryRow:
    """A row of an item's transfer history.

    *Transferred & Receipted* is an active row with a confirmed transfer id: the vendor's
    users see that status (grade D), the interface has no number for it.
    """
    status = _HISTORY_STATUS.get(row.status)
    if status is None:
        raise DriverUnsupported(
            f"Row {row.number} of a transfer history has the status {row.status}, which the"
            " runtime's interface does not name."
        )
    if status is HistoryStatus.TRANSFERRED and row.confirmed_transfer_id:
        status = HistoryStatus.TRANSFERRED_AND_RECEIPTED
    return HistoryRow(
        item=ItemKey(entry.firm_code, entry.product_code, entry.reference),
        is_arrival=bool(row.transfer_id) and row.transfer_id == entry.transfer_id,
        index=row.number,
        status=status,
        type=_HISTORY_TYPES.get(row.type, f"type {row.type}"),
        at=row.at or 0,
        unit_counter=row.unit_counter,
        license_quantity=row.license_quantity,
        returned_quantity=row.returned_quantity,
        borrow_expires_at=row.borrow_expires_at,
        transfer_id=row.transfer_id,
        confirmed_transfer_id=row.confirmed_transfer_id or None,
        container=format_serial(row.mask, row.serial),
        update_counter=row.update_counter,
    )
