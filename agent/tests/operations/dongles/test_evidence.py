# SPDX-License-Identifier: GPL-3.0-or-later
"""What shows is believed of the declared dongle only while that one is there, and alone."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from operations.hosts import ACTOR
from seatkeeper_agent.domain.problems import Problem, ProblemCode

from .bench import CHOSEN, HELD, PATH, Bench, perpetual

OTHER, OTHER_PATH = "90000004", "1-1.4"
NOTICED_SECONDS_MAX = 120.0


def swap(desk: Bench) -> None:
    """The declared one out, another in."""
    desk.bus.unplug(PATH)
    desk.plug(OTHER, PATH)


def replug(desk: Bench) -> None:
    """Out and in again, in the same port."""
    desk.bus.unplug(PATH)
    desk.bus.plug(PATH, serial=CHOSEN)


def move(desk: Bench) -> None:
    """Into another port."""
    desk.bus.unplug(PATH)
    desk.bus.plug("2-1", serial=CHOSEN)


CHANGES: dict[str, tuple[Callable[[Bench], None], str]] = {
    "swapped": (swap, f"the dongle {CHOSEN} was unplugged at {PATH}"),
    "moved": (move, f"the dongle {CHOSEN} was moved from {PATH} to 2-1"),
    "pulled": (lambda desk: desk.bus.unplug(PATH), f"{CHOSEN} was unplugged at {PATH}"),
    "plugged in again": (replug, "and plugged in again"),
    "joined": (lambda desk: desk.plug(OTHER, OTHER_PATH), f"beside the dongle {CHOSEN}"),
}


def disturbed(desk: Bench) -> str:
    """What was noticed, once it was."""
    deadline = time.monotonic() + NOTICED_SECONDS_MAX
    while (found := desk.view()["disturbance"]) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return str(found)


def refused_run(desk: Bench) -> Problem:
    """A run by a playbook that still has the old confirmation."""
    with pytest.raises(Problem) as caught:
        desk.put()
    return caught.value


@pytest.mark.parametrize("is_running", [True, False], ids=["noticed", "while the agent is dead"])
def test_the_end_of_another_dongle_is_not_booked_for_the_declared_one(
    desk: Bench, is_running: bool
) -> None:
    """It is pulled, another is plugged, and a person clicks: in doubt, and only a word ends it."""
    desk.go(licenses=perpetual())
    if not is_running:
        desk.migrations.close()
    swap(desk)
    if is_running:
        disturbed(desk)
    desk.server.migrate()
    if not is_running:
        desk.restart()
    problem = refused_run(desk)
    assert problem.code is ProblemCode.IN_DOUBT
    assert f"the dongle {CHOSEN} was unplugged at {PATH}" in problem.detail
    assert desk.operation().id in problem.next_action
    for _run in range(2):
        desk.restart()
        assert refused_run(desk).code is ProblemCode.IN_DOUBT
    view = desk.view()
    assert (view["state"], view["gained"], view["comparison"]) == ("in_doubt", [], None)
    assert desk.server.holds[CHOSEN] == HELD
    desk.migrations.attest(desk.operation(), False, "It was the other one.", "migrator")
    assert desk.view()["state"] == "failed"
    desk.bus.unplug(PATH)
    desk.bus.plug(PATH, serial=CHOSEN)
    assert desk.go(licenses=perpetual())["migration"]["state"] == "waiting"
    desk.server.migrate()
    assert desk.put()["migration"]["comparison"] == "matches"


@pytest.mark.parametrize("change", ["moved", "pulled", "plugged in again"])
def test_an_end_seen_after_the_agent_was_dead_is_in_doubt_where_the_dongle_did_not_stay(
    desk: Bench, change: str
) -> None:
    """Nobody saw what was plugged meanwhile."""
    desk.go()
    desk.migrations.close()
    desk.server.migrate()
    CHANGES[change][0](desk)
    desk.restart()
    assert refused_run(desk).code is ProblemCode.IN_DOUBT
    assert CHANGES[change][1] in disturbed(desk)
    desk.migrations.attest(desk.operation(), True, "The account has them.", "migrator")
    assert (desk.view()["state"], desk.put()["changed"]) == ("done", False)


@pytest.mark.parametrize("change", CHANGES)
def test_a_step_that_waits_for_a_dongle_that_did_not_stay_says_stop(
    desk: Bench, change: str
) -> None:
    """To whom it was given, and to each run; a kill of the agent takes nothing of that back."""
    said = desk.confirmed()
    desk.put(**said)
    CHANGES[change][0](desk)
    # Whoever looks may have come in the middle of it.
    noticed = disturbed(desk)
    assert CHANGES[change][1] in noticed or f"{CHOSEN} was unplugged at {PATH}" in noticed
    desk.restart()
    desk.migrations.resume("agent")
    awaited = desk.operation().awaited
    assert awaited is not None
    assert awaited.instructions is not None
    assert awaited.instructions.steps[0].startswith("Stop: ")
    with pytest.raises(Problem) as refused:
        desk.put(**said)
    assert refused.value.detail.startswith("Stop, click nothing more")
    assert refused.value.code is not ProblemCode.IN_DOUBT
    assert desk.actions().count("disturbed") == 1
    assert desk.view()["state"] == "waiting"


@pytest.mark.parametrize("change", ["plugged in again", "swapped", "joined"])
def test_what_was_stopped_is_planned_and_confirmed_anew(desk: Bench, change: str) -> None:
    """With another digest, and a sentence that says what no host can show."""
    said = desk.confirmed()
    first = desk.put(**said)["operation"]["id"]
    CHANGES[change][0](desk)
    disturbed(desk)
    for path in (PATH, OTHER_PATH):
        if (desk.bus.folder / path).exists():
            desk.bus.unplug(path)
    desk.bus.plug(PATH, serial=CHOSEN)
    with pytest.raises(Problem) as refused:
        desk.put(**said)
    assert refused.value.code is ProblemCode.CONFIRMATION_REQUIRED
    again = desk.confirmed()
    assert again["confirmation"] == refused.value.facts["digest"] != said["confirmation"]
    assert again["acknowledgement"] != said["acknowledgement"]
    assert again["acknowledgement"].endswith("nobody has begun its migration so far.")
    with pytest.raises(Problem) as refused:
        desk.put(**again | {"acknowledgement": said["acknowledgement"]})
    assert refused.value.code is ProblemCode.ACKNOWLEDGEMENT_REQUIRED
    answer = desk.put(**again)
    assert (answer["migration"]["state"], answer["migration"]["disturbance"]) == ("waiting", None)
    assert answer["operation"]["id"] != first
    desk.server.migrate()
    assert desk.put()["migration"]["state"] == "done"
    assert desk.server.holds == ({OTHER: HELD} if change != "plugged in again" else {})


def test_what_was_hidden_for_the_stopped_attempt_is_hidden_for_the_new_one(desk: Bench) -> None:
    """The plan of the one is made while the other one still has them hidden."""
    desk.plug("90000007", "1-2")
    desk.go(isolate=True)
    replug(desk)
    disturbed(desk)
    answer = desk.go(isolate=True)
    assert answer["migration"]["state"] == "waiting"
    assert desk.authorized() == {PATH: True, "1-2": False}
    desk.server.migrate()
    assert desk.put()["migration"]["state"] == "done"
    assert desk.authorized() == {PATH: True, "1-2": True}


def test_a_dongle_is_pulled_after_the_documented_end(desk: Bench) -> None:
    """As the vendor says; the licenses may come minutes later, and are this dongle's."""
    desk.go(licenses=perpetual())
    desk.server.dongle_service = False
    desk.server.holds.pop(CHOSEN)
    desk.bus.unplug(PATH)
    deadline = time.monotonic() + NOTICED_SECONDS_MAX
    while not desk.view()["notes"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    desk.migrations.resume("agent")
    desk.restart()
    desk.migrations.resume("agent")
    desk.server.arrive(HELD)
    answer = desk.put()
    assert (answer["migration"]["state"], answer["migration"]["comparison"]) == ("done", "matches")
    assert answer["migration"]["disturbance"] is None


def test_a_service_that_is_on_again_was_no_end(desk: Bench) -> None:
    """Somebody switched it off, pulled the dongle and went on with another one."""
    desk.go()
    desk.server.dongle_service = False
    desk.migrations.resume("agent")
    swap(desk)
    desk.server.dongle_service = True
    desk.migrations.resume("agent")
    disturbed(desk)
    desk.server.migrate()
    assert refused_run(desk).code is ProblemCode.IN_DOUBT


def test_a_bus_that_cannot_be_seen_proves_nothing(desk: Bench) -> None:
    """The end is believed when the dongle is seen to be where it was."""
    desk.go()
    desk.server.migrate()
    gone = desk.bus.folder.rename(desk.folder / "gone")
    desk.restart()
    assert desk.put()["migration"]["state"] == "waiting"
    gone.rename(desk.bus.folder)
    assert desk.put()["migration"]["state"] == "done"


def test_other_licenses_than_declared_are_no_match(desk: Bench) -> None:
    """Two interface seats are declared, three for rendering come: every difference is said."""
    held = perpetual()
    held = (type(held[0])("V-Ray", "3.6", perpetual=True, seats={"interface": 2}),)
    desk.server.holds[CHOSEN] = {"V-Ray": {"render": 3}}
    desk.go(licenses=held)
    desk.server.migrate()
    view = desk.put()["migration"]
    assert view["comparison"] == "differs"
    assert view["differences"] == [
        "V-Ray: declared 2 interface, arrived 0", "V-Ray: declared 0 render, arrived 3",
    ]  # fmt: skip
    assert "version 3.6" in view["not_compared"][0]


def test_a_dongle_named_by_its_path_is_the_same_one_when_it_was_unplugged(bench: Bench) -> None:
    """In every later run, by the same entry: also with the next dongle in that port."""
    bench.go(PATH)
    bench.bus.unplug(PATH)
    for _run in range(2):
        answer = bench.put(PATH)
        assert (answer["changed"], answer["migration"]["state"]) == (False, "done")
        assert answer["migration"]["names"] == sorted([CHOSEN, PATH])
        bench.restart()
    bench.plug(OTHER, PATH)
    assert bench.plan(PATH)["changed"] is bench.put(PATH)["changed"] is False
    assert bench.view(PATH)["dongle"]["serial"] == CHOSEN
    assert bench.go(OTHER)["migration"]["dongle"]["serial"] == OTHER
    assert bench.page.clicks == 2


def test_a_dongle_named_by_its_path_is_waited_for_when_it_was_unplugged(desk: Bench) -> None:
    """It is not another one that is unknown: its step says stop, and can be given up by a word."""
    desk.go(PATH)
    desk.bus.unplug(PATH)
    disturbed(desk)
    with pytest.raises(Problem) as refused:
        desk.put(PATH)
    assert refused.value.code is ProblemCode.DONGLE_UNKNOWN
    assert "Plug the dongle in again, alone" in refused.value.next_action
    given = desk.migrations.identity(PATH)
    with pytest.raises(Problem) as refused:
        desk.migrations.give_up(given, ACTOR, dry_run=False)
    assert desk.operation().id in refused.value.next_action


def test_two_of_one_serial_number_are_told_apart_by_their_ports(bench: Bench) -> None:
    """As the refusal advises; the second one is not taken for the first one that is done."""
    bench.plug(CHOSEN, OTHER_PATH)
    assert bench.refused(CHOSEN).code is ProblemCode.DONGLE_UNKNOWN
    bench.server.plugged = lambda: [
        entry.path for entry in bench.usb.dongles() if entry.authorized is not False
    ]
    bench.server.holds = {PATH: HELD, OTHER_PATH: HELD}
    assert bench.go(PATH, isolate=True)["migration"]["state"] == "done"
    assert [entry["migrated"] for entry in bench.reports.listing()] == [True, False]
    bench.bus.unplug(PATH)
    assert bench.put(PATH)["changed"] is False
    assert [entry["migrated"] for entry in bench.reports.listing()] == [False]
    assert bench.go(OTHER_PATH)["migration"]["state"] == "done"
    assert bench.put(PATH)["changed"] is bench.put(OTHER_PATH)["changed"] is False
    assert bench.page.clicks == 2
