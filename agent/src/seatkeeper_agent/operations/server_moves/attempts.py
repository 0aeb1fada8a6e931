# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the operation of one leg is, and what programs said that it ran."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seatkeeper_agent.domain.records import OperationRecord, OperationState, StepState
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.server_moves.steps import DEACTIVATE


def is_open(operation: OperationRecord | None) -> bool:
    """Whether it runs, waits or is in doubt."""
    ended = (OperationState.DONE, OperationState.FAILED)
    return operation is not None and operation.state not in ended


def has_begun(operation: OperationRecord) -> bool:
    """Whether anything was done, or may have been."""
    return any(step.state is not StepState.PLANNED for step in operation.steps)


def has_released(operation: OperationRecord) -> bool:
    """Whether a deactivation was handed out or begun: it may happen at any moment."""
    return bool(operation.begun(DEACTIVATE))


def marks(operation: OperationRecord | None) -> tuple[str, ...]:
    """How far each step is."""
    return () if operation is None else tuple(step.state.value for step in operation.steps)


def program_reports(
    journal: Journal, operations: Sequence[str], commands: Sequence[tuple[str, dict[str, Any]]]
) -> tuple[str, ...]:
    """A sentence for each step of which a program said something, by the newest attempt.

    Steps are given by their type and what they have to have among their arguments.
    """
    with journal.reading() as unit:
        found = [unit.operations.get(each) for each in operations]
    steps = [step for operation in found if operation for step in operation.steps if step.said]
    sentences = []
    for step_type, wanted in commands:
        step = next(
            (
                step
                for step in steps
                if step.type == step_type and wanted.items() <= step.arguments.items()
            ),
            None,
        )
        if step is not None:
            sentences.append(f"{step.title[:1].upper()}{step.title[1:]} was tried: {step.said}.")
    return tuple(sentences)
