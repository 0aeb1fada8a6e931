# SPDX-License-Identifier: GPL-3.0-or-later
"""The signed documents that a move's two hosts pass each other, carried by a playbook or a stick.

prepared (target): the backup with this digest fits this machine, as these rows tell.
released (source): these licenses are active here no more, and how that was seen.
arrived (target): these licenses are active here, and how that was seen.
refused (target): this machine will never activate those that are returned.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from seatkeeper_agent.domain.exchange import BACKUP, SERVER_MOVE
from seatkeeper_agent.domain.planned_steps import digest
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import Envelope, MoveDocument, Past
from seatkeeper_agent.domain.server_move_legs import MoveDeclaration, MoveLeg
from seatkeeper_agent.domain.server_moves import ServerBackup
from seatkeeper_agent.domain.transfers import Side
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.documents import (
    malformed,
    past_in,
    payload_of,
    quoted_in,
    require_signature,
    sign,
)


class Basis(StrEnum):
    """How it is known that a license became active or inactive."""

    OBSERVED = "observed"
    ATTESTED = "attested"


RETURNED = "returned"
"""Of a license that the target has not activated and never will."""

TAKES = {
    MoveLeg(leg): MoveDocument(kind) for leg, kind in SERVER_MOVE.takes.items() if kind != BACKUP
}


@dataclass(frozen=True, slots=True)
class DocumentContents:
    """What a document says, after its signature and its address were checked.

    ``past`` is how far its sender's audit had come, ``quoted`` what it had heard of this agent's.
    """

    kind: MoveDocument
    answers: str | None
    facts: dict[str, Any]
    past: Past
    quoted: Past | None

    def bases(self) -> dict[str, str]:
        """For each license what became of it."""
        return dict(self.facts["licenses"])

    def backup(self) -> ServerBackup:
        """The backup that travels in it; Problem for one that cannot be used."""
        try:
            return ServerBackup.from_document(self.facts["backup"])
        except ValueError as error:
            raise malformed(self.kind, str(error)) from error


def seal_move(
    unit: Unit,
    identity: Identity,
    kind: MoveDocument,
    declaration: MoveDeclaration,
    answers: Envelope | None,
    facts: dict[str, Any],
) -> Envelope:
    """Sign a document of a move, with what this unit of work knows of both agents' pasts."""
    is_to_target = kind.side is Side.SOURCE
    newest = unit.peers.newest(declaration.target if is_to_target else declaration.source)
    payload = {
        "kind": kind.value,
        "move": declaration.as_document(),
        "sender": identity.name,
        "answers": None if answers is None else digest(answers),
        "facts": facts,
        "audit": Past(*unit.audit.head()).as_document(),
        "peer": None if newest is None else newest.past.as_document(),
    }
    return sign(identity, kind, payload)


def unseal_move(
    identity: Identity, kind: MoveDocument, declaration: MoveDeclaration, envelope: Envelope
) -> DocumentContents:
    """Check who signed, and for which move; a Problem for anything else."""
    payload = payload_of(kind, envelope)
    sender = payload["sender"]
    require_signature(identity, envelope, sender, f"{kind.value} of {declaration.subject}")
    expected = declaration.source if kind.side is Side.SOURCE else declaration.target
    addressed = payload["move"]
    if sender != expected or addressed != declaration.as_document():
        name = addressed.get("name")
        raise Problem(
            ProblemCode.DOCUMENT_MISADDRESSED,
            f"The {kind.value} is of move {str(name)!r} by {sender!r}, not of"
            f" {declaration.subject} by {expected!r} as declared here.",
            "Bring the document that belongs to this move.",
        )
    past, quoted = past_in(payload), quoted_in(payload)
    return DocumentContents(kind, payload["answers"], payload["facts"], past, quoted)


def backup_digest(backup: ServerBackup) -> str:
    """What documents and confirmations are bound to; the same as long as the server is."""
    return digest({**backup.as_document(), "made_at": None})
