# SPDX-License-Identifier: GPL-3.0-or-later
"""What the journal remembers: transfers, operations and their steps, entries of the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from seatkeeper_agent.domain.licenses import Measure
from seatkeeper_agent.domain.planned_steps import Instructions, Performer
from seatkeeper_agent.domain.transfers import Declaration, Side, State


class DocumentKind(StrEnum):
    """The documents that pass between two hosts."""

    REQUEST = "request"
    TRANSFER = "transfer"
    RECEIPT = "receipt"
    ACKNOWLEDGEMENT = "acknowledgement"


class MoveDocument(StrEnum):
    """What the two hosts of a license server's move tell each other."""

    PREPARED = "prepared"
    RELEASED = "released"
    ARRIVED = "arrived"
    REFUSED = "refused"

    @property
    def side(self) -> Side:
        """Which host says it."""
        return Side.SOURCE if self is MoveDocument.RELEASED else Side.TARGET


Envelope = dict[str, Any]
"""A DSSE envelope as plain JSON values."""


@dataclass(frozen=True, slots=True)
class Past:
    """How far an agent's audit has come, and the hash that stands for all of it."""

    sequence: int
    head: str

    def as_document(self) -> dict[str, Any]:
        """As documents carry it."""
        return {"sequence": self.sequence, "head": self.head}


@dataclass(frozen=True, slots=True)
class TransferRecord:
    """One transfer as this host knows it."""

    declaration: Declaration
    side: Side
    state: State
    amounts: dict[Measure, int]
    documents: dict[DocumentKind, Envelope]
    vendor_transfer_id: str | None
    vendor_update_counter: int | None
    created_at: int
    updated_at: int

    @property
    def container(self) -> str:
        """The local container of this side."""
        place = self.declaration.source if self.side is Side.SOURCE else self.declaration.target
        return place.container


@dataclass(frozen=True, slots=True)
class DeclarationKey:
    """Which declaration an operation is for."""

    kind: str
    id: str


class OperationState(StrEnum):
    """How a piece of work stands; running, waiting and in doubt hold what they work on."""

    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"


class StepState(StrEnum):
    """How a step stands; ``intended`` means that its effect may or may not have happened.

    ``tried`` is over as well: a program was run to its end, and nothing that can be seen tells
    its effect.
    """

    PLANNED = "planned"
    INTENDED = "intended"
    TRIED = "tried"
    DONE = "done"

    @property
    def is_over(self) -> bool:
        """Whether the next step may begin."""
        return self in (StepState.TRIED, StepState.DONE)


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One journaled step. ``type`` and ``arguments`` are what it is made from again.

    ``name`` and ``title`` are for people, and nothing is read out of them. ``baseline`` is what
    was observed when the intent was written.

    ``until`` is the deadline of somebody else's step in Unix seconds; ``attested`` is the
    sentence of the person who took responsibility where nothing could be observed. ``said`` is
    how a vendor's program ended that was run for it, and what it said last, without secrets.
    """

    position: int
    type: str
    name: str
    title: str
    reversible: bool
    state: StepState
    arguments: dict[str, Any] = field(default_factory=dict)
    attempts: int = 0
    baseline: dict[str, Any] = field(default_factory=dict)
    intended_at: float | None = None
    performer: Performer = Performer.AGENT
    instructions: Instructions | None = None
    until: int | None = None
    attested: str | None = None
    said: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """What was noticed while an operation ran; ``at`` in Unix seconds."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """One journaled operation. ``holds`` is what no other may work on, ``subject`` is for people.

    ``declaration`` is None where nothing was declared, as for a container that is frozen.
    """

    id: str
    kind: str
    subject: str
    declaration: DeclarationKey | None
    side: Side | None
    holds: str
    state: OperationState
    steps: tuple[StepRecord, ...]
    problem: dict[str, Any] | None
    actor: str
    created_at: int
    updated_at: int
    notes: tuple[Note, ...] = ()

    @property
    def declared_id(self) -> str:
        """The id of its declaration; LookupError where nothing was declared."""
        if self.declaration is None:
            raise LookupError(f"the operation {self.id} is for no declaration")
        return self.declaration.id

    def begun(self, *types: str) -> list[StepRecord]:
        """Its steps of these types that are planned no more."""
        return [
            step
            for step in self.steps
            if step.type in types and step.state is not StepState.PLANNED
        ]

    @property
    def intended(self) -> StepRecord | None:
        """The step that was begun or handed out, if one is."""
        return next((step for step in self.steps if step.state is StepState.INTENDED), None)

    @property
    def awaited(self) -> StepRecord | None:
        """The step of somebody else that a waiting operation waits for."""
        return self.intended if self.state is OperationState.WAITING else None


class Event(StrEnum):
    """Why seats are posted; per transfer each of the first three happens at most once."""

    DEBIT = "debit"
    CREDIT = "credit"
    CREDIT_BACK = "credit_back"
    OBSERVED = "observed"


class Account(StrEnum):
    """Where seats can be in the ledger."""

    CONTAINER = "container"
    ESCROW = "escrow"
    LENT = "lent"
    VENDOR = "vendor"


@dataclass(frozen=True, slots=True)
class Posting:
    """One row of an entry; the rows of an entry sum to zero per item and measure."""

    account: Account
    reference: str
    item: str
    measure: Measure
    amount: int


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One link of the audit chain."""

    sequence: int
    at: int
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class BorrowRecord:
    """A declared borrow at the borrower: its lots are transfers of one seat or one item each."""

    id: str
    declaration: dict[str, Any]
    lots: tuple[str, ...]
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class DeclarationRecord:
    """What is declared of a server or a dongle, and how far it came."""

    kind: str
    id: str
    document: dict[str, Any]
    created_at: int
    updated_at: int
