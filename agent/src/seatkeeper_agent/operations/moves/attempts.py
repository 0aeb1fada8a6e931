# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the operation of one leg is."""

from __future__ import annotations

from seatkeeper_agent.domain.records import OperationRecord, OperationState, StepState


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
