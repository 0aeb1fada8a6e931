# SPDX-License-Identifier: GPL-3.0-or-later
"""A transfer as it is declared: every leg of this host that the brought documents allow.

The controller declares a transfer to both of its hosts and carries what each of them gives. Which
leg comes next only the agents know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from seatkeeper_agent.domain.exchange import ENDS_IN, GIVES, TAKES, TRANSFER, Next
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import DocumentKind, Envelope, TransferRecord
from seatkeeper_agent.domain.transfers import Declaration, Leg, Side, State
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.declared.kinds import (
    FORESEEN,
    LOOKED_AT_MAX,
    Asked,
    Brought,
    Given,
    Outcome,
)
from seatkeeper_agent.operations.legs import LegRequest, over, require_same
from seatkeeper_agent.operations.views import declaration_from_view, transfer_view

if TYPE_CHECKING:
    from seatkeeper_agent.operations.transfers import TransferService

_LEGS = {side: tuple(leg for leg in Leg if leg.side is side) for side in Side}
_BROUGHT = {kind.value: FORESEEN for kind in DocumentKind}
_MOVES = (Leg.ISSUE, Leg.INSTALL)
"""The legs that change what a container holds, where nothing is refused."""


@dataclass
class _Progress:
    """How one side of one transfer goes on while its legs are done.

    A plan ``is_ahead`` where a source says whether it would go before it was asked by the target.
    """

    declaration: Declaration
    side: Side
    record: TransferRecord | None
    state: State
    answers: dict[Leg, dict[str, Any]] = field(default_factory=dict)
    is_ahead: bool = False

    @property
    def peer(self) -> str:
        """The agent at the other end."""
        at_source = self.side is Side.SOURCE
        return (self.declaration.target if at_source else self.declaration.source).agent

    @property
    def changed(self) -> bool:
        """Whether a leg did something, or would."""
        return any(answer["changed"] for answer in self.answers.values())

    @property
    def kept(self) -> dict[DocumentKind, Envelope]:
        """The documents that this host has of it."""
        return {} if self.record is None else self.record.documents


class TransferKind:
    """Declared transfers of one product's containers."""

    name = "transfer"
    schema = "declared-transfer"
    confirms = "plan_digest"
    secrets: frozenset[str] = frozenset()
    brings = _BROUGHT

    def __init__(self, journal: Journal, identity: Identity, transfers: TransferService) -> None:
        self._journal = journal
        self._identity = identity
        self._transfers = transfers

    def planning(self) -> TransferKind:
        """What is planned to leave a container is no more to be had by what follows."""
        return TransferKind(self._journal, self._identity, self._transfers.planning())

    def put(self, asked: Asked) -> Outcome:
        """Do, or plan, what this host can do of it now."""
        progress = self._begin(asked)
        brought = {DocumentKind(entry.kind): entry for entry in asked.brought}
        try:
            for leg in _LEGS[progress.side]:
                if self._is_due(leg, progress, asked, brought):
                    entry = brought.get(TAKES[leg]) if leg in TAKES else None
                    self._do(leg, progress, asked, entry)
            if not progress.answers:
                self._compare(progress, asked)
            self._require_possible(progress, asked)
        except Problem as problem:
            # What was done before it is said all the same, and its documents are given.
            return replace(self._outcome(progress, asked, set(brought)), problem=problem)
        return self._outcome(progress, asked, set(brought))

    def look(self) -> list[dict[str, Any]]:
        """The transfers that are open here, each with what comes next."""
        with self._journal.reading() as unit:
            records = unit.transfers.page(True, "", LOOKED_AT_MAX)
        return [transfer_view(record, None) for record in records]

    def _begin(self, asked: Asked) -> _Progress:
        declaration = _declaration(asked)
        side = declaration.side_of(self._identity.name)
        if side is None:
            raise Problem(
                ProblemCode.WRONG_HOST,
                f"The transfer {declaration.name!r} is between {declaration.source.agent!r} and"
                f" {declaration.target.agent!r}; this agent is {self._identity.name!r}.",
                "Declare it to those two, or correct the agent's name.",
            )
        record = self._record(declaration.id, side)
        state = State.NONE if record is None else record.state
        return _Progress(declaration, side, record, state)

    def _is_due(
        self,
        leg: Leg,
        progress: _Progress,
        asked: Asked,
        brought: Mapping[DocumentKind, Brought],
    ) -> bool:
        """Whether the leg can run now; a plan also says what a source would do when asked."""
        following = TRANSFER.next_of(progress.side, progress.state, progress.kept)
        if leg is Leg.INSTALL and _is_refused(asked):
            return progress.state not in (State.TRANSFERRED, State.RECEIPTED)
        if leg is Leg.REQUEST:
            # Done again as long as nothing arrived: one that is stale by now is made anew.
            fresh = progress.state in (State.NONE, State.VOID, State.REQUESTED)
            arriving = brought.get(DocumentKind.TRANSFER)
            has_arrived = arriving is not None and arriving.envelope is not None
            return fresh and not (_is_refused(asked) or has_arrived)
        if TAKES[leg] in brought:
            # Also where the leg is past: it takes the very document that it took, and no other.
            return True
        if following is None or following.leg != leg:
            return False
        is_plan = leg is Leg.ISSUE and asked.is_dry_run
        return following.awaits is None or is_plan

    def _do(
        self,
        leg: Leg,
        progress: _Progress,
        asked: Asked,
        brought: Brought | None,
    ) -> None:
        kept = progress.kept.get(TAKES[leg]) if leg in TAKES else None
        envelope = None if brought is None else brought.envelope
        request = LegRequest(
            leg=leg,
            declaration=progress.declaration,
            actor=asked.actor,
            document=envelope or (None if progress.state in TRANSFER.under_way else kept),
            decision=asked.declared.get("decision", "install"),
            confirmation=asked.declared.get("plan_digest"),
            update_counter=asked.declared.get("update_counter"),
            evidence=asked.evidence.get(progress.peer),
            facts={} if brought is None else brought.facts,
        )
        if not asked.is_dry_run:
            progress.answers[leg] = self._transfers.run(request)
            progress.record = self._record(progress.declaration.id, progress.side)
            progress.state = State.NONE if progress.record is None else progress.record.state
            return
        progress.is_ahead = leg is Leg.ISSUE and brought is None and kept is None
        answer = progress.answers[leg] = self._transfers.plan(request)
        if answer["changed"] and not progress.is_ahead:
            refused = leg is Leg.INSTALL and _is_refused(asked)
            progress.state = State.REFUSED if refused else ENDS_IN[leg]

    def _compare(self, progress: _Progress, asked: Asked) -> None:
        """What waits or is done is held against what the other host keeps of this one as well."""
        evidence = asked.evidence.get(progress.peer)
        if evidence is not None:
            leg = _LEGS[progress.side][0]
            wanted = LegRequest(leg, progress.declaration, asked.actor, evidence=evidence)
            self._transfers.compare(wanted, is_run=not asked.is_dry_run)

    def _require_possible(self, progress: _Progress, asked: Asked) -> None:
        """Problem for what is known otherwise, was refused or given up: never as declared."""
        if progress.record is not None and not progress.answers:
            require_same(progress.declaration, progress.record)
        if progress.changed or _is_refused(asked):
            return
        following = TRANSFER.next_of(progress.side, progress.state, ())
        if progress.state in (State.VOID, State.REFUSED) and following is None:
            raise over(progress.declaration, self._identity.name, progress.state)

    def _outcome(self, progress: _Progress, asked: Asked, brought: set[DocumentKind]) -> Outcome:
        answers = list(progress.answers.values())
        following = TRANSFER.next_of(progress.side, progress.state, {*progress.kept, *brought})
        moving = [progress.answers[leg] for leg in _MOVES if leg in progress.answers]
        shown = [*moving, *answers][:1] if asked.is_dry_run else [answers[-1]] if answers else []
        issue = progress.answers.get(Leg.ISSUE)
        return Outcome(
            changed=progress.changed,
            present=None if progress.record is None else transfer_view(progress.record, None),
            before=answers[0]["before"] if answers else {},
            after=shown[0]["after"] if shown else {},
            steps=tuple(step for answer in answers for step in answer["steps"]),
            digest=None if issue is None else issue["digest"],
            must_be_confirmed=issue is not None and issue["confirmation_required"],
            waits_for=_waits_for(progress, following),
            next=None if following is None else following.as_document(),
            documents=tuple(self._given(progress, asked)),
        )

    def _given(self, progress: _Progress, asked: Asked) -> list[Given]:
        planned = [
            Given(progress.peer, GIVES[leg].value, None, answer["facts"], is_planned=True)
            for leg, answer in progress.answers.items()
            if asked.is_dry_run and answer["changed"] and leg in GIVES and not progress.is_ahead
        ]
        if planned or progress.record is None:
            return planned
        owed = TRANSFER.owed[progress.side].get(progress.record.state, ())
        kept = {kind: progress.kept.get(DocumentKind(kind)) for kind in owed}
        return [Given(progress.peer, k, envelope) for k, envelope in kept.items() if envelope]

    def _record(self, transfer_id: str, side: Side) -> TransferRecord | None:
        with self._journal.reading() as unit:
            return unit.transfers.get(transfer_id, side)


def _is_refused(asked: Asked) -> bool:
    return bool(asked.declared.get("decision") == "refuse")


def _waits_for(progress: _Progress, following: Next | None) -> dict[str, Any] | None:
    if following is None or following.awaits is None:
        return None
    return {"agent": progress.peer, "document": following.awaits}


def _declaration(asked: Asked) -> Declaration:
    try:
        return declaration_from_view(asked.id, asked.declared["transfer"])
    except ValueError as error:
        raise Problem(
            ProblemCode.REQUEST_INVALID,
            f"The transfer cannot be read: {error}.",
            "Correct the declaration.",
        ) from error
