# SPDX-License-Identifier: GPL-3.0-or-later
"""Migrations as the API shows them."""

from __future__ import annotations

from typing import Any

from seatkeeper_agent.domain.arrivals import compared
from seatkeeper_agent.domain.records import (
    DeclarationRecord,
    OperationRecord,
    OperationState,
    StepState,
)
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.dongles.names import dongle_from, names_of
from seatkeeper_agent.operations.dongles.presence import disturbance_of
from seatkeeper_agent.operations.dongles.report import dongle_view
from seatkeeper_agent.operations.dongles.requests import licenses_from, operation_id
from seatkeeper_agent.operations.dongles.steps import TRANSFER, Arrive, seats_from
from seatkeeper_agent.operations.people import awaited_view, planned_view
from seatkeeper_agent.operations.views import moment


def migration_view(unit: Unit, record: DeclarationRecord) -> dict[str, Any]:
    """One migration: how it stands, what was noticed, what arrived."""
    document = record.document
    operation = unit.operations.get(operation_id(record.id, document["attempt"]))
    outcome = document["outcome"] or {}
    steps = operation.steps if operation else ()
    before = [step.baseline.get("licenses") for step in steps if step.type == TRANSFER]
    return {
        "id": record.id,
        "dongle": dongle_view(dongle_from(document["dongle"])),
        "target_user": document["target_user"],
        "state": "none" if operation is None else operation.state.value,
        "licenses_before": before[0] if before else None,
        "licenses_after": outcome.get("licenses_after"),
        "gained": outcome.get("gained", []),
        "attested": outcome.get("attested"),
        **_comparison(document, operation),
        "names": names_of(document),
        "disturbance": disturbance_of(document),
        "notes": [
            {"at": moment(note.at), "text": note.text}
            for note in (operation.notes if operation else ())
        ],
        "problem": None if operation is None else operation.problem,
        "operation": None
        if operation is None
        else {"id": operation.id, "state": operation.state.value},
        "created_at": moment(record.created_at),
        "updated_at": moment(record.updated_at),
    }


def answer_view(unit: Unit, record: DeclarationRecord, changed: bool) -> dict[str, Any]:
    """The answer to a declaration that was begun or done before."""
    operation = unit.operations.get(operation_id(record.id, record.document["attempt"]))
    dongle_id = record.document["dongle"]["id"]
    migrated = record.document["outcome"] is not None
    steps = operation.steps if operation else ()
    waits = operation is not None and operation.awaited is not None
    return {
        "changed": changed,
        "before": {"dongle": dongle_id, "migrated": migrated and not changed},
        "after": {"dongle": dongle_id, "migrated": migrated},
        "report": None,
        "plan": {
            "digest": None,
            "confirmation_required": False,
            "acknowledgement": None,
            "warnings": [],
            "steps": [planned_view(step) for step in steps],
        },
        "migration": migration_view(unit, record),
        "operation": None
        if operation is None
        else {"id": operation.id, "state": operation.state.value},
        "waiting": [awaited_view(operation)] if operation is not None and waits else [],
    }


def _comparison(document: dict[str, Any], operation: OperationRecord | None) -> dict[str, Any]:
    """What arrived beside what was declared, with every difference in words."""
    held = licenses_from(document["licenses"]) or ()
    if document["outcome"] is None:
        return {"comparison": None, "differences": [], "not_compared": []}
    came = compared(held, seats_from(document["outcome"]["gained"]))
    is_waiting = operation is not None and operation.state is OperationState.WAITING
    steps = operation.steps if operation else ()
    attested = any(step.type == Arrive.type and step.attested for step in steps)
    is_done = any(step.type == Arrive.type and step.state is StepState.DONE for step in steps)
    verdict: str | None = "matches" if came.is_complete else "not_declared"
    if not held:
        verdict = "not_declared"
    elif attested and is_done:
        verdict = "attested"
    elif came.besides:
        verdict = "differs"
    elif came.missing:
        # What is missing may come yet.
        verdict = None if is_waiting else "differs"
    differences = [*came.missing, *came.besides] if held else []
    return {
        "comparison": verdict,
        "differences": differences,
        "not_compared": list(came.not_compared),
    }
