# SPDX-License-Identifier: GPL-3.0-or-later
"""The highest counters ever seen of containers and of other agents' audits."""

from __future__ import annotations

import apsw


class Counters:
    """Numbers that only grow; one that fell tells that a snapshot was rolled back."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def highest(self, holder: str, name: str) -> int | None:
        """The highest value seen, or None."""
        row = self._connection.execute(
            "SELECT value FROM counters WHERE holder = ? AND name = ?", (holder, name)
        ).fetchone()
        return None if row is None else int(row[0])

    def raise_to(self, holder: str, name: str, value: int) -> None:
        """Remember a value unless a higher one is known."""
        self._connection.execute(
            "INSERT INTO counters (holder, name, value) VALUES (?, ?, ?)"
            " ON CONFLICT (holder, name) DO UPDATE SET value = max(value, excluded.value)",
            (holder, name, value),
        )

    def accept(self, holder: str, name: str, value: int) -> None:
        """Take a lower value as the truth, after a person said so."""
        self._connection.execute(
            "UPDATE counters SET value = ? WHERE holder = ? AND name = ?", (value, holder, name)
        )
