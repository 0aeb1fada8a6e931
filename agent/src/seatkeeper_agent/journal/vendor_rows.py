# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rows of the vendor's history were observed, so that one that vanishes is missed."""

from __future__ import annotations

import apsw

_KIND = "vendor_row"


class VendorRows:
    """Observed history rows, by container, item codes and the vendor's transfer id."""

    def __init__(self, connection: apsw.Connection, now: int) -> None:
        self._connection = connection
        self._now = now

    def put(self, container: str, codes: str, vendor_transfer_id: str) -> None:
        """Remember a row that the container showed."""
        self._connection.execute(
            "INSERT OR IGNORE INTO declarations (kind, id, document, created_at, updated_at)"
            " VALUES (?, ?, '{}', ?, ?)",
            (_KIND, f"{container}/{codes}/{vendor_transfer_id}", self._now, self._now),
        )

    def known(self, container: str, codes: str) -> frozenset[str]:
        """The transfer ids of all rows that were observed."""
        return frozenset(text.rpartition("/")[2] for text in self._ids(f"{container}/{codes}"))

    def codes(self, container: str) -> list[str]:
        """The items of a container of which rows were observed."""
        return sorted({text.split("/")[1] for text in self._ids(container)})

    def forget(self, container: str, codes: str, gone: frozenset[str]) -> None:
        """Miss these rows no longer: they were cleaned up, or a person has settled it."""
        self._connection.executemany(
            "DELETE FROM declarations WHERE kind = ? AND id = ?",
            [(_KIND, f"{container}/{codes}/{name}") for name in gone],
        )

    def _ids(self, prefix: str) -> list[str]:
        # "0" comes right after "/".
        rows = self._connection.execute(
            "SELECT id FROM declarations WHERE kind = ? AND id >= ? AND id < ?",
            (_KIND, f"{prefix}/", f"{prefix}0"),
        )
        return [str(row[0]) for row in rows]
