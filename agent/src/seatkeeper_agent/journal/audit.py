# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit: a hash chain that is written in the same transaction as the change it tells."""

from __future__ import annotations

import hashlib
import json
from typing import Any, cast

import apsw

from seatkeeper_agent.domain.records import AuditEntry

GENESIS = "0" * 64


class Audit:
    """Who did what, when; each entry holds the hash of the one before it."""

    def __init__(self, connection: apsw.Connection, now: int) -> None:
        self._connection = connection
        self._now = now

    def append(self, actor: str, action: str, subject: str, detail: dict[str, Any]) -> None:
        """Add an entry; ``detail`` holds facts, never secrets."""
        sequence, head = self.head()
        text = json.dumps(detail)
        link = _link(head, sequence + 1, self._now, actor, action, subject, text)
        self._connection.execute(
            "INSERT INTO audit (sequence, at, actor, action, subject, detail, hash)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (sequence + 1, self._now, actor, action, subject, text, link),
        )

    def head(self) -> tuple[int, str]:
        """The number and hash of the newest entry; (0, zeros) when there is none."""
        row = self._connection.execute(
            "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1"
        ).fetchone()
        return (0, GENESIS) if row is None else (row[0], row[1])

    def head_at(self, sequence: int) -> str | None:
        """The hash of the entry of this number, None if there is none (any more)."""
        if sequence == 0:
            return GENESIS
        row = self._connection.execute(
            "SELECT hash FROM audit WHERE sequence = ?", (sequence,)
        ).fetchone()
        return None if row is None else str(row[0])

    def page(self, after: int, limit: int) -> list[AuditEntry]:
        """Up to ``limit`` entries after a sequence number, oldest first."""
        rows = self._connection.execute(
            "SELECT sequence, at, actor, action, subject, detail, hash FROM audit"
            " WHERE sequence > ? ORDER BY sequence LIMIT ?",
            (after, limit),
        )
        found = cast(list[tuple[int, int, str, str, str, str, str]], rows.fetchall())
        return [AuditEntry(*row[:5], json.loads(row[5]), row[6]) for row in found]

    def first_broken_link(self) -> int | None:
        """The number of the first entry that does not fit the chain, None if all do."""
        head, expected = GENESIS, 1
        rows = self._connection.execute(
            "SELECT sequence, at, actor, action, subject, detail, hash FROM audit ORDER BY sequence"
        )
        for sequence, at, actor, action, subject, detail, link in rows:
            made = _link(head, sequence, at, actor, action, subject, detail)
            if sequence != expected or link != made:
                return int(sequence)
            head, expected = link, expected + 1
        return None


def _link(
    previous: str, sequence: int, at: int, actor: str, action: str, subject: str, detail: str
) -> str:
    """The hash over what is stored, letter for letter, and over the link before it."""
    body = json.dumps([previous, sequence, at, actor, action, subject, detail])
    return hashlib.sha256(body.encode()).hexdigest()
