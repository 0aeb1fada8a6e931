# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operation is kept from before its next effect, found by a plan as the engine finds it.

The engine's own questions in its own order; nothing is written and nothing has an effect.
"""

from __future__ import annotations

from seatkeeper_agent.domain.planned_steps import Performer
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.records import OperationRecord, OperationState
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.engine import driver_problem, not_told
from seatkeeper_agent.operations.in_the_way import require_unheld, undecided
from seatkeeper_agent.operations.ports import DriverError
from seatkeeper_agent.operations.steps import OperationSpec, Step, Verdict, probed

NOT_FROZEN = (
    "The run refuses this as well and freezes {}; seatkeeper-agent status then says what to settle,"
    " and how."
)
"""In a plan: nothing is frozen yet that could be attested."""

_UNTOLD = (Verdict.UNKNOWN, Verdict.CONTRADICTED)
_GOES_ON = (OperationState.DONE, OperationState.WAITING)


def foresee(journal: Journal, spec: OperationSpec) -> None:
    """Problem where a run would be refused before its next effect."""
    with journal.reading() as unit:
        known = unit.operations.get(spec.id)
        if known is not None and known.state in _GOES_ON:
            return
        require_unheld(unit, spec.holds, spec.id)
    if known is not None and known.intended is not None:
        foresee_begun(spec, known)
        return
    step = spec.steps[_next(known)]
    probe = probed(step, None)
    if probe.verdict in _UNTOLD:
        raise not_told(step, probe)
    if probe.verdict is Verdict.NOT_DONE and step.performer is Performer.AGENT:
        _require_allowed(journal, spec, step)


def foresee_begun(spec: OperationSpec, known: OperationRecord) -> None:
    """Problem where nothing tells yet what came of the step that was begun."""
    record = known.intended
    if record is None or known.state is OperationState.WAITING:
        return
    probe = probed(spec.steps[record.position], record.baseline)
    if probe.verdict in _UNTOLD:
        raise undecided(spec, record, probe.reason, probe.advice)


def _next(known: OperationRecord | None) -> int:
    """The position of the step that is next."""
    steps = () if known is None else known.steps
    return next((step.position for step in steps if not step.state.is_over), 0)


def _require_allowed(journal: Journal, spec: OperationSpec, step: Step) -> None:
    try:
        baseline = step.baseline()
    except DriverError as error:
        raise driver_problem(step.title, error) from error
    try:
        with journal.reading() as unit:
            step.require_allowed(unit, baseline)
    except Problem as problem:
        problem.next_action = NOT_FROZEN.format(f"the container {spec.holds}")
        raise
