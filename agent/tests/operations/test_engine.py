# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine with steps that follow a script: what it asks, does and writes, in which order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import OperationRecord, OperationState, StepState
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.engine import ATTEMPTS_MAX, Engine
from seatkeeper_agent.operations.ports import (
    DriverError,
    DriverPending,
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
    DriverUnsupported,
)
from seatkeeper_agent.operations.steps import OperationSpec, PlainStep, Probe, Step, Verdict

NOT_DONE, DONE, UNKNOWN = Verdict.NOT_DONE, Verdict.DONE, Verdict.UNKNOWN
SERIAL, SETTLE = "130-1", 20.0


class Scripted(PlainStep):
    """A step whose product answers as written; the last answer is repeated."""

    type = "scripted"
    name = ""
    title = "doing it"
    reversible = True

    def __init__(self, journal: Journal, name: str, probes: list[Any], performs: list[Any]) -> None:
        self.name = name
        self.calls: list[str] = []
        self._journal = journal
        self._answers = {"probe": list(probes), "perform": list(performs)}

    def _next(self, call: str) -> Any:
        self.calls.append(call)
        answers = self._answers[call]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        assert baseline in (None, {"before": 1})
        return Probe(self._next("probe"), {"seen": 1}, "the product shows nothing")

    def baseline(self) -> dict[str, Any]:
        self.calls.append("baseline")
        return {"before": 1}

    def intend(self, unit: Unit, baseline: dict[str, Any]) -> None:
        self.calls.append("intend")

    def perform(self, baseline: dict[str, Any]) -> bytes:
        # Only a process of its own could prove it, but the file tells: the intent is durable.
        with self._journal.reading() as unit:
            (operation,) = unit.operations.page(only_open=True, after="", limit=2)
        (own,) = (step for step in operation.steps if step.name == self.name)
        assert own.state is StepState.INTENDED
        answer: bytes = self._next("perform")
        return answer

    def withdraw(self, unit: Unit) -> None:
        self.calls.append("withdraw")

    def collect(self, evidence: dict[str, Any], returned: bytes | None) -> bytes:
        self.calls.append(f"collect {returned!r}")
        return b""

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        self.calls.append("conclude")


class Bench:
    """An engine with a clock that only moves when it sleeps."""

    def __init__(self, path: Path) -> None:
        self.journal = Journal(path)
        self.now = 1_000.0
        self.sleeps: list[float] = []
        self.engine = Engine(self.journal, SETTLE, lambda: self.now, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.sleeps.append(round(seconds, 3))
        self.now += seconds

    def step(self, probes: list[Any], performs: list[Any] | None = None, name: str = "s") -> Any:
        """A scripted step."""
        return Scripted(self.journal, name, probes, performs or [b"answer"])

    def run(self, *steps: Any, spec_id: str = "work") -> OperationRecord:
        """Run them as one operation; what the journal says of it then."""
        made: tuple[Step, ...] = steps
        try:
            self.engine.run(OperationSpec(spec_id, "kind", "subject", None, SERIAL, "tester", made))
        finally:
            self.operation = self.read(spec_id)
        return self.operation

    def read(self, spec_id: str) -> OperationRecord:
        """The operation."""
        with self.journal.reading() as unit:
            found = unit.operations.get(spec_id)
        assert found is not None
        return found

    def refused(self, *steps: Any, spec_id: str = "work") -> Problem:
        """Run them; the problem that must come of it."""
        with pytest.raises(Problem) as caught:
            self.run(*steps, spec_id=spec_id)
        return caught.value

    def refused_by_holder(self, step: Any) -> Problem:
        """Other work on the same container is not even begun."""
        with pytest.raises(Problem) as caught:
            self.engine.run(
                OperationSpec("other", "kind", "subject", None, SERIAL, "tester", (step,))
            )
        assert step.calls == []
        with self.journal.reading() as unit:
            assert unit.operations.get("other") is None
        return caught.value

    def actions(self) -> list[str]:
        """What the audit says."""
        with self.journal.reading() as unit:
            return [entry.action for entry in unit.audit.page(0, 100)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """An engine on a new journal."""
    made = Bench(tmp_path / "journal.db")
    yield made
    made.journal.close()


def test_the_forward_path(bench: Bench) -> None:
    """Probe, baseline, intent, effect, probe, outcome."""
    step = bench.step([NOT_DONE, DONE])
    operation = bench.run(step)
    assert step.calls == [
        "probe", "baseline", "intend", "perform", "probe", "collect b'answer'", "conclude",
    ]  # fmt: skip
    assert (operation.state, operation.steps[0].state) == (OperationState.DONE, StepState.DONE)
    assert bench.actions() == ["intent:s", "done:s"]
    assert bench.sleeps == []


def test_what_is_done_already_is_skipped(bench: Bench) -> None:
    """Nothing is performed, and no intent is claimed."""
    step = bench.step([DONE])
    operation = bench.run(step)
    assert "perform" not in step.calls
    assert operation.steps[0].intended_at is None
    again = bench.step([DONE])
    bench.run(again)
    assert again.calls == []


def test_steps_run_in_their_order_and_each_once(bench: Bench) -> None:
    """An operation that stopped at its second step goes on there."""
    first = bench.step([NOT_DONE, DONE], name="a")
    second = bench.step([NOT_DONE, NOT_DONE], [DriverRefused("no", 233)], name="b")
    bench.refused(first, second)
    assert [step.state for step in bench.operation.steps] == [StepState.DONE, StepState.PLANNED]
    first, second = bench.step([NOT_DONE], name="a"), bench.step([NOT_DONE, DONE], name="b")
    assert bench.run(first, second).state is OperationState.DONE
    assert first.calls == []
    assert second.calls[0] == "probe"


@pytest.mark.parametrize("error", [DriverPending("busy"), DriverUnfinished("lost")])
def test_an_answer_that_is_lost_but_the_effect_is_there(bench: Bench, error: DriverError) -> None:
    """Observed, so it counts; what the call gave has to be fetched."""
    step = bench.step([NOT_DONE, DONE], [error])
    bench.run(step)
    assert step.calls.count("perform") == 1
    assert "collect None" in step.calls
    assert bench.sleeps == []


def test_not_done_is_believed_only_after_the_product_must_have_ended(bench: Bench) -> None:
    """The call may still be at work: wait once, look again, and it was slow only."""
    step = bench.step([NOT_DONE, NOT_DONE, DONE], [DriverUnfinished("lost")])
    bench.run(step)
    assert bench.sleeps == [SETTLE]
    assert step.calls.count("perform") == 1


def test_unfinished_without_effect_is_tried_again(bench: Bench) -> None:
    """With a pause that grows, and each time after an intent."""
    lost = DriverUnfinished("lost")
    step = bench.step([*[NOT_DONE] * 5, DONE], [lost, lost, b"answer"])
    operation = bench.run(step)
    assert step.calls.count("perform") == 3
    assert step.calls.count("intend") == 1
    assert operation.steps[0].attempts == 3
    assert bench.sleeps == [SETTLE, 0.2, SETTLE, 0.4]


def test_attempts_are_bounded(bench: Bench) -> None:
    """Then it is in doubt, and its container is held."""
    step = bench.step([NOT_DONE], [DriverPending("busy")])
    problem = bench.refused(step)
    assert problem.code is ProblemCode.IN_DOUBT
    assert step.calls.count("perform") == ATTEMPTS_MAX
    assert sum(bench.sleeps) < ATTEMPTS_MAX * (SETTLE + 2)
    assert bench.operation.state is OperationState.IN_DOUBT


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DriverRefused("No, Error 231", 231), ProblemCode.RUNTIME_REFUSED),
        (DriverUnavailable("not running"), ProblemCode.RUNTIME_UNAVAILABLE),
        (DriverUnsupported("not documented"), ProblemCode.CAPABILITY_REFUSED),
    ],
)
def test_a_refusal_withdraws_the_intent(bench: Bench, error: Any, code: ProblemCode) -> None:
    """Only after it was seen that nothing happened; the container is free again."""
    step = bench.step([NOT_DONE, NOT_DONE], [error])
    problem = bench.refused(step)
    assert problem.code is code
    assert step.calls[-2:] == ["probe", "withdraw"]
    assert bench.operation.state is OperationState.FAILED
    assert bench.operation.problem == problem.as_document()
    assert bench.actions() == ["intent:s", "refused:s"]
    bench.run(bench.step([NOT_DONE, DONE]), spec_id="other")
    assert bench.run(bench.step([NOT_DONE, DONE])).state is OperationState.DONE


def test_a_refusal_whose_effect_is_there_counts_as_done(bench: Bench) -> None:
    """229 for an update that was imported before, for one."""
    step = bench.step([NOT_DONE, DONE], [DriverRefused("Update too old, Error 229", 229)])
    assert bench.run(step).state is OperationState.DONE
    assert "withdraw" not in step.calls


def test_success_that_nothing_shows_is_in_doubt(bench: Bench) -> None:
    """A call that returned is no proof, and is not repeated."""
    step = bench.step([NOT_DONE, NOT_DONE])
    problem = bench.refused(step)
    assert problem.code is ProblemCode.IN_DOUBT
    assert "reported success, but nothing of it can be seen" in problem.detail
    assert step.calls.count("perform") == 1


def test_unknown_after_an_intent_freezes_the_container(bench: Bench) -> None:
    """Nothing is retried blindly, other work is refused, and it goes on once it can be seen."""
    step = bench.step([NOT_DONE, UNKNOWN], [DriverUnfinished("lost")])
    problem = bench.refused(step)
    assert problem.code is ProblemCode.IN_DOUBT
    assert problem.facts == {"operation": "work", "container": SERIAL}
    other = bench.refused_by_holder(bench.step([NOT_DONE]))
    assert (other.code, other.facts["operation"]) == (ProblemCode.IN_DOUBT, "work")
    still = bench.step([UNKNOWN])
    bench.refused(still)
    assert still.calls == ["probe"]
    later = bench.step([DONE])
    assert bench.run(later).state is OperationState.DONE
    assert later.calls == ["probe", "collect None", "conclude"]


def test_unknown_before_any_intent_is_only_a_failure(bench: Bench) -> None:
    """The product does not answer, nothing was tried, nothing is held."""
    step = bench.step([DriverUnavailable("not running")])
    problem = bench.refused(step)
    assert problem.code is ProblemCode.RUNTIME_UNAVAILABLE
    assert bench.operation.state is OperationState.FAILED
    assert bench.run(bench.step([NOT_DONE, DONE]), spec_id="other").state is OperationState.DONE


def test_recovery_is_the_forward_path(bench: Bench) -> None:
    """After a death in the call: probe with the old baseline, wait, and only then again."""
    died = bench.step([NOT_DONE], [KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        bench.run(died)
    assert bench.operation.steps[0].state is StepState.INTENDED
    bench.now += 5
    step = bench.step([NOT_DONE, NOT_DONE, DONE])
    bench.run(step)
    assert step.calls == [
        "probe", "probe", "perform", "probe", "collect b'answer'", "conclude",
    ]  # fmt: skip
    assert bench.sleeps == [SETTLE - 5]


def test_recovery_long_after_waits_no_more(bench: Bench) -> None:
    """And a clock that was set back does not make it wait for longer than the limit."""
    for shift, slept in ((1_000.0, []), (-1_000.0, [SETTLE])):
        spec_id = f"work {shift}"
        with pytest.raises(KeyboardInterrupt):
            bench.run(bench.step([NOT_DONE], [KeyboardInterrupt()]), spec_id=spec_id)
        bench.now += shift
        bench.sleeps.clear()
        bench.run(bench.step([NOT_DONE, DONE]), spec_id=spec_id)
        assert bench.sleeps == slept


def test_an_update_that_cannot_be_fetched_is_in_doubt(bench: Bench) -> None:
    """It happened; what it gave is missing; that is said, and the container is held."""
    step = bench.step([NOT_DONE, DONE])
    step.collect = _unfinished
    problem = bench.refused(step)
    assert "it happened, but what it gave could not be fetched" in problem.detail
    assert bench.operation.state is OperationState.IN_DOUBT
    assert bench.run(bench.step([DONE])).state is OperationState.DONE


def _unfinished(*_arguments: Any) -> bytes:
    raise DriverUnfinished("lost")
