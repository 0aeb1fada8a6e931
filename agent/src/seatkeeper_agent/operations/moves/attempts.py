# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the operation of one leg is, and what programs said that it ran."""

from __future__ import annotations

from collections.abc import Sequence

from seatkeeper_agent.domain.records import OperationRecord, OperationState, StepState
from seatkeeper_agent.journal import Journal


def is_open(operation: OperationRecord | None) -> bool:
    """Whether it runs, waits or is in doubt."""
    ended = (OperationState.DONE, OperationState.FAILED)
    return operation is not None and operation.state not in ended


def has_begun(operation: OperationRecord) -> bool:
    """Whether anything was done, or may have been."""
    return any(step.state is not StepState.PLANNED for step in operation.steps)


def has_released(operation: OperationRecord) -> bool:
    """Whether a deactivation was handed out or begun: it may happen at any moment."""
    return any(
        step.name.startswith("deactivate ") and step.state is not StepState.PLANNED
        for step in operation.steps
    )


def marks(operation: OperationRecord | None) -> tuple[str, ...]:
    """How far each step is."""
    return () if operation is None else tuple(step.state.value for step in operation.steps)


def heard(journal: Journal, operations: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """A sentence for each named step of which a program said something, by the newest attempt."""
    told: dict[str, str] = {}
    with journal.reading() as unit:
        found = [unit.operations.get(each) for each in operations]
    for operation in found:
        for step in operation.steps if operation else ():
            if step.said is not None and step.name in names:
                title = f"{step.title[:1].upper()}{step.title[1:]}"
                told.setdefault(step.name, f"{title} was tried: {step.said}.")
    return tuple(told[name] for name in names if name in told)
