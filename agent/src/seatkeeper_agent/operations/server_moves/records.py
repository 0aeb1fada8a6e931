# SPDX-License-Identifier: GPL-3.0-or-later
"""A move as the journal of one host keeps it, and what became of each of its licenses."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from seatkeeper_agent.domain.records import DeclarationRecord, Envelope, MoveDocument
from seatkeeper_agent.domain.server_move_legs import MoveDeclaration, MoveState, may_become
from seatkeeper_agent.domain.server_moves import Place, ServerBackup
from seatkeeper_agent.domain.transfers import NAMESPACE, Side
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.server_moves.documents import RETURNED, Basis

KIND = "server_move"
MOVE = "move"
LISTED_MAX = 10_000
TRIED = "tried"
"""The command was run to its end and nothing that can be seen tells its effect."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one license is on this host.

    ``released``: how it is known that the source has it no more, and since when in Unix seconds.
    ``activated``: what this host made of activating it. ``profiles``: the same, by name.
    ``there``: what the target's document tells of it, at the source. ``freed``: how it is known
    that the vendor's support has taken it from a lost machine.
    """

    released: str | None = None
    released_at: int | None = None
    activated: str | None = None
    profiles: dict[str, str] = field(default_factory=dict)
    there: str | None = None
    freed: str | None = None

    @property
    def is_active_here(self) -> bool:
        """Whether it is known to be."""
        return self.activated in (Basis.OBSERVED, Basis.ATTESTED)


@dataclass(frozen=True, slots=True)
class LegOutline:
    """How the steps of an operation are, frozen when it is begun: from it they can be built again.

    ``leg`` is a leg's name, or that of giving up. ``numbers`` are the licenses it is about,
    ``profiles`` pairs of a profile and its license, ``verified`` the licenses that a person looks
    at. ``by_person`` are the kinds of steps that a person does; ``unseen`` is what the agent
    cannot see, licenses or profiles. ``bound`` are the digests of what was seen of the server when
    the plan was confirmed, by part.
    """

    leg: str
    numbers: tuple[str, ...] = ()
    profiles: tuple[tuple[str, str], ...] = ()
    verified: tuple[str, ...] = ()
    by_person: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    support: bool = False
    maintenance: bool = False
    offline: bool = False
    bound: dict[str, str] | None = None

    def as_document(self) -> dict[str, Any]:
        """As plain JSON values."""
        lists = ("numbers", "verified", "by_person", "unseen")
        plain = {**asdict(self), "profiles": [list(pair) for pair in self.profiles]}
        return plain | {key: list(plain[key]) for key in lists}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> LegOutline:
        """Read what ``as_document`` wrote."""
        lists = ("numbers", "verified", "by_person", "unseen")
        pairs = tuple((str(name), str(number)) for name, number in document["profiles"])
        return cls(
            **{**document, "profiles": pairs, **{key: tuple(document[key]) for key in lists}}
        )


@dataclass(frozen=True, slots=True)
class MoveRecord:
    """One move on one host. ``attempt`` counts its operations, ``outline`` is that of the last one.

    ``required`` is what was declared of the target. ``superseded`` are digests of older
    ``prepared`` documents, whose answers still count.
    """

    declaration: MoveDeclaration
    side: Side
    state: MoveState
    backup: ServerBackup
    attempt: int = 0
    outline: LegOutline | None = None
    licenses: dict[str, Progress] = field(default_factory=dict)
    documents: dict[str, Envelope] = field(default_factory=dict)
    superseded: tuple[str, ...] = ()
    required: dict[str, Any] = field(default_factory=dict)
    created_at: int = 0
    updated_at: int = 0

    @property
    def id(self) -> str:
        """The move's id."""
        return self.declaration.id

    @property
    def numbers(self) -> tuple[str, ...]:
        """All its licenses."""
        return tuple(entry.number for entry in self.backup.licenses)

    @property
    def released(self) -> tuple[str, ...]:
        """Those that the source has no more."""
        return tuple(n for n in self.numbers if self.progress(n).released is not None)

    def label(self, number: str) -> str:
        """A license's number with the name that people call it by."""
        return next(entry.label for entry in self.backup.licenses if entry.number == number)

    def progress(self, number: str) -> Progress:
        """How far one license is."""
        return self.licenses.get(number, Progress())

    def place(self, number: str) -> Place:
        """Where a license is active, as far as this side's journal and the other's word know."""
        known = self.progress(number)
        if known.is_active_here:
            return Place.SOURCE if self.side is Side.SOURCE else Place.TARGET
        if known.activated == TRIED:
            return Place.UNKNOWN
        if known.there in (Basis.OBSERVED, Basis.ATTESTED):
            return Place.TARGET
        if known.released is None:
            return Place.SOURCE
        return Place.ORPHANED if self.is_not_elsewhere(number) else Place.UNKNOWN

    def is_not_elsewhere(self, number: str) -> bool:
        """Whether the other side's word, or the vendor's support, says that it has it not.

        A target that has only signed that it is prepared was never told of a release; after that
        only its next document tells.
        """
        known = self.progress(number)
        if self.side is Side.TARGET or known.freed is not None:
            return known.released is not None
        never_reported = self.document(MoveDocument.RELEASED) is None
        is_prepared = self.document(MoveDocument.PREPARED) is not None
        return known.there == RETURNED or (never_reported and is_prepared)

    def document(self, kind: MoveDocument) -> Envelope | None:
        """A document that was made or taken here."""
        return self.documents.get(kind.value)

    def advanced(self, state: MoveState, **changes: Any) -> MoveRecord:
        """In another state; ValueError for one that the table does not allow."""
        if not may_become(self.side, self.state, state):
            raise ValueError(f"a move at its {self.side} cannot go from {self.state} to {state}")
        return replace(self, state=state, **changes)

    def with_document(self, kind: MoveDocument, envelope: Envelope) -> MoveRecord:
        """With one more document."""
        return replace(self, documents={**self.documents, kind.value: envelope})

    def with_progress(self, number: str, **changes: Any) -> MoveRecord:
        """With what became of one license."""
        changed = replace(self.progress(number), **changes)
        return replace(self, licenses={**self.licenses, number: changed})

    def as_document(self) -> dict[str, Any]:
        """As the journal keeps it."""
        return {
            "declaration": self.declaration.as_document(),
            "side": self.side.value,
            "state": self.state.value,
            "backup": self.backup.as_document(),
            "attempt": self.attempt,
            "shape": None if self.outline is None else self.outline.as_document(),
            "licenses": {number: asdict(entry) for number, entry in self.licenses.items()},
            "documents": self.documents,
            "superseded": list(self.superseded),
            "required": self.required,
        }


def record_from(known: DeclarationRecord) -> MoveRecord:
    """Read what ``as_document`` wrote."""
    document = known.document
    outline = document["shape"]
    return MoveRecord(
        declaration=MoveDeclaration(**document["declaration"]),
        side=Side(document["side"]),
        state=MoveState(document["state"]),
        backup=ServerBackup.from_document(document["backup"]),
        attempt=document["attempt"],
        outline=None if outline is None else LegOutline.from_document(outline),
        licenses={number: Progress(**entry) for number, entry in document["licenses"].items()},
        documents=document["documents"],
        superseded=tuple(document["superseded"]),
        required=document["required"],
        created_at=known.created_at,
        updated_at=known.updated_at,
    )


def find(unit: Unit, move: str) -> MoveRecord | None:
    """A move of this host; None for one that it does not know."""
    known = unit.declarations.get(MOVE, move)
    return None if known is None else record_from(known)


def page(unit: Unit, after: str, limit: int) -> list[MoveRecord]:
    """Moves in the order of their ids."""
    return [record_from(known) for known in unit.declarations.page(MOVE, after, limit)]


def in_states(unit: Unit, states: Iterable[MoveState]) -> list[MoveRecord]:
    """Moves that are in one of these states, in the order of their ids."""
    return [record_from(known) for known in unit.declarations.in_states(MOVE, states)]


def unsettled(unit: Unit) -> list[MoveRecord]:
    """Moves of which something more will happen on this host."""
    return in_states(unit, (state for state in MoveState if not state.is_settled))


def put(unit: Unit, record: MoveRecord) -> None:
    """Remember it as it is now."""
    unit.declarations.put(MOVE, record.id, record.as_document())


def present(unit: Unit, move: str) -> MoveRecord:
    """One that was written before; LookupError otherwise."""
    found = find(unit, move)
    if found is None:
        raise LookupError(f"the move {move} is not in the journal")
    return found


def note(unit: Unit, move: str, number: str, **changes: Any) -> None:
    """What became of one license."""
    put(unit, present(unit, move).with_progress(number, **changes))


def returned(record: MoveRecord) -> tuple[str, ...]:
    """The licenses that a target has refused for good, as the source knows."""
    return tuple(n for n in record.numbers if record.progress(n).there == RETURNED)


def operation_id(record: MoveRecord, attempt: int | None = None) -> str:
    """The id of one attempt at one leg, the last one unless it is named; no two hosts share it."""
    number = record.attempt if attempt is None else attempt
    return str(uuid.uuid5(NAMESPACE, f"{KIND}/{record.id}/{record.side.value}/{number}"))
