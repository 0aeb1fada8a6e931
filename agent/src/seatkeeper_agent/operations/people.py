# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of people and vendors as they are shown: what to do, who, since when, until when."""

from __future__ import annotations

import time
from typing import Any

from seatkeeper_agent.domain.records import OperationRecord, StepRecord, StepState
from seatkeeper_agent.operations.steps import Step
from seatkeeper_agent.operations.views import moment


def planned_view(step: Step | StepRecord) -> dict[str, Any]:
    """One step of a plan, done or not."""
    state = step.state if isinstance(step, StepRecord) else StepState.PLANNED
    return {
        "name": step.name,
        "title": step.title,
        "reversible": step.reversible,
        "performer": step.performer.value,
        "state": state.value,
        "said": step.said,
    }


def frozen_view(operation: OperationRecord) -> dict[str, Any]:
    """What is kept from all work, why, and what to do about it."""
    problem = operation.problem or {}
    return {
        "operation": operation.id,
        "subject": operation.subject,
        "held": operation.holds,
        "code": problem.get("code"),
        "since": moment(operation.updated_at),
        "message": f"{problem.get('detail')} {problem.get('next_action')}",
    }


def awaited_view(operation: OperationRecord) -> dict[str, Any]:
    """What a waiting operation waits for; LookupError for one that does not wait."""
    step = operation.awaited
    if step is None or step.instructions is None:
        raise LookupError(f"operation {operation.id} does not wait for anybody")
    return {
        "operation": operation.id,
        "kind": operation.kind,
        "subject": operation.subject,
        "step": step.name,
        "title": step.title,
        "reversible": step.reversible,
        "who": step.performer.value,
        "instructions": list(step.instructions.steps),
        "verified_by": step.instructions.verified_by,
        "attestable": step.instructions.attestable,
        "since": moment(int(step.intended_at or operation.created_at)),
        "until": moment(step.until),
        "overdue": step.until is not None and step.until < time.time(),
    }
