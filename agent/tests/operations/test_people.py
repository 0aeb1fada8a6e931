# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of people: handed out once, looked for, going on by themselves, done by nobody else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.domain.planned_steps import Instructions, Performer
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import OperationRecord, OperationState, StepState
from seatkeeper_agent.journal import Journal, JournalError
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.people import awaited_view
from seatkeeper_agent.operations.ports import DriverUnavailable
from seatkeeper_agent.operations.steps import OperationSpec
from seatkeeper_agent.operations.watcher import Watcher

from .test_engine import DONE, NOT_DONE, SERIAL, SETTLE, UNKNOWN, Bench, Scripted

REPORTED = Instructions(("Open the page.", "Click it."), "The page shows it.", True, 600)
OBSERVED_ONLY = Instructions(("Click it.",), "The page shows it.")
LOOK_SECONDS_MAX = 120.0


class RequestingDesk(Scripted):
    """A scripted step that is a person's."""

    performer = Performer.PERSON
    instructions: Instructions = REPORTED


class Desk(Bench):
    """A bench whose steps may be somebody else's."""

    def handed(self, probes: list[Any], reported: Instructions = REPORTED, name: str = "s") -> Any:
        """A person's step."""
        mistake = AssertionError("the agent did a person's step")
        step = RequestingDesk(self.journal, name, probes, [mistake])
        step.instructions = reported
        return step

    def head(self) -> tuple[int, str]:
        """The newest entry of the audit."""
        with self.journal.reading() as unit:
            return unit.audit.head()

    def content(self) -> bytes:
        """What the journal's files hold, byte for byte."""
        paths = sorted(self.journal.path.parent.glob("journal.db*"))
        return b"".join(path.read_bytes() for path in paths)

    def attest(self, happened: bool, *steps: Any, statement: str = "I saw it.") -> OperationState:
        """A person's word."""
        spec = OperationSpec("work", "kind", "subject", None, SERIAL, "tester", steps)
        with self.journal.reading() as unit:
            seen: Any = unit.operations.get("work")
        return self.engine.attest(spec, seen, happened, statement, "migrator")

    def waiting(self) -> list[dict[str, Any]]:
        """What is shown of all that waits."""
        with self.journal.reading() as unit:
            return [awaited_view(entry) for entry in unit.operations.waiting()]

    def restart(self) -> None:
        """Another agent on the same file, as after a kill."""
        self.journal = Journal(self.journal.path)
        self.engine = Engine(self.journal, SETTLE, lambda: self.now, self._sleep)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with an empty journal."""
    made = Desk(tmp_path / "journal.db")
    yield made
    made.journal.close()


def states(operation: OperationRecord) -> list[StepState]:
    """Those of its steps."""
    return [step.state for step in operation.steps]


def test_it_is_handed_out_once_and_goes_on_when_it_is_seen(desk: Desk) -> None:
    """The steps before and after are the agent's own."""
    before, after = desk.step([NOT_DONE, DONE], name="before"), desk.step([NOT_DONE, DONE])
    requested = desk.handed([NOT_DONE, NOT_DONE, NOT_DONE, DONE], name="asked")
    operation = desk.run(before, requested, after)
    assert operation.state is OperationState.WAITING
    assert states(operation) == [StepState.DONE, StepState.INTENDED, StepState.PLANNED]
    assert operation.awaited is not None
    assert (operation.awaited.name, operation.awaited.attempts) == ("asked", 1)
    assert requested.calls == ["probe", "baseline", "intend"]
    for _look in range(2):
        operation = desk.run(before, requested, after)
        assert operation.state is OperationState.WAITING
    assert after.calls == []
    operation = desk.run(before, requested, after)
    assert operation.state is OperationState.DONE
    assert requested.calls == [
        "probe", "baseline", "intend", "probe", "probe", "probe", "collect None", "conclude",
    ]  # fmt: skip
    assert desk.actions() == [
        "intent:before", "done:before", "intent:asked", "done:asked", "intent:s", "done:s",
    ]  # fmt: skip
    assert desk.sleeps == []
    assert desk.waiting() == []


def test_what_a_person_did_before_being_asked_is_skipped(desk: Desk) -> None:
    """Nobody is asked for what is there already."""
    requested = desk.handed([DONE])
    assert desk.run(requested).state is OperationState.DONE
    assert requested.calls == ["probe", "collect None", "conclude"]
    assert desk.operation.steps[0].intended_at is None


def test_it_is_told_what_to_do_by_whom_and_until_when(desk: Desk) -> None:
    """As the API and the page show it."""
    desk.now = time.time()
    desk.run(desk.handed([NOT_DONE]))
    (shown,) = desk.waiting()
    assert shown["operation"] == "work"
    assert (shown["who"], shown["instructions"]) == ("person", ["Open the page.", "Click it."])
    assert (shown["verified_by"], shown["attestable"]) == ("The page shows it.", True)
    assert (shown["overdue"], shown["until"] > shown["since"]) == (False, True)


def test_one_that_takes_too_long_is_overdue_and_still_waited_for(desk: Desk) -> None:
    """The deadline is counted from when it was handed out, and never moved by looking."""
    desk.now = time.time() - 601
    requested = desk.handed([NOT_DONE, NOT_DONE, DONE])
    desk.run(requested)
    (late,) = desk.waiting()
    assert late["overdue"] is True
    desk.now += 500
    desk.run(requested)
    assert desk.waiting() == [late]
    assert desk.run(requested).state is OperationState.DONE


def test_without_a_deadline_it_is_never_overdue(desk: Desk) -> None:
    """Nothing is promised then."""
    desk.run(desk.handed([NOT_DONE], OBSERVED_ONLY))
    (shown,) = desk.waiting()
    assert (shown["until"], shown["overdue"], shown["attestable"]) == (None, False, False)


def test_looking_writes_nothing_while_nothing_changes(desk: Desk) -> None:
    """Whatever is seen: not done, unknown, or a product that does not answer."""
    desk.run(desk.handed([NOT_DONE]))
    desk.journal.close()
    content = desk.content()
    for answer in (NOT_DONE, UNKNOWN, DriverUnavailable("not running")):
        for _look in range(3):
            desk.run(desk.handed([answer]))
            desk.journal.close()
            assert desk.content() == content


def test_it_survives_the_end_of_the_agent(desk: Desk) -> None:
    """What was seen before the step was handed out is what the outcome is held against."""
    desk.run(desk.handed([NOT_DONE]))
    waited = desk.waiting()
    for _start in range(2):
        desk.restart()
        assert desk.waiting() == waited
    requested = desk.handed([DONE])
    assert desk.run(requested).state is OperationState.DONE
    assert requested.calls == ["probe", "collect None", "conclude"]
    assert desk.actions() == ["intent:s", "done:s"]


def test_killed_between_handing_it_out_and_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not handed out again, only waited for."""

    def killed(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Engine, "_set_waiting", killed)
    with pytest.raises(KeyboardInterrupt):
        desk.run(desk.handed([NOT_DONE]))
    monkeypatch.undo()
    assert desk.read("work").state is OperationState.RUNNING
    desk.restart()
    requested = desk.handed([NOT_DONE])
    assert desk.run(requested).state is OperationState.WAITING
    assert requested.calls == ["probe"]
    assert desk.operation.steps[0].attempts == 1


def test_the_container_is_held_meanwhile(desk: Desk) -> None:
    """Other work is refused at once, and not queued."""
    desk.run(desk.handed([NOT_DONE]))
    problem = desk.refused_by_holder(desk.step([NOT_DONE]))
    assert (problem.code, problem.facts["operation"]) == (ProblemCode.CONTAINER_BUSY, "work")
    desk.run(desk.handed([DONE]))
    assert desk.run(desk.step([NOT_DONE, DONE]), spec_id="other").state is OperationState.DONE


def test_it_cannot_be_told_whether_it_is_done_before_anybody_was_asked(desk: Desk) -> None:
    """Then nobody is asked: the work fails, holds nothing, and may be asked for again."""
    problem = desk.refused(desk.handed([DriverUnavailable("not running")]))
    assert problem.code is ProblemCode.RUNTIME_UNAVAILABLE
    assert desk.operation.state is OperationState.FAILED
    assert desk.waiting() == []
    assert desk.run(desk.handed([NOT_DONE])).state is OperationState.WAITING


def test_a_person_attests_that_it_is_done(desk: Desk) -> None:
    """It counts like an observation; who said what is in the audit and beside the step."""
    requested, after = desk.handed([NOT_DONE]), desk.step([NOT_DONE, DONE], name="after")
    desk.run(requested, after)
    assert desk.attest(True, requested, after, statement="The page says so.") is OperationState.DONE
    operation = desk.read("work")
    assert operation.steps[0].attested == "migrator: The page says so."
    assert requested.calls[-1] == "conclude"
    with desk.journal.reading() as unit:
        entries = {entry.action: entry for entry in unit.audit.page(0, 100)}
    reported = entries["attested:s"]
    assert (reported.actor, reported.subject) == ("migrator", "subject")
    assert reported.detail == {
        "operation": "work", "statement": "The page says so.", "happened": True,
    }  # fmt: skip
    assert entries["done:after"].actor == "tester"


def test_a_person_attests_that_it_was_not_done(desk: Desk) -> None:
    """The operation ends without anything more being tried, and the container is free."""
    requested, after = desk.handed([NOT_DONE]), desk.step([NOT_DONE], name="after")
    desk.run(requested, after)
    assert desk.attest(False, requested, after, statement="Nobody may.") is OperationState.FAILED
    operation = desk.read("work")
    assert operation.problem is not None
    assert operation.problem["code"] == ProblemCode.ATTESTED_UNDONE.value
    assert "migrator" in operation.problem["detail"]
    assert states(operation) == [StepState.PLANNED, StepState.PLANNED]
    assert requested.calls[-1] == "withdraw"
    assert after.calls == []
    assert desk.run(desk.step([NOT_DONE, DONE]), spec_id="other").state is OperationState.DONE


def test_what_can_be_observed_is_not_attested_as_done(desk: Desk) -> None:
    """Nobody's word replaces a look; but anybody may say that it will not happen."""
    requested = desk.handed([NOT_DONE], OBSERVED_ONLY)
    desk.run(requested)
    head = desk.head()
    with pytest.raises(Problem) as refused:
        desk.attest(True, requested)
    assert refused.value.code is ProblemCode.CAPABILITY_REFUSED
    assert OBSERVED_ONLY.verified_by in refused.value.detail
    assert (desk.head(), desk.read("work").state) == (head, OperationState.WAITING)
    assert desk.attest(False, requested) is OperationState.FAILED


def test_a_doubt_of_the_agents_own_is_attested(desk: Desk) -> None:
    """The way out where nothing can ever be observed."""
    doubtful = desk.step([NOT_DONE, UNKNOWN], [b""])
    desk.refused(doubtful)
    assert desk.attest(True, doubtful) is OperationState.DONE
    assert doubtful.calls.count("perform") == 1


@pytest.mark.parametrize("happened", [True, False])
def test_only_what_was_begun_and_not_ended_is_attested(desk: Desk, happened: bool) -> None:
    """Neither what is done nor what nobody knows."""
    done = desk.handed([DONE])
    desk.run(done)
    head = desk.head()
    with pytest.raises(Problem) as refused:
        desk.attest(happened, done)
    assert refused.value.code is ProblemCode.OPERATION_UNKNOWN
    assert desk.head() == head


def test_the_agent_never_does_what_a_person_was_asked_for(desk: Desk) -> None:
    """Not even when the settings say by now that a browser is to do it."""
    desk.run(desk.handed([NOT_DONE]))
    changed = desk.step([NOT_DONE], [AssertionError("done by two")])
    assert desk.run(changed).state is OperationState.WAITING
    assert changed.calls == ["probe"]
    assert desk.waiting()[0]["who"] == "person"
    assert desk.run(desk.step([DONE])).state is OperationState.DONE


def test_a_person_is_not_asked_for_what_the_agent_may_have_done(desk: Desk) -> None:
    """The settings changed after a kill in the agent's own step: it stays in doubt."""
    with pytest.raises(KeyboardInterrupt):
        desk.run(desk.step([NOT_DONE], [KeyboardInterrupt()]))
    changed = desk.handed([UNKNOWN])
    problem = desk.refused(changed)
    assert problem.code is ProblemCode.IN_DOUBT
    assert desk.waiting() == []
    assert desk.run(desk.handed([DONE])).state is OperationState.DONE


@pytest.mark.parametrize("first", ["agent", "person"])
def test_the_settings_change_before_a_planned_step_is_begun(desk: Desk, first: str) -> None:
    """Whoever does it in the end is told as its performer."""
    earlier = desk.handed([NOT_DONE], name="earlier")
    step = desk.step([NOT_DONE, DONE]) if first == "agent" else desk.handed([NOT_DONE])
    desk.run(earlier, step)
    earlier = desk.handed([DONE], name="earlier")
    if first == "agent":
        assert desk.run(earlier, desk.handed([NOT_DONE])).state is OperationState.WAITING
        assert desk.waiting()[0]["instructions"] == list(REPORTED.steps)
    else:
        assert desk.run(earlier, desk.step([NOT_DONE, DONE])).state is OperationState.DONE
        assert desk.operation.steps[1].performer is Performer.AGENT


def test_resuming_takes_up_what_is_open_and_nothing_else(desk: Desk) -> None:
    """What failed since somebody looked is not begun again."""
    refused = desk.step([DriverUnavailable("not running")])
    desk.refused(refused)
    again = desk.step([NOT_DONE, DONE])
    spec = OperationSpec("work", "kind", "subject", None, SERIAL, "tester", (again,))
    assert desk.engine.resume(spec) is None
    assert again.calls == []
    desk.run(desk.handed([NOT_DONE]), spec_id="asked")
    requested = OperationSpec(
        "asked", "kind", "subject", None, SERIAL, "tester", (desk.handed([DONE]),)
    )
    assert desk.engine.resume(requested) is OperationState.DONE
    assert desk.engine.resume(requested) is None


def test_giving_up_is_refused_once_it_has_begun(desk: Desk) -> None:
    """And for what has ended, or holds something else."""
    problem = Problem(ProblemCode.RUNTIME_UNFINISHED, "It ended.", "Begin anew.")

    def give_up(begun: bool) -> bool:
        return desk.engine.give_up("work", SERIAL, problem, "tester", lambda _record: begun)

    assert give_up(begun=False) is False
    desk.run(desk.handed([NOT_DONE]))
    assert give_up(begun=True) is False
    assert desk.read("work").state is OperationState.WAITING
    assert give_up(begun=False) is True
    assert desk.read("work").problem == problem.as_document()
    assert desk.actions()[-1] == "given_up"
    assert give_up(begun=False) is False


class CountedLooks:
    """What the watcher asks to look again."""

    def __init__(self, desk: Desk) -> None:
        self.count = 0
        self.step: Scripted = desk.handed([NOT_DONE])
        self._desk = desk

    def __call__(self) -> None:
        self.count += 1
        self._desk.run(self.step)


def wait_for(is_true: Any) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + LOOK_SECONDS_MAX
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_watcher_looks_while_something_waits_and_only_then(desk: Desk) -> None:
    """It goes on by itself when it is done."""
    looks, reported = CountedLooks(desk), list[Exception]()
    watcher = Watcher(desk.journal, looks, reported.append, seconds=0.01)
    watcher.start()
    try:
        time.sleep(0.1)
        assert looks.count == 0
        desk.run(desk.handed([NOT_DONE]))
        wait_for(lambda: looks.count >= 2)
        looks.step = desk.handed([DONE])
        wait_for(lambda: desk.read("work").state is OperationState.DONE)
        seen = looks.count
        time.sleep(0.1)
        assert looks.count == seen
    finally:
        watcher.stop()
    assert (desk.waiting(), reported) == ([], [])


def test_a_look_that_fails_does_not_end_the_watching(desk: Desk) -> None:
    """Whatever it is, it is told, and looked again."""
    defects: list[Exception] = [ZeroDivisionError("a defect"), JournalError("The disk is full.")]
    reported: list[Exception] = []

    def look() -> None:
        if defects:
            raise defects.pop(0)
        desk.run(desk.handed([DONE]))

    desk.run(desk.handed([NOT_DONE]))
    watcher = Watcher(desk.journal, look, reported.append, seconds=0.01)
    watcher.start()
    try:
        wait_for(lambda: desk.read("work").state is OperationState.DONE)
    finally:
        watcher.stop()
    assert [type(error) for error in reported] == [ZeroDivisionError]
