# SPDX-License-Identifier: GPL-3.0-or-later
"""What the two hosts of a move have signed of each other's past, compared as that of transfers.

A journal of one side that was rolled back or copied freezes the exchange between the two agents; a
document that is only late, repeated or out of order does not.
"""

from __future__ import annotations

from contextlib import suppress

from seatkeeper_agent.domain.planned_steps import digest
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.records import MoveDocument
from seatkeeper_agent.domain.transfers import Side
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.journal.peers import SeenPast
from seatkeeper_agent.operations.documents import own_past, past_in, payload_of, quoted_by
from seatkeeper_agent.operations.evidence import (
    QUOTES,
    SETTLED_PEERS,
    SIGNED,
    exchange_with,
    freeze_exchange,
    own_contradicted,
    peer_contradicted,
    peer_rolled_back,
)
from seatkeeper_agent.operations.foresight import NOT_FROZEN
from seatkeeper_agent.operations.server_moves.documents import TAKES, DocumentContents, unseal_move
from seatkeeper_agent.operations.server_moves.leg_steps import MoveRequest
from seatkeeper_agent.operations.server_moves.records import MoveRecord
from seatkeeper_agent.operations.transfer_operations import require_unfrozen

_OUTCOMES = (MoveDocument.ARRIVED, MoveDocument.REFUSED)
SIGNED_ONCE = {
    MoveDocument.PREPARED: (),
    MoveDocument.RELEASED: (MoveDocument.RELEASED,),
    MoveDocument.ARRIVED: _OUTCOMES,
    MoveDocument.REFUSED: _OUTCOMES,
}
"""Of which kinds an agent signs one document in a move, and never another one."""


class MoveEvidence:
    """Judges what a leg is given by the pasts that it and the journal name."""

    def __init__(self, journal: Journal, identity: Identity) -> None:
        self._journal = journal
        self._identity = identity

    def require(self, request: MoveRequest, known: MoveRecord | None, is_run: bool) -> None:
        """Problem while the exchange is frozen, or what was given proves a rollback or a fork.

        A run freezes the exchange then, a dry run does not. A document is compared whether or not
        the leg still needs it.
        """
        if request.declaration.source_lost:
            return
        peer = _peer_of(request)
        require_unfrozen(self._journal, exchange_with(peer))
        problem = self._shown(request, peer) or self._contradiction_in(request, known, peer)
        if problem is None:
            return
        if is_run:
            freeze_exchange(self._journal, peer, request.actor, problem)
        else:
            problem.next_action = NOT_FROZEN.format("the exchange between the two agents")
        raise problem

    def keep(self, unit: Unit, request: MoveRequest, record: MoveRecord) -> None:
        """Keep the sender's past with the document that the record has kept."""
        kind, given = TAKES.get(request.leg), request.document
        if kind is None or given is None or record.document(kind) != given:
            return
        past = past_in(payload_of(kind, given))
        unit.peers.put(SeenPast(_peer_of(request), past, record.id, record.side, kind))

    def _shown(self, request: MoveRequest, peer: str) -> Problem | None:
        """This agent's own newest document, as the other host has kept it."""
        if request.evidence is None:
            return None
        past = own_past(self._identity, request.evidence)
        with self._journal.reading() as unit:
            return own_contradicted(unit, peer, past, SIGNED)

    def _contradiction_in(
        self, request: MoveRequest, known: MoveRecord | None, peer: str
    ) -> Problem | None:
        contents = self._unsealed(request)
        if contents is None:
            return None
        own = () if known is None else known.documents.values()
        answered = next((each for each in own if digest(each) == contents.answers), None)
        with self._journal.reading() as unit:
            problem = own_contradicted(unit, peer, contents.quoted, QUOTES)
            quoted = None if answered is None else quoted_by(answered)
            problem = problem or peer_contradicted(unit, peer, contents.past, quoted)
            settled = unit.counters.highest(SETTLED_PEERS, peer) or 0
        if problem is not None or known is None or contents.past.sequence <= settled:
            return problem
        signed = [known.document(kind) for kind in SIGNED_ONCE[contents.kind]]
        if all(each in (None, request.document) for each in signed):
            return None
        problem = peer_rolled_back(
            peer, f"has signed two outcomes of its part of {request.declaration.subject}"
        )
        problem.facts["heard"] = contents.past.sequence
        return problem

    def _unsealed(self, request: MoveRequest) -> DocumentContents | None:
        """None without a document, or for one that the leg itself will refuse if it needs it."""
        kind = TAKES.get(request.leg)
        if kind is None or request.document is None or request.refuse:
            return None
        with suppress(Problem):
            return unseal_move(self._identity, kind, request.declaration, request.document)
        return None


def _peer_of(request: MoveRequest) -> str:
    is_source = request.leg.side is Side.SOURCE
    return request.declaration.target if is_source else request.declaration.source
