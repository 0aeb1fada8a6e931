# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in the way of an operation: other work, a doubt, or that it is at another step by now."""

from __future__ import annotations

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import OperationRecord, OperationState, StepRecord
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.steps import OperationSpec


def require_unheld(unit: Unit, holds: str, operation: str | None = None) -> None:
    """Problem while other work than ``operation`` holds what is to be worked on."""
    holder = unit.operations.holding(holds)
    if holder is not None and holder.id != operation:
        raise _held(holder)


def undecided(spec: OperationSpec, record: StepRecord, reason: str, advice: str) -> Problem:
    """A step that was begun, and nothing tells what came of it."""
    output = "" if record.said is None else f" What was run for it: {record.said}."
    return Problem(
        ProblemCode.IN_DOUBT,
        f"Whether {spec.steps[record.position].title} happened cannot be told:"
        f" {reason.rstrip('.')}.{output}",
        advice
        or f"Nothing is tried again blindly and the container {spec.holds} is frozen: make"
        " the product answer again, then run the playbook again.",
        {"operation": spec.id, "container": spec.holds},
    )


def require_attestable(record: StepRecord) -> None:
    """What can be observed is: a person's word that it happened counts for nothing there."""
    document = record.instructions
    if document is None or document.attestable:
        return
    raise Problem(
        ProblemCode.CAPABILITY_REFUSED,
        f"That {record.title} happened is observed, not attested: {document.verified_by}",
        "Do the step; or attest that it is not done, to have the operation given up.",
    )


def step_over(seen: OperationRecord, record: StepRecord) -> Problem:
    """A word that was given twice must not count for the step after its own."""
    named = "no step" if seen.intended is None else seen.intended.title
    return Problem(
        ProblemCode.STEP_OVER,
        f"The word given is for {named}, and the operation {seen.id} is at {record.title} by now;"
        " nothing was written down.",
        "Look at what waits, and give your word on that step if it is so.",
    )


def _held(holder: OperationRecord) -> Problem:
    """Why a container is not free; what was rolled back says what to do about it itself."""
    in_doubt = holder.state is OperationState.IN_DOUBT
    document = holder.problem or {}
    if in_doubt and document.get("code") == ProblemCode.SNAPSHOT_ROLLED_BACK.value:
        return Problem.from_document(document)
    return Problem(
        ProblemCode.IN_DOUBT if in_doubt else ProblemCode.CONTAINER_BUSY,
        f"The container {holder.holds} is held by the operation {holder.kind} of"
        f" {holder.subject}, which is {'in doubt' if in_doubt else 'not finished'}.",
        f"Resume the operation {holder.id} first; running the playbook again does that.",
        {"operation": holder.id, "container": holder.holds},
    )
