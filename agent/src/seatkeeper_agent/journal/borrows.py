# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared borrows at the borrower and the lots that were opened for them."""

from __future__ import annotations

import json
from typing import Any

import apsw

from seatkeeper_agent.domain.planned_steps import canonical
from seatkeeper_agent.domain.records import BorrowRecord


class Borrows:
    """The borrows that this host declared."""

    def __init__(self, connection: apsw.Connection, now: int) -> None:
        self._connection = connection
        self._now = now

    def get(self, borrow_id: str) -> BorrowRecord | None:
        """The borrow, or None."""
        row = self._connection.execute(
            "SELECT id, declaration, lots, created_at, updated_at FROM borrows WHERE id = ?",
            (borrow_id,),
        ).fetchone()
        return None if row is None else _record(row)

    def page(self, after: str, limit: int) -> list[BorrowRecord]:
        """Up to ``limit`` borrows whose id comes after ``after``."""
        rows = self._connection.execute(
            "SELECT id, declaration, lots, created_at, updated_at FROM borrows"
            " WHERE id > ? ORDER BY id LIMIT ?",
            (after, limit),
        )
        return [_record(row) for row in rows.fetchall()]

    def put(self, borrow_id: str, declaration: dict[str, Any], lots: list[str]) -> None:
        """Remember what is declared and which transfers were opened for it, in order."""
        self._connection.execute(
            "INSERT INTO borrows (id, declaration, lots, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " declaration = excluded.declaration, lots = excluded.lots,"
            " updated_at = excluded.updated_at",
            (
                borrow_id,
                canonical(declaration).decode(),
                json.dumps(lots),
                self._now,
                self._now,
            ),
        )


def _record(row: tuple[Any, ...]) -> BorrowRecord:
    return BorrowRecord(row[0], json.loads(row[1]), tuple(json.loads(row[2])), row[3], row[4])
