# SPDX-License-Identifier: GPL-3.0-or-later
"""Transfers and the documents that belong to them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import apsw

from seatkeeper_agent.domain.licenses import Measure
from seatkeeper_agent.domain.planned_steps import canonical
from seatkeeper_agent.domain.records import DocumentKind, Envelope, TransferRecord
from seatkeeper_agent.domain.transfers import (
    NOT_BEGUN,
    Declaration,
    Mode,
    Side,
    State,
    may_become,
)

_COLUMNS = (
    "id, side, state, declaration, amounts, vendor_transfer_id, vendor_update_counter,"
    " created_at, updated_at"
)

_CORRECTED = "corrected_transfer"


class ForbiddenTransition(Exception):
    """A change of state that the protocol's table does not have; always a defect."""


class Transfers:
    """The transfers of this host, by id and side."""

    def __init__(self, connection: apsw.Connection, now: int) -> None:
        self._connection = connection
        self._now = now

    def get(self, transfer_id: str, side: Side) -> TransferRecord | None:
        """The transfer with its documents, or None."""
        row = self._connection.execute(
            f"SELECT {_COLUMNS} FROM transfers WHERE id = ? AND side = ?", (transfer_id, side.value)
        ).fetchone()
        return None if row is None else self._record(row)

    def both(self, transfer_id: str) -> list[TransferRecord]:
        """The transfer on both sides, as far as this host has a part in it."""
        found = (self.get(transfer_id, side) for side in Side)
        return [record for record in found if record is not None]

    def page(self, only_open: bool, after: str, limit: int) -> list[TransferRecord]:
        """Up to ``limit`` transfers whose ``id/side`` comes after ``after``."""
        condition = (
            " AND state NOT IN ('transferred_receipted', 'refused', 'void')" if only_open else ""
        )
        last_id, _, last_side = after.partition("/")
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM transfers WHERE (id, side) > (?, ?){condition}"
            " ORDER BY id, side LIMIT ?",
            (last_id, last_side, limit),
        )
        return [self._record(row) for row in rows.fetchall()]

    def children(self, parent: str, side: Side, mode: Mode) -> list[TransferRecord]:
        """The transfers of one mode that name another as their parent, oldest first."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM transfers WHERE side = ?"
            " AND json_extract(declaration, '$.parent') = ?"
            " AND json_extract(declaration, '$.mode') = ? ORDER BY created_at, id",
            (side.value, parent, mode.value),
        )
        return [self._record(row) for row in rows.fetchall()]

    def below(self, name: str, limit: int) -> list[TransferRecord]:
        """Transfers whose names begin with ``name`` and a slash, on whichever side."""
        start = f"{name}/"
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM transfers"
            " WHERE substr(json_extract(declaration, '$.name'), 1, ?) = ? ORDER BY id LIMIT ?",
            (len(start), start, limit),
        )
        return [self._record(row) for row in rows.fetchall()]

    def lending_nothing(self, container: str) -> frozenset[str]:
        """The vendor's ids of what lends nothing from a container, as far as this host knows.

        What came in, what went back, an extension, and what was lent and is back.
        """
        rows = self._connection.execute(
            "SELECT vendor_transfer_id FROM transfers WHERE vendor_transfer_id IS NOT NULL AND ("
            "side = 'target' AND json_extract(declaration, '$.target.container') = ?"
            " OR side = 'source' AND (json_extract(declaration, '$.mode') IN ('return', 'extend')"
            " OR EXISTS (SELECT 1 FROM entries WHERE transfer_id = transfers.id"
            " AND event = 'credit_back')))",
            (container,),
        )
        return frozenset(str(row[0]) for row in rows)

    def under_way_ids(self) -> frozenset[str]:
        """The vendor's ids of what left from here and is not receipted."""
        rows = self._connection.execute(
            "SELECT vendor_transfer_id FROM transfers WHERE side = 'source'"
            " AND vendor_transfer_id IS NOT NULL AND state IN ('in_transit', 'crediting_back')"
        )
        return frozenset(str(row[0]) for row in rows)

    def lent_before(self, end: int, limit: int) -> list[TransferRecord]:
        """Borrows that left from here, whose declared end is before ``end``, not yet back."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM transfers WHERE side = 'source'"
            " AND state IN ('in_transit', 'transferred_receipted')"
            " AND json_extract(declaration, '$.until') < ?"
            " AND json_extract(declaration, '$.mode') IN ('push', 'pull')"
            " AND NOT EXISTS (SELECT 1 FROM entries WHERE transfer_id = transfers.id"
            " AND event = 'credit_back') ORDER BY id LIMIT ?",
            (end, limit),
        )
        return [self._record(row) for row in rows.fetchall()]

    def ended_before(self, end: int, limit: int) -> list[TransferRecord]:
        """What was asked for here with an end before ``end`` and did not arrive."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM transfers WHERE state = 'requested'"
            " AND json_extract(declaration, '$.until') < ? ORDER BY id LIMIT ?",
            (end, limit),
        )
        return [self._record(row) for row in rows.fetchall()]

    def insert(self, declaration: Declaration, side: Side, state: State) -> None:
        """Remember a transfer in its first state."""
        self._check(side, State.NONE, state)
        self._connection.execute(
            "INSERT INTO transfers (id, side, state, declaration, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                declaration.id,
                side.value,
                state.value,
                canonical(declaration.as_document()).decode(),
                self._now,
                self._now,
            ),
        )

    def correct(self, declaration: Declaration, side: Side) -> None:
        """Put another declaration in the place of one that never began; both are kept."""
        record = self.get(declaration.id, side)
        if record is None or record.state not in NOT_BEGUN[side]:
            raise ForbiddenTransition(f"{side.value}: {declaration.name} has begun")
        earlier = canonical(record.declaration.as_document()).decode()
        self._connection.execute(
            "INSERT OR IGNORE INTO declarations (kind, id, document, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?)",
            (_CORRECTED, f"{declaration.id}/{_digest(earlier)}", earlier, self._now, self._now),
        )
        self._connection.execute(
            "UPDATE transfers SET declaration = ?, updated_at = ? WHERE id = ? AND side = ?",
            (
                canonical(declaration.as_document()).decode(),
                self._now,
                declaration.id,
                side.value,
            ),
        )

    def was_declared(self, declaration: Declaration) -> bool:
        """Whether the transfer was declared so before it was corrected."""
        digest = _digest(canonical(declaration.as_document()).decode())
        row = self._connection.execute(
            "SELECT 1 FROM declarations WHERE kind = ? AND id = ?",
            (_CORRECTED, f"{declaration.id}/{digest}"),
        )
        return row.fetchone() is not None

    def advance(self, transfer_id: str, side: Side, state: State) -> None:
        """Change the state along the table; ForbiddenTransition otherwise."""
        record = self.get(transfer_id, side)
        before = State.NONE if record is None else record.state
        self._check(side, before, state)
        self._connection.execute(
            "UPDATE transfers SET state = ?, updated_at = ? WHERE id = ? AND side = ?",
            (state.value, self._now, transfer_id, side.value),
        )

    def note(
        self,
        transfer_id: str,
        side: Side,
        amounts: dict[Measure, int],
        vendor_transfer_id: str | None,
        vendor_update_counter: int | None,
    ) -> None:
        """Record what is moved and the vendor's own marks of the transfer."""
        self._connection.execute(
            "UPDATE transfers SET amounts = ?, vendor_transfer_id = ?, vendor_update_counter = ?,"
            " updated_at = ? WHERE id = ? AND side = ?",
            (
                json.dumps({measure.value: amount for measure, amount in amounts.items()}),
                vendor_transfer_id,
                vendor_update_counter,
                self._now,
                transfer_id,
                side.value,
            ),
        )

    def put_document(
        self, transfer_id: str, side: Side, kind: DocumentKind, envelope: Envelope
    ) -> None:
        """Keep a document that was made or accepted here; a kind is kept once."""
        self._connection.execute(
            "INSERT INTO documents (transfer_id, side, kind, envelope, created_at)"
            " VALUES (?, ?, ?, ?, ?)",
            (transfer_id, side.value, kind.value, canonical(envelope).decode(), self._now),
        )

    def replace_document(
        self, transfer_id: str, side: Side, kind: DocumentKind, envelope: Envelope
    ) -> None:
        """Keep a newer request in place of one that was never served."""
        self._connection.execute(
            "UPDATE documents SET envelope = ?, created_at = ?"
            " WHERE transfer_id = ? AND side = ? AND kind = ?",
            (canonical(envelope).decode(), self._now, transfer_id, side.value, kind.value),
        )

    def supersede_request(self, transfer_id: str, envelope: Envelope, old_digest: str) -> None:
        """Keep a younger request; an answer to the older one stays acceptable."""
        self._connection.execute(
            "INSERT INTO superseded_requests (transfer_id, digest) VALUES (?, ?)",
            (transfer_id, old_digest),
        )
        self.replace_document(transfer_id, Side.TARGET, DocumentKind.REQUEST, envelope)

    def superseded_requests(self, transfer_id: str) -> set[str]:
        """The digests of older requests of this transfer."""
        rows = self._connection.execute(
            "SELECT digest FROM superseded_requests WHERE transfer_id = ?", (transfer_id,)
        )
        return {str(row[0]) for row in rows}

    def _check(self, side: Side, before: State, after: State) -> None:
        if not may_become(side, before, after):
            raise ForbiddenTransition(f"{side.value}: {before.value} to {after.value}")

    def _record(self, row: tuple[Any, ...]) -> TransferRecord:
        transfer_id, side = row[0], Side(row[1])
        documents = self._connection.execute(
            "SELECT kind, envelope FROM documents WHERE transfer_id = ? AND side = ?",
            (transfer_id, side.value),
        )
        return TransferRecord(
            declaration=Declaration.from_document(json.loads(row[3])),
            side=side,
            state=State(row[2]),
            amounts={Measure(name): amount for name, amount in json.loads(row[4]).items()},
            documents={DocumentKind(kind): json.loads(text) for kind, text in documents},
            vendor_transfer_id=row[5],
            vendor_update_counter=row[6],
            created_at=row[7],
            updated_at=row[8],
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
