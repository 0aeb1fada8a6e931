# SPDX-License-Identifier: GPL-3.0-or-later
"""A license server's move as it is declared: every leg of this host that can be done now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from seatkeeper_agent.domain.exchange import BACKUP, SERVER_MOVE, Next
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import Envelope, MoveDocument
from seatkeeper_agent.domain.server_move_legs import MoveDeclaration, MoveLeg, MoveState, move_id
from seatkeeper_agent.domain.server_moves import BackedUpLicense, ServerBackup
from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.domain.transfers import Side
from seatkeeper_agent.operations.declared.kinds import (
    FORESEEN,
    LOOKED_AT_MAX,
    Asked,
    Brought,
    Given,
    Outcome,
)
from seatkeeper_agent.operations.declared.reading import outcome_of
from seatkeeper_agent.operations.documents import payload_of
from seatkeeper_agent.operations.server_moves.documents import backup_digest
from seatkeeper_agent.operations.server_moves.leg_steps import MoveRequest

if TYPE_CHECKING:
    from seatkeeper_agent.operations.server_moves.records import MoveRecord
    from seatkeeper_agent.operations.server_moves.service import MoveService

_FRESH = {
    Side.SOURCE: (MoveState.NONE, MoveState.VOID, MoveState.BACKED_UP),
    Side.TARGET: (MoveState.NONE, MoveState.VOID, MoveState.PREPARING, MoveState.PREPARED),
}
"""Where the first leg of a side may be done again: what it looked at may have changed."""
_NEVER_LEFT = {MoveState.NONE, MoveState.VOID}
"""There is nothing to take back."""


def move_request(move: str, leg: MoveLeg, declared: dict[str, Any], actor: str) -> MoveRequest:
    """One leg of what is declared; Problem for an id of another name, or an unusable backup."""
    declaration = MoveDeclaration(**declared["move"])
    if move != declaration.id:
        raise Problem(
            ProblemCode.REQUEST_INVALID,
            f"The id {move} is not that of a move with the name {declaration.name!r}.",
            f"Use {move_id(declaration.name)}.",
        )
    licenses, backup = declared.get("licenses"), declared.get("backup")
    codes = {entry["license"]: Secret(entry["code"]) for entry in declared.get("codes", [])}
    return MoveRequest(
        leg=leg,
        declaration=declaration,
        actor=actor,
        licenses=None if licenses is None else licenses_of(licenses),
        backup=None if backup is None else _backup(backup),
        required=declared.get("require", {}),
        document=declared.get("document"),
        evidence=declared.get("evidence"),
        is_foreseen=declared.get("is_foreseen", False),
        refuse=leg is MoveLeg.INSTALL and declared.get("decision") == "refuse",
        confirmation=declared.get("plan_digest"),
        codes=codes,
        offline=declared.get("offline", False),
        target_lost=declared.get("target_lost", False),
    )


def licenses_of(entries: list[dict[str, Any]]) -> tuple[BackedUpLicense, ...]:
    """The licenses of a server as they are declared."""
    return tuple(
        BackedUpLicense(
            entry["number"], tuple(entry["profiles"]), entry["has_code"], name=entry.get("name")
        )
        for entry in entries
    )


@dataclass
class _Progress:
    """How one side of one move goes on while its legs are done."""

    declaration: MoveDeclaration
    side: Side
    record: MoveRecord | None
    state: MoveState
    answers: dict[MoveLeg, dict[str, Any]] = field(default_factory=dict)

    @property
    def peer(self) -> str:
        """The agent at the other end."""
        at_source = self.side is Side.SOURCE
        return self.declaration.target if at_source else self.declaration.source

    @property
    def documents(self) -> dict[str, Envelope]:
        """Those that it was brought before, or has made."""
        return {} if self.record is None else self.record.documents

    @property
    def is_waiting(self) -> bool:
        """Whether its last leg waits for somebody, so that no other can be done."""
        return any(answer["waiting"] for answer in self.answers.values())


class ServerMoveKind:
    """Moves of one vendor's license server from or to this host."""

    name = "server_move"
    schema = "declared-move"
    confirms = "plan_digest"
    secrets = frozenset({"codes"})
    brings = {BACKUP: "server-backup"} | {kind.value: FORESEEN for kind in MoveDocument}

    def __init__(self, moves: MoveService, agent: str) -> None:
        self._moves = moves
        self._agent = agent

    def look(self) -> list[dict[str, Any]]:
        """Where each move stands, and above all which licenses are active nowhere."""
        return self._moves.page("", LOOKED_AT_MAX)

    def planning(self) -> ServerMoveKind:
        """Each plan of it is of what is there."""
        return self

    def put(self, asked: Asked) -> Outcome:
        """Do, or plan, what this host can do of it now."""
        progress = self._begin(asked)
        brought = {entry.kind: entry for entry in asked.brought}
        try:
            for leg in MoveLeg:
                is_own = leg.side is progress.side and not progress.is_waiting
                if leg is MoveLeg.RELEASE and _is_of_another_backup(progress, brought):
                    # It answers an older backup, so that it is still awaited.
                    del brought[MoveDocument.PREPARED]
                if is_own and _is_due(leg, progress, asked, brought):
                    self._do(leg, progress, asked, brought)
        except Problem as problem:
            # What was done before it is said all the same, and its documents are given.
            return replace(self._outcome(progress, asked, brought), problem=problem)
        return self._outcome(progress, asked, brought)

    def _begin(self, asked: Asked) -> _Progress:
        declaration = MoveDeclaration(**asked.declared["move"])
        side = {declaration.source: Side.SOURCE, declaration.target: Side.TARGET}.get(self._agent)
        if side is None:
            raise Problem(
                ProblemCode.WRONG_HOST,
                f"The move {declaration.name!r} is from {declaration.source!r} to"
                f" {declaration.target!r}; this agent is {self._agent!r}.",
                "Declare it to those two, or correct the agent's name.",
            )
        record = self._moves.known(declaration.id)
        state = MoveState.NONE if record is None else record.state
        return _Progress(declaration, side, record, state)

    def _do(
        self, leg: MoveLeg, progress: _Progress, asked: Asked, brought: dict[str, Brought]
    ) -> None:
        if leg is MoveLeg.RESTORE and progress.state is MoveState.BACKED_UP:
            # Nothing has begun to leave, so nothing has to be activated again.
            answer = self._moves.give_up(asked.id, asked.actor, asked.is_dry_run)
        else:
            request = self._request(leg, progress, asked, brought)
            answer = self._moves.run(request, asked.is_dry_run)
        progress.answers[leg] = answer
        if not asked.is_dry_run:
            progress.record = self._moves.known(progress.declaration.id)
        progress.state = MoveState(answer["after"]["state"])

    def _request(
        self, leg: MoveLeg, progress: _Progress, asked: Asked, brought: dict[str, Brought]
    ) -> MoveRequest:
        takes = SERVER_MOVE.takes.get(leg, "")
        document = brought.get(takes)
        # A leg that failed half-way goes on with what it was brought before.
        kept = progress.documents.get(takes) if leg is MoveLeg.RELEASE else None
        codes = asked.declared.get("codes", {})
        declared = {
            **asked.declared,
            "codes": [{"license": number, "code": code} for number, code in codes.items()],
            "document": kept if document is None else document.envelope,
            "is_foreseen": document is not None and document.envelope is None,
            "evidence": asked.evidence.get(progress.peer),
            "backup": self._backup_for(progress, asked, brought),
            "decision": "refuse" if _wants_back(asked) else "install",
        }
        return move_request(asked.id, leg, declared, asked.actor)

    def _backup_for(self, progress: _Progress, asked: Asked, brought: dict[str, Brought]) -> Any:
        """What was brought; for a plan of the source also what it has just planned to make.

        Of a machine that is lost nobody brings one, so that it is declared.
        """
        if BACKUP in brought:
            return brought[BACKUP].facts
        made = progress.answers.get(MoveLeg.BACKUP)
        return asked.declared.get("backup") if made is None else made["backup"]

    def _outcome(self, progress: _Progress, asked: Asked, brought: dict[str, Brought]) -> Outcome:
        following = _next(progress, asked, {*progress.documents, *brought})
        outcomes = [outcome_of(answer, "move") for answer in progress.answers.values()]
        last = outcomes[-1] if outcomes else Outcome(changed=False)
        confirmed = next((each for each in outcomes if each.must_be_confirmed), last)
        return replace(
            last,
            changed=any(each.changed for each in outcomes),
            present=last.present or self._moves.view(progress.declaration.id),
            before=outcomes[0].before if outcomes else {},
            steps=tuple(step for each in outcomes for step in each.steps),
            digest=confirmed.digest,
            must_be_confirmed=confirmed.must_be_confirmed,
            waits_for=last.waits_for or _waits_for(progress, following),
            next=None if following is None else following.as_document(),
            documents=tuple(_given(progress, asked)),
            details={name: of for each in outcomes for name, of in each.details.items()},
        )


def _is_due(leg: MoveLeg, progress: _Progress, asked: Asked, brought: dict[str, Brought]) -> bool:
    state, wants_back = progress.state, _wants_back(asked)
    if leg is MoveLeg.RESTORE:
        return wants_back and _may_be_restored(progress, asked, brought)
    if leg is MoveLeg.INSTALL and wants_back:
        return state not in (MoveState.NONE, MoveState.REFUSED)
    if wants_back:
        return False
    is_lost = progress.declaration.source_lost
    if leg is MoveLeg.BACKUP:
        return state in _FRESH[Side.SOURCE]
    released = brought.get(MoveDocument.RELEASED)
    has_left = released is not None and released.envelope is not None
    if leg is MoveLeg.INSTALL and state is MoveState.VOID:
        return has_left  # It gave up, and takes what left before that all the same.
    if leg is MoveLeg.PREPARE:
        may = BACKUP in brought or is_lost or state is MoveState.PREPARING
        return may and not has_left and state in _FRESH[Side.TARGET]
    following = SERVER_MOVE.next_of(progress.side, state, brought)
    if following is None or following.leg != leg:
        return False
    return following.awaits is None or (leg is MoveLeg.INSTALL and is_lost)


def _is_of_another_backup(progress: _Progress, brought: dict[str, Brought]) -> bool:
    """Whether the target was held against another backup than the source has just made."""
    made, prepared = progress.answers.get(MoveLeg.BACKUP), brought.get(MoveDocument.PREPARED)
    if made is None or prepared is None or prepared.envelope is None:
        return False
    facts = payload_of(MoveDocument.PREPARED, prepared.envelope)["facts"]
    return bool(facts.get("backup") != backup_digest(_backup(made["backup"])))


def _next(progress: _Progress, asked: Asked, known: set[str]) -> Next | None:
    """What this side does next; ``known`` are the documents that it has."""
    if _wants_back(asked):
        return _next_of_way_back(progress, asked, known)
    following = SERVER_MOVE.next_of(progress.side, progress.state, known)
    if following is not None and progress.declaration.source_lost:
        return replace(following, awaits=None)  # Nobody is there who could give it.
    return following


def _next_of_way_back(progress: _Progress, asked: Asked, known: set[str]) -> Next | None:
    if progress.side is Side.TARGET or progress.state in _NEVER_LEFT | {MoveState.RESTORED}:
        return None
    may = _may_be_restored(progress, asked, known)
    return Next(MoveLeg.RESTORE, None if may else MoveDocument.REFUSED, None)


def _may_be_restored(progress: _Progress, asked: Asked, known: Collection[str]) -> bool:
    """Nothing can be taken back before the target has said that it never takes it, or is lost."""
    if progress.state in _NEVER_LEFT | {MoveState.RESTORED}:
        return False
    is_free = MoveDocument.REFUSED in known or asked.declared.get("target_lost", False)
    return is_free or progress.state is not MoveState.RELEASED


def _wants_back(asked: Asked) -> bool:
    return bool(asked.declared.get("state") == "restored")


def _given(progress: _Progress, asked: Asked) -> list[Given]:
    """What the other host may lack; in a dry run what each planned leg would tell it."""
    gives = dict(SERVER_MOVE.gives)
    if _wants_back(asked):
        gives[MoveLeg.INSTALL] = MoveDocument.REFUSED
    planned = [
        Given(progress.peer, gives[leg], None, answer["backup"] or {}, True, gives[leg] != BACKUP)
        for leg, answer in progress.answers.items()
        if asked.is_dry_run and answer["changed"] and leg in gives
    ]
    if planned or progress.record is None:
        return planned
    owed = SERVER_MOVE.owed[progress.side].get(progress.record.state, ())
    given = [_owed(kind, progress.peer, progress.record) for kind in owed]
    return [each for each in given if each is not None]


def _owed(kind: str, peer: str, record: MoveRecord) -> Given | None:
    if kind == BACKUP:
        return Given(peer, BACKUP, None, record.backup.as_document(), is_signed=False)
    envelope = record.documents.get(kind)
    return None if envelope is None else Given(peer, kind, envelope)


def _waits_for(progress: _Progress, following: Next | None) -> dict[str, Any] | None:
    if following is None or following.awaits is None:
        return None
    return {"agent": progress.peer, "document": following.awaits}


def _backup(document: dict[str, Any]) -> ServerBackup:
    try:
        return ServerBackup.from_document(document)
    except ValueError as error:
        raise Problem(
            ProblemCode.REQUEST_INVALID,
            f"The backup cannot be used: {error}.",
            "Use the file as it was written.",
        ) from error
