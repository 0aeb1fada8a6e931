# SPDX-License-Identifier: GPL-3.0-or-later
"""How an attempt at a migration stands, and what is said of one that is in the way."""

from __future__ import annotations

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import (
    DeclarationRecord,
    OperationRecord,
    OperationState,
    StepState,
)


def has_begun(operation: OperationRecord) -> bool:
    """Whether the irreversible step was ever intended."""
    return any(
        step.name == "transfer" and step.state is not StepState.PLANNED for step in operation.steps
    )


def is_under_way(operation: OperationRecord) -> bool:
    """Whether the irreversible step is somebody's or the vendor's at this moment, or in doubt."""
    return not has_ended(operation) and any(
        step.name == "transfer" and step.state is StepState.INTENDED for step in operation.steps
    )


def has_ended(operation: OperationRecord | None) -> bool:
    """Whether it holds nothing any more."""
    return operation is None or operation.state in (OperationState.DONE, OperationState.FAILED)


def counts(known: DeclarationRecord, operation: OperationRecord) -> bool:
    """Whether a declaration made anew is about this attempt, and not about another one."""
    return known.document["outcome"] is not None or not has_ended(operation)


def is_over(operation: OperationRecord) -> bool:
    """Whether nothing is left to be done or seen; what a person attested stays so."""
    if operation.state is OperationState.FAILED and operation.problem is not None:
        return bool(operation.problem["code"] == ProblemCode.ATTESTED_UNDONE.value)
    return operation.state is OperationState.DONE


def not_given_up(operation: OperationRecord) -> Problem:
    """Its irreversible step may have happened: only a person can end it."""
    return Problem(
        ProblemCode.IN_DOUBT,
        f"The migration of {operation.subject} may have been begun on the server's page.",
        f"If it was not, have a migrator attest the operation {operation.id} as not done.",
        {"operation": operation.id},
    )


def busy(dongle: str, held: OperationRecord | None) -> Problem:
    """Others were first; what was confirmed may hold no longer."""
    other = "somebody else has just declared it" if held is None else f"{held.subject} is under way"
    return Problem(
        ProblemCode.CONTAINER_BUSY,
        f"The migration of dongle {dongle} was not begun, because {other}.",
        "Wait for its end, then look at the plan again and confirm it.",
        {} if held is None else {"operation": held.id},
    )


def unknown(operation: str) -> Problem:
    """An operation that no declaration on this host belongs to."""
    return Problem(
        ProblemCode.OPERATION_UNKNOWN,
        f"The operation {operation} belongs to no migration on this host.",
        "Look at the list of operations.",
    )
