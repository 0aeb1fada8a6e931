# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step is: something that can be asked whether it happened, and done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from seatkeeper_agent.domain.planned_steps import Instructions, Performer
from seatkeeper_agent.domain.records import DeclarationKey, OperationRecord
from seatkeeper_agent.domain.transfers import Side
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.ports import DriverError


class Verdict(StrEnum):
    """What a probe saw; ``tried``: it was run to its end, and its effect shows nowhere."""

    DONE = "done"
    TRIED = "tried"
    NOT_DONE = "not_done"
    UNKNOWN = "unknown"
    CONTRADICTED = "contradicted"
    """Something shows that may belong to another object: only a person can tell to which."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe's verdict, what it saw, in one clause why it cannot tell, and what to do then."""

    verdict: Verdict
    evidence: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    advice: str = ""


class HandedOver(Exception):
    """What a step was to begin has begun for certain, and its end is somebody else's by now."""

    def __init__(self, performer: Performer, instructions: Instructions) -> None:
        super().__init__(f"left to the {performer.value}")
        self.performer = performer
        self.instructions = instructions


class Step(Protocol):
    """One effect on a vendor product. Only the engine calls these methods, in this order."""

    @property
    def type(self) -> str:
        """Which function makes it again from the journal."""

    @property
    def arguments(self) -> dict[str, Any]:
        """What it is made from, besides its operation's declaration: plain JSON values."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def title(self) -> str:
        """What people read: a noun phrase that fits into a sentence."""

    @property
    def reversible(self) -> bool:
        """Whether what it does can be undone with the vendor's own means."""

    @property
    def performer(self) -> Performer:
        """Who does it; for everybody but the agent the engine waits instead of performing."""

    @property
    def instructions(self) -> Instructions | None:
        """What somebody else is told; None for the agent's own steps."""

    @property
    def said(self) -> str | None:
        """What a vendor's program said when this was performed, in a clause; None for none."""

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Did it happen? ``baseline`` is None as long as no intent was written."""

    def baseline(self) -> dict[str, Any]:
        """What the probe will compare with; read just before the intent is written.

        DriverError or Problem for what the vendor's product cannot do anyway; plans ask as well.
        """

    def require_allowed(self, unit: Unit, baseline: dict[str, Any]) -> None:
        """Problem for what forbids the intent; asked by plans as well, so it writes nothing."""

    def intend(self, unit: Unit, baseline: dict[str, Any]) -> None:
        """What becomes durable together with the intent."""

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """The effect itself; raises DriverError, or HandedOver for what goes on by itself."""

    def withdraw(self, unit: Unit) -> None:
        """What becomes durable when the effect was refused and observed not to have happened."""

    def collect(self, evidence: dict[str, Any], returned: bytes | None) -> bytes:
        """What the outcome needs besides; ``returned`` is None after an interruption."""

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """What becomes durable together with the outcome."""


@dataclass
class ProgramOutput:
    """What was heard while a step was performed."""

    said: str | None = None


class PlainStep:
    """A step that posts nothing and asks nobody; what it is and does comes from its type."""

    @property
    def type(self) -> str:
        """Which function makes it again from the journal."""
        raise NotImplementedError

    @property
    def arguments(self) -> dict[str, Any]:
        """Most need their operation's declaration only."""
        return {}

    @property
    def name(self) -> str:
        """Most are the only one of their type in an operation."""
        return self.type

    @property
    def title(self) -> str:
        """What people read."""
        raise NotImplementedError

    @property
    def reversible(self) -> bool:
        """Most are."""
        return True

    @property
    def performer(self) -> Performer:
        """The agent itself."""
        return Performer.AGENT

    @property
    def instructions(self) -> Instructions | None:
        """None for the agent's own steps."""
        return None

    @property
    def said(self) -> str | None:
        """Most run no program."""
        return None

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Did it happen?"""
        raise NotImplementedError

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """EFFECT: the step itself; raises DriverError."""
        raise NotImplementedError

    def baseline(self) -> dict[str, Any]:
        """Nothing to compare with."""
        return {}

    def require_allowed(self, unit: Unit, baseline: dict[str, Any]) -> None:
        """Nothing forbids it."""

    def intend(self, unit: Unit, baseline: dict[str, Any]) -> None:
        """Nothing besides the intent."""

    def withdraw(self, unit: Unit) -> None:
        """Nothing to take back."""

    def collect(self, evidence: dict[str, Any], returned: bytes | None) -> bytes:
        """Nothing besides."""
        return b""

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """Nothing besides the outcome."""


def probed(step: Step, baseline: dict[str, Any] | None) -> Probe:
    """What a step's probe sees; a product that does not answer tells nothing."""
    try:
        return step.probe(baseline)
    except DriverError as error:
        return Probe(Verdict.UNKNOWN, reason=str(error))


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """An operation that the engine is asked to run or to take up again.

    The id is the idempotency key: the same work has the same id in every run.
    """

    id: str
    kind: str
    subject: str
    side: Side | None
    holds: str
    actor: str
    steps: tuple[Step, ...]
    declaration: DeclarationKey | None = None


Makers = Mapping[str, Callable[[dict[str, Any]], Step]]
"""By a step's type the function that makes it from its arguments, for one operation."""


def work_from(operation: OperationRecord, makers: Makers, actor: str) -> OperationSpec:
    """An operation as the journal has it, to be gone on with."""
    return OperationSpec(
        operation.id,
        operation.kind,
        operation.subject,
        operation.side,
        operation.holds,
        actor,
        tuple(makers[step.type](step.arguments) for step in operation.steps),
        operation.declaration,
    )
