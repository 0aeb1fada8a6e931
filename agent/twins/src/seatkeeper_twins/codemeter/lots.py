# SPDX-License-Identifier: GPL-3.0-or-later
"""What leaves an item, comes back to it, and falls back by itself when a borrow ends."""

from __future__ import annotations

import sqlite3

from seatkeeper_twins.codemeter.constants import (
    BORROW_TYPES,
    WHOLE_TYPES,
    HistoryStatus,
    TransferStatus,
    TransferType,
)
from seatkeeper_twins.codemeter.runtime import Runtime

LENT, RETURNED, EXPIRED = "lent", "returned", "expired"


def take(
    runtime: Runtime, item: sqlite3.Row, kind: int, licenses: int, units: int, returns: bool
) -> None:
    """Debit an item inside a change.

    A whole transfer empties the item and takes it out of use; a return that leaves nothing of a
    received item deletes it.
    """
    if kind in WHOLE_TYPES or item["arrival_type"] in BORROW_TYPES:
        lent = kind == TransferType.BORROW_COMPLETE and item["arrival_type"] not in BORROW_TYPES
        _empty(runtime, item["id"], TransferStatus.DISABLED if lent else TransferStatus.DELETED)
        return
    runtime.store.write(
        "UPDATE item SET license_quantity = license_quantity - ?, unit_counter = unit_counter - ?"
        " WHERE id = ?",
        licenses,
        units,
        item["id"],
    )
    if returns:
        runtime.store.write(
            "UPDATE item SET status = ? WHERE id = ? AND COALESCE(license_quantity, 0) = 0"
            " AND COALESCE(unit_counter, 0) = 0",
            TransferStatus.DELETED,
            item["id"],
        )


def give(runtime: Runtime, item: int, licenses: int | None, units: int | None) -> None:
    """Credit an item inside a change and put it into use again; None leaves a quantity alone."""
    runtime.store.write(
        "UPDATE item SET status = ?, license_quantity = license_quantity + ?,"
        " unit_counter = unit_counter + ? WHERE id = ?",
        TransferStatus.ENABLED,
        licenses or 0,
        units or 0,
        item,
    )


def expire(runtime: Runtime) -> None:
    """End every borrow whose time has come: the holder's item stops, the origin has it back."""
    if not runtime.store.row(
        "SELECT 1 FROM history WHERE lot = 'lent'"
        " UNION ALL SELECT 1 FROM item WHERE borrow_end IS NOT NULL LIMIT 1"
    ):
        return
    now = runtime.box_time()
    lent = runtime.store.rows(
        "SELECT h.*, i.firm_code FROM history h JOIN item i ON i.id = h.item"
        " WHERE h.lot = 'lent' AND h.borrow_end <= ? ORDER BY h.id",
        now,
    )
    held = runtime.store.rows(
        "SELECT * FROM item WHERE borrow_end <= ? AND status = ?", now, TransferStatus.ENABLED
    )
    if not lent and not held:
        return
    with runtime.store.change("expire"):
        for row in lent:
            end_lot(runtime, row, EXPIRED)
        for item in held:
            _empty(runtime, item["id"], TransferStatus.DISABLED)
        touched = {(row["container"], row["firm_code"]) for row in lent}
        touched |= {(item["container"], item["firm_code"]) for item in held}
        for container, firm_code in sorted(touched):
            runtime.count_update(container, firm_code)


def end_lot(runtime: Runtime, row: sqlite3.Row, state: str) -> bool:
    """Give a lent lot back to its item, once: False when it had ended before."""
    if row["lot"] != LENT:
        return False
    runtime.store.write("UPDATE history SET lot = ? WHERE id = ?", state, row["id"])
    give(runtime, row["item"], row["held_licenses"], row["held_units"])
    return True


def restore(runtime: Runtime, mask: int, serial: int, transfer_id: bytes) -> None:
    """Twin only, stands for the vendor's support: undo a transfer still in transit here.

    Nobody asks whether the receiver has it, just as nobody at a help desk can. ValueError when
    there is no such transfer in transit.
    """
    row = runtime.store.row(
        "SELECT h.*, i.firm_code FROM history h JOIN item i ON i.id = h.item"
        " JOIN container c ON c.id = h.container WHERE c.mask = ? AND c.serial = ?"
        " AND h.transfer_id = ? AND h.sent = 1 AND h.status IN (?, ?, ?)",
        mask, serial, transfer_id, HistoryStatus.IN_PUSH_TRANSIT,
        HistoryStatus.IN_RETURN_TRANSIT, HistoryStatus.IN_PULL_TRANSIT,
    )  # fmt: skip
    if row is None or (row["held_licenses"] is None and row["held_units"] is None):
        raise ValueError(f"{mask}-{serial} has no transfer {transfer_id.hex()} to give back")
    with runtime.store.transaction():
        if row["lot"] not in (RETURNED, EXPIRED):
            give(runtime, row["item"], row["held_licenses"], row["held_units"])
        runtime.store.write(
            "UPDATE history SET status = ?, lot = ? WHERE id = ?",
            HistoryStatus.HIDDEN, RETURNED, row["id"],
        )  # fmt: skip
        runtime.count_update(row["container"], row["firm_code"])


def _empty(runtime: Runtime, item: int, status: TransferStatus) -> None:
    # A quantity that was never set stays unset: 0 * NULL is NULL.
    runtime.store.write(
        "UPDATE item SET status = ?, license_quantity = 0 * license_quantity,"
        " unit_counter = 0 * unit_counter WHERE id = ?",
        status,
        item,
    )
