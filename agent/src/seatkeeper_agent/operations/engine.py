# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine: the only place that runs steps. Recovery is the same function as the forward path.

For every step: probe; write the intent; perform; probe again; write the outcome. An effect
counts when it was observed, not when a call returned. Where nothing can be observed the
operation stays in doubt and keeps its container. A step of somebody else is not performed but
waited for: it counts in the same way, when it was observed, or when a person attested it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from seatkeeper_agent.domain.planned_steps import Performer
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import (
    OperationRecord,
    OperationState,
    StepRecord,
    StepState,
)
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.in_the_way import (
    require_attestable,
    require_unheld,
    step_over,
    undecided,
)
from seatkeeper_agent.operations.locks import Locks
from seatkeeper_agent.operations.ports import (
    DriverError,
    DriverInterrupted,
    DriverPending,
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
    DriverUnsupported,
)
from seatkeeper_agent.operations.steps import (
    HandedOver,
    OperationSpec,
    Probe,
    Step,
    Verdict,
    probed,
)

ATTEMPTS_MAX = 5
BACKOFF_SECONDS_FIRST = 0.1

Declare = Callable[[Unit], None]
"""Writes what is declared beside the operation that it begins; Problem to refuse it."""


class Engine:
    """Runs operations, one at a time for what they hold.

    ``settle_seconds`` is how long after an intent "not done" is not yet believed, because
    the vendor product may still be at work on a call whose answer was lost.
    """

    def __init__(
        self,
        journal: Journal,
        settle_seconds: float,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._journal = journal
        self._settle_seconds = settle_seconds
        self._clock = clock
        self._sleep = sleep
        self._locks = Locks()

    def run(self, spec: OperationSpec, declare: Declare | None = None) -> OperationState:
        """Bring an operation on from wherever it stands: done, or waiting for somebody.

        ``declare`` is given with new work: what it writes is there together with the operation,
        and it may refuse. Problem if the work can be neither done nor waiting.
        """
        with self._locks.held(f"container {spec.holds}"):
            if not self._open(spec, declare):
                return OperationState.DONE
            return self._go_on(spec)

    def resume(self, spec: OperationSpec) -> OperationState | None:
        """As ``run``, for what is open still; None for what has ended by now.

        Whoever looked before the lock was free may have seen others' work under way: what has
        failed since is not begun again without being asked for.
        """
        with self._locks.held(f"container {spec.holds}"):
            with self._journal.reading() as unit:
                held = unit.operations.holding(spec.holds)
            if held is None or held.id != spec.id:
                return None
            self._open(spec)
            return self._go_on(spec)

    def attest(
        self, spec: OperationSpec, seen: OperationRecord, happened: bool, statement: str, actor: str
    ) -> OperationState:
        """A person's word on the step that is intended and cannot be observed.

        ``seen`` is the operation as that person saw it: a word is for the step of that moment.
        What is said to have happened is concluded, and the operation goes on; what is said
        not to have happened ends it, without anything more being tried.
        """
        with self._locks.held(f"container {spec.holds}"):
            record = self._intended(spec)
            step = spec.steps[record.position]
            if seen.intended is None or seen.intended.position != record.position:
                raise step_over(seen, record)
            if happened:
                require_attestable(record)
            detail = {"operation": spec.id, "statement": statement, "happened": happened}
            with self._journal.transaction() as unit:
                unit.operations.attest(spec.id, record.position, f"{actor}: {statement}")
                unit.audit.append(actor, f"attested:{step.name}", spec.subject, detail)
                if not happened:
                    problem = Problem(
                        ProblemCode.ATTESTED_UNDONE,
                        f"{actor} attested that {step.title} did not happen:"
                        f" {statement.rstrip('.')}.",
                        "Mend the cause, then plan it anew.",
                    )
                    step.withdraw(unit)
                    unit.operations.set_step(spec.id, record.position, StepState.PLANNED)
                    unit.operations.set_state(spec.id, OperationState.FAILED, problem.as_document())
            if not happened:
                return OperationState.FAILED
            probe = Probe(Verdict.DONE, {"attested": statement})
            self._conclude(spec, record.position, step, probe, None)
            return self._go_on(spec)

    def give_up(
        self,
        operation_id: str,
        holds: str,
        problem: Problem,
        actor: str,
        has_begun: Callable[[OperationRecord], bool],
    ) -> bool:
        """End an open operation with a problem; False when it has begun or ended by now."""
        with (
            self._locks.held(f"container {holds}"),
            self._journal.transaction() as unit,
        ):
            held = unit.operations.holding(holds)
            if held is None or held.id != operation_id or has_begun(held):
                return False
            unit.operations.set_state(operation_id, OperationState.FAILED, problem.as_document())
            unit.audit.append(actor, "given_up", held.subject, {"operation": operation_id})
        return True

    def _intended(self, spec: OperationSpec) -> StepRecord:
        with self._journal.reading() as unit:
            operation = unit.operations.get(spec.id)
        if operation is not None and operation.intended is not None:
            return operation.intended
        raise Problem(
            ProblemCode.OPERATION_UNKNOWN,
            f"No step of the operation {spec.id} waits for anybody's word.",
            "Look at the list of operations.",
        )

    def _go_on(self, spec: OperationSpec) -> OperationState:
        """Step by step; one that was begun stays with whom it was given to."""
        for position, step in enumerate(spec.steps):
            record = self._record(spec, position)
            if record.state.is_over:
                continue
            intended = record.state is StepState.INTENDED
            is_agents = (record.performer if intended else step.performer) is Performer.AGENT
            bring_on = self._advance if is_agents else self._await
            if not bring_on(spec, position, step, record):
                return OperationState.WAITING
        return OperationState.DONE

    def _open(self, spec: OperationSpec, declare: Declare | None = None) -> bool:
        """Take what is to be held; False when this very work is done already."""
        records = [
            StepRecord(
                position,
                step.type,
                step.name,
                step.title,
                step.reversible,
                StepState.PLANNED,
                step.arguments,
                performer=step.performer,
                instructions=step.instructions,
            )
            for position, step in enumerate(spec.steps)
        ]
        with self._journal.transaction() as unit:
            known = unit.operations.get(spec.id) if declare is None else None
            if known is not None and known.state is OperationState.DONE:
                return False
            if known is not None and known.state is OperationState.WAITING:
                return True
            require_unheld(unit, spec.holds, spec.id)
            if declare is not None:
                declare(unit)
            unit.operations.open(
                spec.id,
                spec.kind,
                spec.subject,
                spec.side,
                spec.holds,
                spec.actor,
                records,
                spec.declaration,
            )
        return True

    def _await(self, spec: OperationSpec, position: int, step: Step, record: StepRecord) -> bool:
        """Whether somebody else's step is observed done; hand it out if that was not done yet."""
        intended = record.state is StepState.INTENDED
        probe = probed(step, record.baseline if intended else None)
        if probe.verdict is Verdict.DONE:
            self._conclude(spec, position, step, probe, None)
            return True
        if probe.verdict is Verdict.CONTRADICTED:
            raise self._undecided(spec, position, intended, probe)
        if not intended:
            if probe.verdict is Verdict.UNKNOWN:
                raise self._undecided(spec, position, False, probe)
            self._intend(spec, position, step, self._baseline(spec, step), self._clock())
        self._set_waiting(spec)
        return False

    def _set_waiting(self, spec: OperationSpec) -> None:
        with self._journal.reading() as unit:
            operation = unit.operations.get(spec.id)
        if operation is None or operation.state is OperationState.WAITING:
            return
        with self._journal.transaction() as unit:
            unit.operations.set_state(spec.id, OperationState.WAITING)

    def _advance(self, spec: OperationSpec, position: int, step: Step, record: StepRecord) -> bool:
        """Do it, seen done; False when it has begun and somebody else brings it to its end."""
        intended = record.state is StepState.INTENDED
        baseline = record.baseline if intended else None
        probe = probed(step, baseline)
        if intended:
            probe = self._settled(step, record.baseline, record.intended_at or 0.0, probe)
        returned: bytes | None = None
        for attempt in range(ATTEMPTS_MAX):
            if probe.verdict in (Verdict.DONE, Verdict.TRIED):
                self._conclude(spec, position, step, probe, returned)
                return True
            if probe.verdict is not Verdict.NOT_DONE:
                raise self._undecided(spec, position, baseline is not None, probe)
            if baseline is None:
                baseline = self._baseline(spec, step)
            if attempt:
                self._sleep(BACKOFF_SECONDS_FIRST * 2**attempt)
            try:
                returned, probe = self._attempt(spec, position, step, baseline)
            except HandedOver as over:
                with self._journal.transaction() as unit:
                    unit.operations.assign(spec.id, position, over.performer, over.instructions)
                return self._await(spec, position, step, self._record(spec, position))
        reason = f"it was tried {ATTEMPTS_MAX} times and never observed done"
        raise self._doubt(spec, position, reason)

    def _attempt(
        self, spec: OperationSpec, position: int, step: Step, baseline: dict[str, object]
    ) -> tuple[bytes | None, Probe]:
        intended_at = self._clock()
        self._intend(spec, position, step, baseline, intended_at)
        try:
            returned = step.perform(baseline)
        except (DriverPending, DriverUnfinished):
            # The product may still be at work: look, and look again when it must have ended.
            seen = self._looked(spec, position, baseline)
            return None, self._settled(step, baseline, intended_at, seen)
        except DriverError as error:
            seen = self._looked(spec, position, baseline)
            if seen.verdict is Verdict.NOT_DONE:
                self._withdraw(spec, position, step, error)
            return None, seen
        seen = self._looked(spec, position, baseline)
        if seen.verdict is Verdict.NOT_DONE:
            reason = "the product reported success, but nothing of it can be seen"
            return None, Probe(Verdict.UNKNOWN, reason=reason)
        return returned, seen

    def _looked(self, spec: OperationSpec, position: int, baseline: dict[str, object]) -> Probe:
        """A look after the effect; what is not seen done is somebody's to judge, with the words."""
        step = spec.steps[position]
        seen = probed(step, baseline)
        if seen.verdict is not Verdict.DONE and step.said is not None:
            with self._journal.transaction() as unit:
                unit.operations.keep_output(spec.id, position, step.said)
        return seen

    def _intend(
        self, spec: OperationSpec, position: int, step: Step, baseline: dict[str, object], at: float
    ) -> None:
        try:
            with self._journal.transaction() as unit:
                if self._record(spec, position).state is StepState.PLANNED:
                    step.require_allowed(unit, baseline)
                    step.intend(unit, baseline)
                    unit.operations.assign(spec.id, position, step.performer, step.instructions)
                unit.operations.intend(spec.id, position, baseline, at, _until(step, at))
                detail = {"operation": spec.id}
                unit.audit.append(spec.actor, f"intent:{step.name}", spec.subject, detail)
        except Problem as problem:
            # A container that went back in time stays frozen until a person has decided.
            self._set_in_doubt(spec, problem)
            raise

    def _baseline(self, spec: OperationSpec, step: Step) -> dict[str, object]:
        try:
            return step.baseline()
        except DriverError as error:
            raise self._failed(spec, driver_problem(step.title, error)) from error
        except Problem as problem:
            raise self._failed(spec, problem) from None

    def _settled(
        self, step: Step, baseline: dict[str, object], intended_at: float, probe: Probe
    ) -> Probe:
        if probe.verdict is not Verdict.NOT_DONE:
            return probe
        wait = min(intended_at + self._settle_seconds - self._clock(), self._settle_seconds)
        if wait <= 0:
            return probe
        self._sleep(wait)
        return probed(step, baseline)

    def _conclude(
        self, spec: OperationSpec, position: int, step: Step, probe: Probe, returned: bytes | None
    ) -> None:
        try:
            collected = step.collect(probe.evidence, returned)
        except DriverError as error:
            reason = f"it happened, but what it gave could not be fetched: {error}"
            raise self._doubt(spec, position, reason) from error
        except Problem as problem:
            self._set_in_doubt(spec, problem)
            raise
        last = position == len(spec.steps) - 1
        ended = StepState.TRIED if probe.verdict is Verdict.TRIED else StepState.DONE
        with self._journal.transaction() as unit:
            step.conclude(unit, probe.evidence, collected)
            unit.operations.set_step(spec.id, position, ended)
            unit.operations.set_state(
                spec.id, OperationState.DONE if last else OperationState.RUNNING
            )
            detail = {"operation": spec.id}
            unit.audit.append(spec.actor, f"{ended.value}:{step.name}", spec.subject, detail)

    def _withdraw(self, spec: OperationSpec, position: int, step: Step, error: DriverError) -> None:
        problem = driver_problem(step.title, error)
        with self._journal.transaction() as unit:
            step.withdraw(unit)
            unit.operations.set_step(spec.id, position, StepState.PLANNED)
            unit.operations.set_state(spec.id, OperationState.FAILED, problem.as_document())
            unit.audit.append(
                spec.actor, f"refused:{step.name}", spec.subject, {"problem": problem.code.value}
            )
        raise problem from error

    def _undecided(
        self, spec: OperationSpec, position: int, intended: bool, probe: Probe
    ) -> Problem:
        if intended:
            return self._doubt(spec, position, probe.reason, probe.advice)
        return self._failed(spec, not_told(spec.steps[position], probe))

    def _failed(self, spec: OperationSpec, problem: Problem) -> Problem:
        with self._journal.transaction() as unit:
            unit.operations.set_state(spec.id, OperationState.FAILED, problem.as_document())
        return problem

    def _doubt(self, spec: OperationSpec, position: int, reason: str, advice: str = "") -> Problem:
        record = self._record(spec, position)
        problem = undecided(spec, record, reason, advice)
        self._set_in_doubt(spec, problem)
        return problem

    def _set_in_doubt(self, spec: OperationSpec, problem: Problem) -> None:
        with self._journal.transaction() as unit:
            unit.operations.set_state(spec.id, OperationState.IN_DOUBT, problem.as_document())
            unit.audit.append(spec.actor, "in_doubt", spec.subject, {"problem": problem.code.value})

    def _record(self, spec: OperationSpec, position: int) -> StepRecord:
        with self._journal.reading() as unit:
            operation = unit.operations.get(spec.id)
        if operation is None:
            raise LookupError(f"operation {spec.id} is not in the journal")
        return operation.steps[position]


def _until(step: Step, at: float) -> int | None:
    """When somebody else should be done, in Unix seconds."""
    seconds_max = None if step.instructions is None else step.instructions.seconds_max
    return None if seconds_max is None else int(at) + seconds_max


def driver_problem(doing: str, error: DriverError) -> Problem:
    """A vendor call's failure as a problem; nothing of the effect was observed."""
    text = str(error).rstrip(".")
    if error.said is not None:
        text = f"{text} ({error.said})"
    if isinstance(error, DriverUnsupported):
        return Problem(
            error.code,
            f"{doing[:1].upper()}{doing[1:]} cannot be done by the agent: {text}.",
            "Have a person or the licensor do it; the next run sees that it happened.",
        )
    if isinstance(error, DriverRefused):
        return Problem(
            error.code,
            f"The product refused {doing}: {text}.",
            error.advice,
            {} if error.number is None else {"vendor_error": error.number},
        )
    if isinstance(error, DriverInterrupted):
        return Problem(
            ProblemCode.RUNTIME_UNFINISHED,
            f"{doing[:1].upper()}{doing[1:]} was interrupted before it had any effect: {text}.",
            "Declare it again.",
        )
    if isinstance(error, DriverUnavailable):
        return Problem(
            ProblemCode.RUNTIME_UNAVAILABLE,
            f"The product on this host does not answer, so {doing} was not tried: {text}.",
            "Start the vendor's service, then run the playbook again.",
        )
    return Problem(
        ProblemCode.RUNTIME_UNFINISHED,
        f"The product did not finish: {doing}: {text}.",
        "Run the playbook again in a while.",
    )


def not_told(step: Step, probe: Probe) -> Problem:
    """Whether a step has happened before it was begun cannot be told, so it is not begun."""
    return driver_problem(step.title, DriverUnavailable(probe.reason))
