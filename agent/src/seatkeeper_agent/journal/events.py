# SPDX-License-Identifier: GPL-3.0-or-later
"""What has changed on this host, in the order in which it did; the file's triggers write it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import apsw

from seatkeeper_agent.domain.records import DeclarationKey
from seatkeeper_agent.domain.transfers import Side

_COLUMNS = "cursor, at, what, state, operation_id, position, declaration_kind, declaration_id, side"


class EventsForgotten(Exception):
    """What came after a cursor is kept no more, or the cursor is of another journal: look anew."""


@dataclass(frozen=True, slots=True)
class JournalEvent:
    """One change. ``state`` is the new one; of a declaration whether it was put or withdrawn."""

    cursor: int
    at: int
    what: str
    state: str
    operation: str | None
    position: int | None
    declaration: DeclarationKey | None
    side: Side | None


class Events:
    """Reads the events; a cursor is that of the last one that was read, 0 for none."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def newest(self) -> int:
        """The cursor of the newest event."""
        return int(self._connection.execute("SELECT ifnull(max(cursor), 0) FROM events").get)

    def after(self, cursor: int, limit: int) -> list[JournalEvent]:
        """Up to ``limit`` events that came after a cursor; EventsForgotten."""
        rows: list[tuple[Any, ...]] = self._connection.execute(
            f"SELECT {_COLUMNS} FROM events WHERE cursor >= ? ORDER BY cursor LIMIT ?",
            (cursor, limit + 1),
        ).fetchall()
        # The one that was read last is read again: it shows that none is missing after it.
        first = cursor if not rows else int(rows[0][0])
        if first > cursor + 1 or (cursor > 0 and not rows):
            raise EventsForgotten(f"the events after {cursor} are kept no more")
        return [_event(row) for row in rows if row[0] > cursor][:limit]


def _event(row: tuple[Any, ...]) -> JournalEvent:
    cursor, at, what, state, operation, position, kind, declared, side = row
    return JournalEvent(
        cursor,
        at,
        what,
        state,
        operation,
        position,
        None if kind is None else DeclarationKey(kind, declared),
        None if side is None else Side(side),
    )
