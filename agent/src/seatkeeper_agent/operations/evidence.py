# SPDX-License-Identifier: GPL-3.0-or-later
"""What two agents have signed of each other's past, compared: who rewrites it is contradicted.

Every document says how far its sender's audit had come, and the newest that its sender has heard
of the addressee's. Three things prove that a journal was rolled back or copied:

- somebody quotes an entry of this agent's audit that this audit does not have;
- one sequence of a peer's audit has two heads;
- an answer is older than what the answered document quotes of its sender.

A document that is only late, repeated or out of order proves nothing. What a peer quotes is the
peer's word, so it freezes the exchange with that peer; what this agent has signed itself and its
journal lacks, as the peer can show, freezes this host's containers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seatkeeper_agent.domain.exchange import TAKES
from seatkeeper_agent.domain.planned_steps import digest
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import DocumentKind, Envelope, MoveDocument, Past
from seatkeeper_agent.domain.transfers import Side
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.journal.peers import SeenPast
from seatkeeper_agent.operations.documents import Document, own_past, quoted_by, unseal
from seatkeeper_agent.operations.foresight import NOT_FROZEN
from seatkeeper_agent.operations.legs import LegRequest
from seatkeeper_agent.operations.observations import rolled_back
from seatkeeper_agent.operations.ports import DriverError, LicenseDriver
from seatkeeper_agent.operations.transfer_operations import freeze, require_unfrozen

SIGNED, QUOTES = "has this agent's own signature under", "quotes"
"""How a peer can show an entry of this agent's audit."""
SETTLED_QUOTES = "settled/quotes"
"""Holder of the highest quote of this agent, by peer, that a person has settled."""
SETTLED_PEERS = "settled/peers"
"""Holder of how far each peer's audit had been heard when a person settled its rollback."""
Put = Callable[[str, Side, DocumentKind, Envelope], None]


class Evidence:
    """Judges what a leg is given by the pasts that it and the journal name.

    What is proven is frozen before its problem is raised.
    """

    def __init__(self, journal: Journal, driver: LicenseDriver, identity: Identity) -> None:
        self._journal = journal
        self._driver = driver
        self._identity = identity

    def require(self, request: LegRequest, is_run: bool) -> None:
        """Problem while container or exchange is frozen, or the peer's copy proves a rollback.

        Nothing is frozen by a dry run. Problem also for evidence that this agent has not signed.
        """
        require_unfrozen(self._journal, request.here.container, exchange_with(request.peer))
        if request.evidence is None:
            return
        past = own_past(self._identity, request.evidence)
        with self._journal.reading() as unit:
            problem = own_contradicted(unit, request.peer, past, SIGNED)
        if problem is None:
            return
        if is_run:
            for name in self._containers(request):
                freeze(self._journal, name, request.actor, problem)
        else:
            problem.next_action = NOT_FROZEN.format("the containers of this host")
        raise problem

    def take(self, request: LegRequest, answered: Envelope | None, is_run: bool) -> Document:
        """The document that a leg needs, verified and no proof of a rewritten past.

        ``answered`` is the newest document of this host that it may answer; what answers an older
        one, or nothing, is not compared with it. Nothing is frozen by a dry run.
        """
        document = unseal(self._identity, TAKES[request.leg], request.declaration, request.given)
        if answered is not None and document.answers != digest(answered):
            answered = None
        with self._journal.reading() as unit:
            problem = own_contradicted(unit, document.sender, document.quoted, QUOTES)
            quoted = None if answered is None else quoted_by(answered)
            problem = problem or peer_contradicted(unit, document.sender, document.past, quoted)
        if problem is None:
            return document
        if is_run:
            freeze_exchange(self._journal, request.peer, request.actor, problem)
        else:
            problem.next_action = NOT_FROZEN.format("the exchange between the two agents")
        raise problem

    def keep(self, unit: Unit, put: Put, request: LegRequest, document: Document) -> None:
        """Keep the document, and with it its sender's past."""
        where = (request.declaration.id, request.leg.side, document.kind)
        put(*where, request.given)
        unit.peers.put(SeenPast(document.sender, document.past, *where))

    def _containers(self, request: LegRequest) -> list[str]:
        """All containers of this host: a journal that was rolled back vouches for none."""
        try:
            shown = {container.serial for container in self._driver.containers()}
        except DriverError:
            shown = set()
        return sorted(shown | {request.here.container})


def own_contradicted(unit: Unit, peer: str, past: Past | None, how: str) -> Problem | None:
    """What a peer can show of this agent's audit and its journal does not have."""
    if past is None or past.sequence <= (unit.counters.highest(SETTLED_QUOTES, peer) or 0):
        return None
    if unit.audit.head_at(past.sequence) == past.head:
        return None
    problem = rolled_back(
        f"The agent {peer!r} {how} an entry {past.sequence} of this agent's audit that its"
        " journal does not have"
    )
    problem.facts.update(peer=peer, quoted=past.sequence)
    return problem


def peer_contradicted(unit: Unit, peer: str, past: Past, quoted: Past | None) -> Problem | None:
    """What a peer has signed against its own word; ``quoted`` stands in what it answers."""
    known = unit.peers.head_at(peer, past.sequence)
    if known is not None and known != past.head:
        what = f"has signed two different entries {past.sequence} of its audit"
        return peer_rolled_back(peer, what)
    settled = unit.counters.highest(SETTLED_PEERS, peer) or 0
    if quoted is not None and quoted.sequence > max(past.sequence, settled):
        what = (
            f"answers with entry {past.sequence} of its audit what quotes its entry"
            f" {quoted.sequence}"
        )
        return peer_rolled_back(peer, what)
    return None


def settle(unit: Unit, problem: dict[str, Any]) -> None:
    """Take what a contradiction was about as settled, after a person said so."""
    peer, quoted = problem.get("peer"), problem.get("quoted")
    if not isinstance(peer, str):
        return
    if isinstance(quoted, int):
        unit.counters.raise_to(SETTLED_QUOTES, peer, quoted)
        return
    newest = unit.peers.newest(peer)
    if newest is not None:
        unit.counters.raise_to(SETTLED_PEERS, peer, newest.past.sequence)
    received = problem.get("heard")
    if isinstance(received, int):
        unit.counters.raise_to(SETTLED_PEERS, peer, received)
    unit.peers.forget(peer)


def peer_view(unit: Unit, peer: str) -> dict[str, Any]:
    """The newest past of a peer and the peer's own document of it; LookupError for a stranger."""
    newest = unit.peers.newest(peer)
    if newest is None:
        raise LookupError(f"the agent {peer} was never heard")
    return {"agent": peer, **newest.past.as_document(), "evidence": _kept(unit, newest)}


def _kept(unit: Unit, seen: SeenPast) -> Envelope | None:
    """The document in which a peer signed its past."""
    if isinstance(seen.kind, MoveDocument):
        # Most agents know of no move, and do not load what reads one.
        from seatkeeper_agent.operations.server_moves.records import find

        move = find(unit, seen.transfer)
        return None if move is None else move.document(seen.kind)
    record = unit.transfers.get(seen.transfer, seen.side)
    return None if record is None else record.documents.get(seen.kind)


def exchange_with(peer: str) -> str:
    """What is held while nothing may be exchanged with a peer; no container is called so."""
    return f"agent {peer}"


def freeze_exchange(journal: Journal, peer: str, actor: str, problem: Problem) -> None:
    """Take no document of a peer until a person has attested what is true."""
    held = exchange_with(peer)
    freeze(journal, held, actor, problem, f"exchange with {held}")


def peer_rolled_back(peer: str, what: str) -> Problem:
    """Of an agent whose own signatures contradict each other."""
    return Problem(
        ProblemCode.SNAPSHOT_ROLLED_BACK,
        f"The agent {peer!r} {what}: its host was restored from a snapshot or backup, or its state"
        " folder was copied, so licenses that were moved may exist twice.",
        "Move nothing between the two hosts before the licensor has said which licenses count, then"
        " confirm it on both with seatkeeper-agent attest OPERATION settled STATEMENT.",
        {"peer": peer},
    )
