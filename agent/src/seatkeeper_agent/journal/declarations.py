# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared of servers and dongles on this host, and how far each came."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import apsw

from seatkeeper_agent.domain.planned_steps import canonical
from seatkeeper_agent.domain.records import DeclarationRecord

ISOLATION = "isolation"
"""The kind of what is hidden from drivers and owed back, by the operation that hid it."""

_COLUMNS = "kind, id, document, created_at, updated_at"


class Declarations:
    """Small documents by kind and id."""

    def __init__(self, connection: apsw.Connection, now: int) -> None:
        self._connection = connection
        self._now = now

    def get(self, kind: str, declaration_id: str) -> DeclarationRecord | None:
        """The declaration, or None."""
        row = self._connection.execute(
            f"SELECT {_COLUMNS} FROM declarations WHERE kind = ? AND id = ?",
            (kind, declaration_id),
        ).fetchone()
        return None if row is None else _record(row)

    def page(self, kind: str, after: str, limit: int) -> list[DeclarationRecord]:
        """Up to ``limit`` of a kind whose id comes after ``after``."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM declarations WHERE kind = ? AND id > ? ORDER BY id LIMIT ?",
            (kind, after, limit),
        )
        return [_record(row) for row in rows.fetchall()]

    # Without being told of their indexes SQLite reads all of a kind.

    def in_states(self, kind: str, states: Iterable[str]) -> list[DeclarationRecord]:
        """Those of a kind whose document says one of these states, in the order of their ids."""
        wanted = tuple(states)
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM declarations INDEXED BY declarations_by_state"
            f" WHERE kind = ? AND document ->> 'state' IN ({', '.join('?' * len(wanted))})"
            " ORDER BY id",
            (kind, *wanted),
        )
        return [_record(row) for row in rows.fetchall()]

    def of_product(self, kind: str, product: str) -> list[DeclarationRecord]:
        """Those of a kind whose document names this product, in the order of their ids."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM declarations INDEXED BY declarations_by_product"
            " WHERE kind = ? AND document ->> 'product' = ? ORDER BY id",
            (kind, product),
        )
        return [_record(row) for row in rows.fetchall()]

    def put(self, kind: str, declaration_id: str, document: dict[str, Any]) -> None:
        """Remember it as it is now."""
        self._connection.execute(
            "INSERT INTO declarations (kind, id, document, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET"
            " document = excluded.document, updated_at = excluded.updated_at",
            (kind, declaration_id, canonical(document).decode(), self._now, self._now),
        )

    def remove(self, kind: str, declaration_id: str) -> None:
        """Forget it."""
        self._connection.execute(
            "DELETE FROM declarations WHERE kind = ? AND id = ?", (kind, declaration_id)
        )


def _record(row: tuple[Any, ...]) -> DeclarationRecord:
    return DeclarationRecord(row[0], row[1], json.loads(row[2]), row[3], row[4])
