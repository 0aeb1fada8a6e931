# SPDX-License-Identifier: GPL-3.0-or-later
"""How a leg of a move ends: in another state, with the document that it gives."""

from __future__ import annotations

from typing import Any

from seatkeeper_agent.domain.records import MoveDocument
from seatkeeper_agent.domain.server_move_legs import MoveLeg, MoveState
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.server_moves import records
from seatkeeper_agent.operations.server_moves.documents import backup_digest, seal_move
from seatkeeper_agent.operations.server_moves.leg_steps import VOID
from seatkeeper_agent.operations.server_moves.legs import ENDS, GIVES
from seatkeeper_agent.operations.server_moves.records import MoveRecord


def close_leg(identity: Identity, move: str, unit: Unit, leg: str) -> None:
    """Write the leg's outcome; ``leg`` is a leg's name, or that of giving up."""
    record = records.present(unit, move)
    if leg == VOID:
        records.put(unit, record.advanced(MoveState.VOID))
        return
    ended = record.advanced(ENDS[MoveLeg(leg)])
    gives = GIVES.get(MoveLeg(leg))
    if gives is not None:
        answers, facts = _facts(record, gives)
        sealed = seal_move(unit, identity, gives, record.declaration, answers, facts)
        ended = ended.with_document(gives, sealed)
    records.put(unit, ended)


def _facts(record: MoveRecord, kind: MoveDocument) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    if kind is MoveDocument.PREPARED:
        return None, {"backup": backup_digest(record.backup)}
    if kind is MoveDocument.RELEASED:
        words = {n: record.progress(n).released for n in record.numbers}
        facts = {"licenses": words, "backup": record.backup.as_document()}
        return record.document(MoveDocument.PREPARED), facts
    words = {n: record.progress(n).activated for n in record.numbers}
    return record.document(MoveDocument.RELEASED), {"licenses": words}
