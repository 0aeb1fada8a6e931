# SPDX-License-Identifier: GPL-3.0-or-later
"""The highest counters ever seen of containers and of other agents' audits."""

from __future__ import annotations

import apsw

_CONTAINER = "container/"
_AFTER_CONTAINERS = "container0"
"""The first name after all that begin with ``container/``."""


def container_counters(serial: str) -> str:
    """The holder of the update counters of a container, which are named by firm codes."""
    return f"{_CONTAINER}{serial}"


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

    def containers(self) -> list[str]:
        """The containers that have shown a counter."""
        rows = self._connection.execute(
            "SELECT DISTINCT holder FROM counters WHERE holder >= ? AND holder < ? ORDER BY holder",
            (_CONTAINER, _AFTER_CONTAINERS),
        )
        return [str(row[0]).removeprefix(_CONTAINER) for row in rows]

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
