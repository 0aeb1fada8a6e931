# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing history rows: one at the sender when a transfer begins, one at the receiver later."""

from __future__ import annotations

from dataclasses import dataclass

from seatkeeper_twins.codemeter.constants import HistoryStatus
from seatkeeper_twins.codemeter.runtime import Runtime


@dataclass(frozen=True)
class Row:
    """A history row to be; `held_*` and `lot` are the sender's, `parent` a return's or renewal's.

    Units, licenses and the borrow's end are zero or None for types that have none (grade D).
    """

    item: int
    container: int
    status: HistoryStatus
    type: int
    sent: bool
    units: int
    licenses: int
    time: int
    borrow_end: int | None
    transfer_id: bytes
    peer: tuple[int, int]
    update_counter: int
    parent: bytes | None = None
    held_licenses: int | None = None
    held_units: int | None = None
    lot: str | None = None


def append(runtime: Runtime, row: Row) -> None:
    """Add the row at the end of its item's history; numbers begin with 1."""
    runtime.store.write(
        "INSERT INTO history (item, container, number, status, type, sent, units, licenses, time,"
        " borrow_end, transfer_id, peer_mask, peer_serial, update_counter, parent, held_licenses,"
        " held_units, lot) VALUES (?, ?, (SELECT 1 + COALESCE(MAX(number), 0) FROM history"
        " WHERE item = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row.item, row.container, row.item, row.status, row.type, row.sent, row.units,
        row.licenses, row.time, row.borrow_end, row.transfer_id, *row.peer, row.update_counter,
        row.parent, row.held_licenses, row.held_units, row.lot,
    )  # fmt: skip
