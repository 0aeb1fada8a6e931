# SPDX-License-Identifier: GPL-3.0-or-later
"""What a vendor's program said reaches whoever must judge; a command that was run is not done."""

from __future__ import annotations

from typing import Any

import pytest

from seatkeeper_agent import status
from seatkeeper_agent.domain.problems import ProblemCode
from seatkeeper_agent.operations.ports import DriverUnfinished
from seatkeeper_agent.operations.server_moves.profiles import ProfileService

from .bench import ACTOR, NEW, Bench
from .machines import CODES, NUMBERS

FIRST = NUMBERS[0]
REFUSED = "the command ended with exit status 1 and said: It is refused"


def states(answer: dict[str, Any]) -> dict[str, str]:
    """How far each step is, by its name."""
    return {step["name"]: step["state"] for step in answer["plan"]["steps"]}


def installing(bare: Bench) -> dict[str, Any]:
    """A target whose product refuses every activation with exit 1 and words, up to its wait."""
    released = bare.move("release")
    bare.new.machine.refuse = {"activate"}
    return bare.run("install", document=released["document"])


def test_a_refused_activation_is_tried_and_never_done(bare: Bench) -> None:
    answer = installing(bare)
    reported = states(answer)
    assert {reported[f"activate {number}"] for number in NUMBERS} == {"tried"}
    assert "done" not in reported.values()
    said = {step["said"] for step in answer["plan"]["steps"] if step["name"].startswith("activate")}
    assert said == {REFUSED}
    with bare.new.journal.reading() as unit:
        actions = [entry.action for entry in unit.audit.page(0, 1_000)]
    assert f"tried:activate {FIRST}" in actions
    assert f"done:activate {FIRST}" not in actions
    view = bare.new.view()
    assert view is not None
    assert {step["state"] for step in view["steps"]} == {"tried", "intended", "planned"}


def test_the_words_stand_in_what_the_person_is_told(bare: Bench) -> None:
    answer = installing(bare)
    (wait,) = answer["waiting"]
    assert wait["step"] == f"verify {FIRST}"
    assert wait["instructions"][0] == (
        f"Activating license {FIRST} as machine nodelock was tried: {REFUSED}."
    )
    # The words of other licenses are for the steps about those.
    assert not any(number in str(wait["instructions"][:2]) for number in NUMBERS[1:])
    assert bare.new.operation().awaited is not None
    reported = bare.new.operation().awaited.instructions  # type: ignore[union-attr]
    assert reported is not None
    assert REFUSED in reported.steps[0], "the journal keeps them with the step"
    bare.new.restart()
    assert bare.new.waiting() == [wait]
    assert REFUSED in "\n".join(status._waiting(wait))
    assert not any(code in str([answer, wait, bare.new.view()]) for code in CODES.values())


def test_a_later_attempt_shows_what_was_said_before_it(bare: Bench) -> None:
    installing(bare)
    bare.new.attest(happened=False, statement="It shows nothing.")
    bare.new.machine.refuse = set()
    answer = bare.run("install")
    reported = states(answer)
    assert reported[f"activate {FIRST}"] == "tried", "run again, and still nobody has looked"
    (wait,) = answer["waiting"]
    assert "exit status 0 and said: OK" in wait["instructions"][0]
    bare.new.attest()
    (second,) = bare.new.waiting()
    assert second["step"] == f"verify {NUMBERS[1]}"
    assert REFUSED in second["instructions"][0], "of the attempt before"


def test_an_operation_in_doubt_says_what_its_program_said(bare: Bench) -> None:
    released = bare.move("release")
    lost = DriverUnfinished("licman did not end in time")
    lost.said = "the command was stopped before its end and had said Contacting the server"
    bare.new.machine.lost = {"activate": [lost]}
    problem = bare.refused("install", document=released["document"])
    assert problem.code is ProblemCode.IN_DOUBT
    assert "Contacting the server" in problem.detail
    bare.new.restart()
    again = bare.refused("install")
    assert "Contacting the server" in again.detail


def test_a_failed_command_whose_effect_would_show_says_why_in_the_run(bench: Bench) -> None:
    released = bench.move("release")
    bench.new.machine.refuse = {"activate"}
    problem = bench.refused("install", document=released["document"])
    assert problem.code is ProblemCode.RUNTIME_REFUSED
    assert REFUSED in problem.detail
    assert "Look the number up" not in problem.next_action
    view = bench.new.view()
    assert view is not None
    assert REFUSED in view["problem"]["detail"]
    assert view["steps"][0]["state"] == "planned", "seen not to have happened"


@pytest.mark.parametrize("works", [True, False])
def test_a_profile_that_was_tried_is_linked_when_somebody_says_so(bare: Bench, works: bool) -> None:
    host = bare.new
    profiles = ProfileService(host.journal, host.moves._engine, host.machine)
    host.machine.refuse = {"add_profile"}
    bare.vendor.holders[FIRST] = NEW
    answer = profiles.put("Client", FIRST, ACTOR, False)
    assert answer["plan"]["steps"][0]["state"] == "tried"
    (wait,) = answer["waiting"]
    assert REFUSED in wait["instructions"][0]
    again = profiles.put("Client", FIRST, ACTOR, False)
    assert again["waiting"] == [wait], "what was tried is not reported as linked"
    assert again["before"] == {"license": None}
    with host.journal.reading() as unit:
        operation = unit.operations.waiting()[0]
    profiles.attest(operation, works, "Looked in the window.", ACTOR)
    assert profiles.put("Client", FIRST, ACTOR, True)["changed"] is not works
