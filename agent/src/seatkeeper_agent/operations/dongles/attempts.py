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
from seatkeeper_agent.operations.dongles.steps import TRANSFER


def has_begun(operation: OperationRecord) -> bool:
    """Whether the irreversible step was ever intended."""
    return bool(operation.begun(TRANSFER))


def is_under_way(operation: OperationRecord) -> bool:
    """Whether the irreversible step is somebody's or the vendor's at this moment, or in doubt."""
    return not has_ended(operation) and any(
        step.state is StepState.INTENDED for step in operation.begun(TRANSFER)
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


def replaced(operation: OperationRecord) -> Problem:
    """The attempt ended because its dongle did not stay; another one takes its place."""
    return Problem(
        ProblemCode.RUNTIME_UNFINISHED,
        f"The migration of {operation.subject} was stopped, because its dongle did not stay the"
        " only one that the driver could have; it was planned anew.",
        "Look at the attempt that took its place.",
    )


def problem_of_stop(problem: Problem, why: str) -> Problem:
    """What keeps a migration from being planned anew, for whoever is still at the page."""
    is_gone = problem.code is ProblemCode.DONGLE_UNKNOWN
    return Problem(
        problem.code,
        f"Stop, click nothing more on the server's page: {why}. {problem.detail}",
        "Plug the dongle in again, alone; then run with --check and confirm the plan that it shows."
        if is_gone
        else problem.next_action,
        problem.facts,
    )


def doubt_advice(dongle: str, operation: str) -> str:
    """What to do while nobody can tell whether the irreversible step has happened."""
    return (
        "Nothing is clicked a second time. Run the playbook again: it looks, and goes on as soon as"
        " the server shows the end. If it never does, look at the vendor's account page, and"
        f" {_attest(dongle, operation)}"
    )


def contradiction_advice(dongle: str, operation: str) -> str:
    """What to do where what shows may be another dongle's."""
    return (
        "Leave the dongles as they are, look at the vendor's account page whose licenses came, and"
        f" {_attest(dongle, operation)}"
    )


def _attest(dongle: str, operation: str) -> str:
    return (
        f"have a migrator attest the operation {operation}: done if the licenses of the dongle"
        f" {dongle} are there, not_done if its migration was never begun."
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
