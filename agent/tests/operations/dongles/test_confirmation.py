# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be undone runs for exactly the plan that was confirmed, and said in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from seatkeeper_agent.domain.problems import ProblemCode
from seatkeeper_agent.operations.dongles.requests import acknowledgement

from .bench import CHOSEN, Bench, perpetual

OTHER = "90000004"
Drift = Callable[[Bench, dict[str, Any]], object]

DRIFTS: dict[str, Drift] = {
    "another WibuKey is plugged": lambda bench, _: bench.plug(OTHER, "1-1.4"),
    "a dongle of another maker is plugged": lambda bench, _: bench.plug(
        "1", "1-2", ids="064f:2af9"
    ),
    "the dongle is in another port": lambda bench, _: _move(bench),
    "the server is another version": lambda bench, _: setattr(bench.server, "version", "6.1.0"),
    "the driver is another version": lambda bench, _: setattr(bench.server, "wibukey", "6.50"),
    "the target is somebody else": lambda _, said: said.update(target_user="b@studio.example"),
    "other licenses are declared": lambda _, said: said.update(licenses=perpetual("Phoenix")),
    "licenses are declared": lambda _, said: said.update(licenses=perpetual()),
    "the deadline is another": lambda _, said: said.update(deadline_seconds=60),
    "a person does it": lambda bench, _: bench.restart("person"),
}


def _move(bench: Bench) -> None:
    bench.bus.unplug("1-1.1")
    bench.plug(CHOSEN, "1-1.2")


def assert_untouched(bench: Bench) -> None:
    """Neither the server nor the journal knows of any attempt."""
    assert (bench.page.clicks, bench.server.calls, bench.head()[0]) == (0, [], 0)
    assert bench.migrations.page("", 10) == []
    assert set(bench.authorized().values()) == {True}


@pytest.mark.parametrize("drift", DRIFTS)
def test_a_confirmation_is_void_when_anything_drifts(bench: Bench, drift: str) -> None:
    """It does not run; the plan of now has another digest."""
    said = bench.confirmed()
    assert bench.confirmed() == said
    DRIFTS[drift](bench, said)
    problem = bench.refused(**said)
    assert problem.code in (ProblemCode.CONFIRMATION_REQUIRED, ProblemCode.DONGLE_NOT_ELIGIBLE)
    assert_untouched(bench)
    if problem.code is ProblemCode.DONGLE_NOT_ELIGIBLE:
        bench.refused_alike(**said)
        return
    values = {name: value for name, value in said.items() if name != "confirmation"}
    assert bench.plan(**values)["plan"]["digest"] != said["confirmation"]


def test_a_confirmation_without_isolation_is_none_with_it(bench: Bench) -> None:
    """Hiding is a step of the plan."""
    bench.plug(OTHER, "1-1.4")
    said = bench.confirmed(isolate=True)
    bench.bus.unplug("1-1.4")
    assert bench.refused(**said).code is ProblemCode.CONFIRMATION_REQUIRED
    assert_untouched(bench)


def test_a_confirmation_may_be_given_in_advance(bench: Bench) -> None:
    """What the account holds changes with every borrow and is no part of it."""
    said = bench.confirmed()
    bench.server.arrive({"V-Ray": {"render": 1}})
    assert bench.put(**said)["migration"]["state"] == "done"


@pytest.mark.parametrize("confirmation", [None, "0" * 64, ""])
def test_without_its_confirmation_it_does_not_run(bench: Bench, confirmation: str | None) -> None:
    """The problem tells the digest and the sentence, and which of the two is wrong."""
    plan = bench.plan()["plan"]
    problem = bench.refused(confirmation=confirmation, acknowledgement=plan["acknowledgement"])
    assert problem.code is ProblemCode.CONFIRMATION_REQUIRED
    assert ("missing" in problem.detail) == (confirmation is None)
    assert problem.facts["digest"] == plan["digest"]
    assert_untouched(bench)


WRONG: dict[str, Callable[[str], str | None]] = {
    "nothing": lambda _sentence: None,
    "no word": lambda _sentence: "",
    "yes": lambda _sentence: "yes",
    "in other letters": lambda sentence: sentence.lower(),
    "without its end": lambda sentence: sentence[:-1],
    "with more": lambda sentence: f"{sentence} ",
    "of another dongle": lambda sentence: sentence.replace(CHOSEN, OTHER),
    "without what nobody can tell": lambda _sentence: acknowledgement(CHOSEN),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_sentence_is_said_word_for_word(bench: Bench, wrong: str) -> None:
    """So that nobody does it by accident, or to another dongle."""
    plan = bench.plan()["plan"]
    sentence = plan["acknowledgement"]
    said = WRONG[wrong](sentence)
    problem = bench.refused(confirmation=plan["digest"], acknowledgement=said)
    assert problem.code is ProblemCode.ACKNOWLEDGEMENT_REQUIRED
    assert sentence in problem.next_action
    assert problem.facts["acknowledgement"] == sentence
    assert CHOSEN in sentence
    assert_untouched(bench)


def test_what_no_program_can_tell_stands_in_the_sentence_until_it_is_stated(bench: Bench) -> None:
    """The vendor's own criteria always do."""
    sentence = bench.plan()["plan"]["acknowledgement"]
    for clause in ("a valid user is logged in", "of one company", "2.x", "further criteria"):
        assert clause in sentence
    stated = {"licenses": perpetual(), "dongle_company": "A", "account_company": "A"}
    sentence = bench.plan(**stated)["plan"]["acknowledgement"]
    assert ("company" in sentence, "2.x" in sentence, "criteria" in sentence) == (
        False,
        False,
        True,
    )
    problem = bench.refused(**stated | {"account_company": "B"})
    assert problem.code is ProblemCode.DONGLE_NOT_ELIGIBLE
    assert "the dongle of A, the account of B" in problem.detail


@pytest.mark.parametrize("unknown", ["version", "wibukey", "activated"])
def test_what_the_host_can_be_asked_blocks_while_it_is_unknown(bench: Bench, unknown: str) -> None:
    """The plan says so as well; nothing is touched."""
    setattr(bench.server, unknown, None)
    assert bench.refused_alike().code is ProblemCode.DONGLE_NOT_ELIGIBLE
    assert_untouched(bench)


def test_a_dongle_that_the_server_does_not_list_blocks_right_before_the_step(bench: Bench) -> None:
    """When it was planned the service was off; now it is on, and still tells nothing."""
    said = bench.confirmed()
    switched = bench.server.set_dongle_service

    def silent(enabled: bool) -> None:
        switched(enabled)
        bench.server.plugged = list

    bench.server.set_dongle_service = silent  # type: ignore[method-assign]
    assert bench.refused(**said).code is ProblemCode.DONGLE_NOT_ELIGIBLE
    assert bench.page.clicks == 0


def test_a_dry_run_shows_everything_and_does_nothing(bench: Bench) -> None:
    """Also with all that is needed to run it."""
    bench.plug(OTHER, "1-1.4")
    said = bench.confirmed(isolate=True)
    answer = bench.plan(**said)
    assert (answer["changed"], answer["operation"], answer["migration"]) == (True, None, None)
    assert answer["after"] == {"dongle": CHOSEN, "migrated": True}
    steps = answer["plan"]["steps"]
    assert [step["name"] for step in steps] == [
        "isolate", "dongle_service", "transfer", "give_back",
    ]  # fmt: skip
    assert [step["name"] for step in steps if not step["reversible"]] == ["transfer"]
    assert {step["state"] for step in steps} == {"planned"}
    assert answer["plan"]["confirmation_required"] is True
    assert_untouched(bench)


def test_an_ineligible_dongle_is_refused_with_the_whole_report(bench: Bench) -> None:
    """Before any confirmation is asked for, and by the dry run in the same words."""
    bench.plug(OTHER, "1-1.4")
    bench.server.version = "4.0.3"
    problem = bench.refused_alike()
    assert problem.code is ProblemCode.DONGLE_NOT_ELIGIBLE
    unmet = [row["rule"] for row in problem.facts["rules"] if row["verdict"] == "not_met"]
    assert unmet == ["server_version", "one_dongle"]
    assert len(problem.facts["rules"]) == 9
    for word in ("4.5.0", "4.0.3", "exactly one dongle", "2: 90000001 at 1-1.1, 90000004 at 1-1.4"):
        assert word in problem.detail
    assert problem.next_action.startswith("Update the license server")
    assert_untouched(bench)


@pytest.mark.parametrize("named", ["1-1.9", "another maker's"])
def test_a_dongle_that_is_no_wibukey_is_not_migrated_in_anothers_place(
    desk: Bench, named: str
) -> None:
    """The page knows no names: it would move the licenses of the one WibuKey that is plugged."""
    desk.bus.plug("1-1.9", "064f:2af9", serial="another maker's")
    for values in ({}, {"isolate": True}):
        problem = desk.refused_alike(named, **values)
        assert problem.code is ProblemCode.DONGLE_NOT_ELIGIBLE
    assert_untouched(desk)
