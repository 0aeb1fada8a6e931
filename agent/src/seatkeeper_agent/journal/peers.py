# SPDX-License-Identifier: GPL-3.0-or-later
"""What other agents have said of their own audit: for each sequence its head, as they signed it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import apsw

from seatkeeper_agent.domain.planned_steps import canonical
from seatkeeper_agent.domain.records import DocumentKind, MoveDocument, Past
from seatkeeper_agent.domain.transfers import Side

_KIND = "peer_past"
_SEQUENCE_DIGITS = 20


@dataclass(frozen=True, slots=True)
class SeenPast:
    """A peer's word about its own audit, and the kept document in which it stands.

    ``transfer`` is the id of the transfer, or of the move of a license server.
    """

    peer: str
    past: Past
    transfer: str
    side: Side
    kind: DocumentKind | MoveDocument


class Peers:
    """The pasts that peers have signed, by peer and sequence."""

    def __init__(self, connection: apsw.Connection, now: int) -> None:
        self._connection = connection
        self._now = now

    def put(self, seen: SeenPast) -> None:
        """Remember it; what is known of that sequence stays as it was."""
        document = {
            "head": seen.past.head,
            "transfer": seen.transfer,
            "side": seen.side.value,
            "kind": seen.kind.value,
        }
        self._connection.execute(
            "INSERT OR IGNORE INTO declarations (kind, id, document, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                _KIND,
                f"{seen.peer}/{seen.past.sequence:0{_SEQUENCE_DIGITS}}",
                canonical(document).decode(),
                self._now,
                self._now,
            ),
        )

    def head_at(self, peer: str, sequence: int) -> str | None:
        """The head that the peer has signed for this sequence, None if it never named it."""
        row = self._connection.execute(
            "SELECT document FROM declarations WHERE kind = ? AND id = ?",
            (_KIND, f"{peer}/{sequence:0{_SEQUENCE_DIGITS}}"),
        ).fetchone()
        return None if row is None else str(json.loads(row[0])["head"])

    def newest(self, peer: str) -> SeenPast | None:
        """The latest past that the peer has signed, None for one that was never heard."""
        row = self._connection.execute(
            "SELECT id, document FROM declarations WHERE kind = ? AND id >= ? AND id < ?"
            " ORDER BY id DESC LIMIT 1",
            (_KIND, f"{peer}/", f"{peer}0"),
        ).fetchone()
        if row is None:
            return None
        found = json.loads(row[1])
        past = Past(int(row[0].rpartition("/")[2]), found["head"])
        is_moves = found["kind"] in set(MoveDocument)
        kind = MoveDocument(found["kind"]) if is_moves else DocumentKind(found["kind"])
        return SeenPast(peer, past, found["transfer"], Side(found["side"]), kind)

    def names(self) -> list[str]:
        """All peers that were heard, in order."""
        rows = self._connection.execute(
            "SELECT DISTINCT substr(id, 1, instr(id, '/') - 1) FROM declarations"
            " WHERE kind = ? ORDER BY 1",
            (_KIND,),
        )
        return [str(row[0]) for row in rows]

    def forget(self, peer: str) -> None:
        """Begin anew with a peer, after a person has settled which past counts."""
        self._connection.execute(
            "DELETE FROM declarations WHERE kind = ? AND id >= ? AND id < ?",
            (_KIND, f"{peer}/", f"{peer}0"),
        )
