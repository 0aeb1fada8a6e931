# SPDX-License-Identifier: GPL-3.0-or-later
"""Double entry for seats and units: nothing appears or vanishes without a counterpart."""

from __future__ import annotations

from typing import cast

import apsw

from seatkeeper_agent.domain.licenses import Measure
from seatkeeper_agent.domain.records import Account, Event, Posting


class Unbalanced(Exception):
    """The rows of an entry do not sum to zero; always a defect, nothing is written."""


class Ledger:
    """Where all seats are, as far as this host has seen."""

    def __init__(self, connection: apsw.Connection, now: int) -> None:
        self._connection = connection
        self._now = now

    def post(
        self,
        event: Event,
        postings: list[Posting],
        transfer_id: str | None = None,
        operation_id: str | None = None,
    ) -> None:
        """Write one entry. apsw.ConstraintError if the transfer already had this event."""
        sums: dict[tuple[str, Measure], int] = {}
        for row in postings:
            key = (row.item, row.measure)
            sums[key] = sums.get(key, 0) + row.amount
        if any(sums.values()):
            raise Unbalanced(f"{event.value} of transfer {transfer_id}: {dict(sums)}")
        self._connection.execute(
            "INSERT INTO entries (transfer_id, event, operation_id, at) VALUES (?, ?, ?, ?)",
            (transfer_id, event.value, operation_id, self._now),
        )
        entry_id = self._connection.last_insert_rowid()
        self._connection.executemany(
            "INSERT INTO postings (entry_id, account, reference, item, measure, amount)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (entry_id, row.account, row.reference, row.item, row.measure, row.amount)
                for row in postings
            ],
        )

    def has(self, transfer_id: str, event: Event) -> bool:
        """Whether the transfer already had this event."""
        found = self._connection.execute(
            "SELECT 1 FROM entries WHERE transfer_id = ? AND event = ?",
            (transfer_id, event.value),
        ).fetchone()
        return found is not None

    def operation_of(self, transfer_id: str, event: Event) -> str | None:
        """The operation that posted this event of the transfer, or None."""
        row = self._connection.execute(
            "SELECT operation_id FROM entries WHERE transfer_id = ? AND event = ?",
            (transfer_id, event.value),
        ).fetchone()
        return None if row is None else str(row[0])

    def balance(self, account: Account, reference: str, item: str, measure: Measure) -> int:
        """What an account holds of an item."""
        return int(
            self._connection.execute(
                "SELECT coalesce(sum(amount), 0) FROM postings"
                " WHERE account = ? AND reference = ? AND item = ? AND measure = ?",
                (account.value, reference, item, measure.value),
            ).get
        )

    def balances(self) -> list[Posting]:
        """All accounts that are not empty, in a stable order."""
        rows = self._connection.execute(
            "SELECT account, reference, item, measure, sum(amount) FROM postings"
            " GROUP BY account, reference, item, measure HAVING sum(amount) <> 0"
            " ORDER BY account, reference, item, measure"
        )
        found = cast(list[tuple[str, str, str, str, int]], rows.fetchall())
        return [Posting(Account(a), r, i, Measure(m), n) for a, r, i, m, n in found]

    def unbalanced_entries(self) -> list[int]:
        """Entries that do not sum to zero; empty unless the file was tampered with."""
        rows = self._connection.execute(
            "SELECT DISTINCT entry_id FROM postings GROUP BY entry_id, item, measure"
            " HAVING sum(amount) <> 0"
        )
        return [cast(int, row[0]) for row in rows.fetchall()]

    def entries_without_intent(self) -> list[int]:
        """Entries whose operation never wrote an intent; empty unless tampered with."""
        rows = self._connection.execute(
            "SELECT id FROM entries WHERE event <> 'observed' AND NOT EXISTS (SELECT 1 FROM steps"
            " WHERE steps.operation_id = entries.operation_id AND intended_at IS NOT NULL)"
        )
        return [cast(int, row[0]) for row in rows.fetchall()]

    def repeated_events(self) -> list[str]:
        """Transfers with the same event twice; empty as long as the unique index stands."""
        rows = self._connection.execute(
            "SELECT transfer_id FROM entries WHERE transfer_id IS NOT NULL"
            " GROUP BY transfer_id, event HAVING count(*) > 1"
        )
        return [str(row[0]) for row in rows.fetchall()]
