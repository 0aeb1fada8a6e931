# SPDX-License-Identifier: GPL-3.0-or-later
"""A dongle is migrated once: seen to its end, remembered for ever, refused for anybody else."""

from __future__ import annotations

import threading
import time

import pytest

from operations.hosts import ACTOR
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import OperationState

from .bench import CHOSEN, REPORTED, TARGET, Bench, perpetual

OTHER, OTHER_PATH = "90000004", "1-1.4"


def test_a_browser_migrates_it_to_the_end(bench: Bench) -> None:
    """One click, the documented end, and every step in the audit."""
    answer = bench.go()
    assert (answer["changed"], answer["waiting"]) == (True, [])
    assert answer["before"] == {"dongle": CHOSEN, "migrated": False}
    assert answer["after"] == {"dongle": CHOSEN, "migrated": True}
    assert answer["report"]["verdict"] == "open"
    assert [step["state"] for step in answer["plan"]["steps"]] == ["done", "done"]
    migration = answer["migration"]
    assert (migration["state"], migration["target_user"]) == ("done", TARGET)
    assert migration["licenses_before"] == [{"product": "V-Ray", "seats": {"render": 4}}]
    assert migration["licenses_after"] == [{"product": "V-Ray", "seats": {"render": 9}}]
    assert migration["gained"] == [{"product": "V-Ray", "seats": {"render": 5}}]
    assert (migration["comparison"], migration["problem"]) == ("not_declared", None)
    assert bench.page.clicks == 1
    assert bench.server.calls == ["dongle on"]
    assert bench.actions() == [
        "confirmed", "intent:dongle_service", "done:dongle_service", "intent:transfer",
        "done:transfer",
    ]  # fmt: skip


def test_a_done_one_stays_done_when_it_is_declared_again(bench: Bench) -> None:
    """With or without its confirmation, plugged or not: unchanged, and nothing is written."""
    said = bench.confirmed()
    bench.put(**said)
    head = bench.head()
    for again in ({}, said, {"isolate": True}, {"licenses": perpetual()}):
        answer = bench.put(**again)
        assert (answer["changed"], answer["migration"]["state"]) == (False, "done")
        assert answer["before"] == answer["after"] == {"dongle": CHOSEN, "migrated": True}
        assert bench.plan(**again)["changed"] is False
    bench.bus.unplug("1-1.1")
    assert bench.put()["changed"] is False
    bench.restart()
    assert bench.put()["changed"] is False
    assert (bench.page.clicks, bench.head()) == (1, head)


def test_another_user_is_refused_for_a_done_one(bench: Bench) -> None:
    """It cannot be undone, so it cannot be somebody else's."""
    bench.go()
    for declare in (bench.put, bench.plan):
        with pytest.raises(Problem) as refused:
            declare(target_user="other@studio.example")
        assert refused.value.code is ProblemCode.DONGLE_MIGRATED
        assert TARGET in refused.value.detail
    assert bench.put()["changed"] is False


def test_a_done_one_stays_done_while_another_ones_is_under_way(desk: Bench) -> None:
    """A playbook that declares both goes on over the first one."""
    desk.go()
    desk.server.migrate()
    desk.put()
    desk.bus.unplug("1-1.1")
    desk.plug(OTHER, OTHER_PATH)
    assert desk.go(OTHER)["operation"]["state"] == "waiting"
    answer = desk.put()
    assert (answer["changed"], answer["migration"]["state"]) == (False, "done")
    assert desk.view()["gained"] != []
    assert desk.view(OTHER)["state"] == "waiting"


def test_it_is_found_by_its_path_as_well(bench: Bench) -> None:
    """Under the serial number, so that it is the same one in another port."""
    answer = bench.go("1-1.1")
    assert answer["migration"]["dongle"]["serial"] == CHOSEN
    bench.bus.unplug("1-1.1")
    bench.bus.plug("1-2", serial=CHOSEN)
    assert bench.put("1-2")["changed"] is False
    assert bench.put(CHOSEN)["changed"] is False
    bench.bus.unplug("1-2")
    bench.plug(OTHER, "1-2")
    assert bench.plan("1-2")["changed"] is True


def test_one_without_a_serial_number_is_known_by_its_port(bench: Bench) -> None:
    """There is nothing else to know it by."""
    bench.bus.unplug("1-1.1")
    bench.plug(None, "1-3")
    answer = bench.go("1-3")
    assert (answer["migration"]["dongle"]["id"], answer["migration"]["state"]) == ("1-3", "done")
    assert bench.put("1-3")["changed"] is False


@pytest.mark.parametrize("name", ["nobody", "", "1-9"])
def test_a_dongle_that_is_not_there_is_unknown(bench: Bench, name: str) -> None:
    """The problem tells which ones are."""
    problem = bench.refused(name)
    assert problem.code is ProblemCode.DONGLE_UNKNOWN
    assert f"{CHOSEN} at 1-1.1" in problem.detail


def test_a_person_is_waited_for(desk: Bench) -> None:
    """And it goes on by itself once the status shows the end."""
    answer = desk.go(deadline_seconds=3600)
    assert (answer["changed"], answer["migration"]["state"]) == (True, "waiting")
    (waiting,) = answer["waiting"]
    assert (waiting["who"], waiting["step"], waiting["reversible"]) == ("person", "transfer", False)
    assert waiting["instructions"] == list(REPORTED.steps)
    assert (waiting["attestable"], waiting["overdue"]) == (True, False)
    assert waiting["until"] is not None
    head = desk.head()
    for _look in range(3):
        assert desk.put()["changed"] is False
        desk.migrations.resume("agent")
    assert desk.head() == head
    desk.restart()
    desk.server.migrate()
    assert desk.migrations.resume("agent") == [answer["operation"]["id"]]
    assert desk.view()["state"] == "done"
    assert desk.view()["gained"] == [{"product": "V-Ray", "seats": {"render": 5}}]
    assert (desk.page.clicks, desk.put()["changed"]) == (0, False)


def test_the_declaration_that_sees_the_end_is_the_one_that_changed(desk: Bench) -> None:
    """Unless the agent saw it before."""
    desk.go()
    desk.server.migrate()
    answer = desk.put()
    assert (answer["changed"], answer["after"]["migrated"]) == (True, True)
    assert desk.put()["changed"] is False


@pytest.mark.parametrize("part", ["service", "licenses"])
def test_half_an_end_is_no_end(desk: Bench, part: str) -> None:
    """The service alone may be switched off by anybody, and licenses may be bought."""
    desk.go()
    if part == "service":
        desk.server.dongle_service = False
    else:
        desk.server.arrive({"V-Ray": {"render": 1}})
    assert desk.put()["migration"]["state"] == "waiting"


@pytest.mark.parametrize("happened", [True, False])
def test_a_persons_word_ends_it(desk: Bench, happened: bool) -> None:
    """Done is done for ever; not done is free for a new attempt with a new confirmation."""
    said = desk.confirmed()
    desk.put(**said)
    desk.migrations.attest(desk.operation(), happened, "The page says so.", "migrator")
    view = desk.view()
    assert view["state"] == ("done" if happened else "failed")
    if happened:
        assert (view["attested"], view["gained"]) == ("The page says so.", [])
        assert desk.put()["changed"] is False
        return
    assert view["problem"]["code"] == ProblemCode.ATTESTED_UNDONE.value
    desk.server.version = "6.1.0"
    assert desk.refused(**said).code is ProblemCode.CONFIRMATION_REQUIRED
    again = desk.go()
    assert again["migration"]["state"] == "waiting"
    assert again["operation"]["id"] != view["operation"]["id"]


def test_declared_licenses_are_waited_for(bench: Bench) -> None:
    """They may take minutes; what came last is told as well."""
    bench.server.holds[CHOSEN] = {"V-Ray": {"render": 5}}
    held = (*perpetual(), *perpetual("Phoenix", "3.1"))
    answer = bench.go(licenses=held)
    (waiting,) = answer["waiting"]
    assert (waiting["who"], waiting["step"]) == ("vendor", "arrive")
    assert answer["migration"]["comparison"] is None
    assert answer["after"]["migrated"] is True
    bench.restart()
    bench.server.arrive({"Phoenix": {"network": 2}})
    bench.migrations.resume("agent")
    view = bench.view()
    assert (view["state"], view["comparison"]) == ("done", "matches")
    assert view["gained"] == [
        {"product": "V-Ray", "seats": {"render": 5}},
        {"product": "Phoenix", "seats": {"network": 2}},
    ]
    assert bench.page.clicks == 1


@pytest.mark.parametrize("happened", [True, False])
def test_what_never_arrives_is_ended_by_a_persons_word(bench: Bench, happened: bool) -> None:
    """The migration is done either way, and another one is not begun."""
    bench.go(licenses=perpetual("Phoenix"))
    bench.migrations.attest(bench.operation(), happened, "The vendor wrote so.", "migrator")
    view = bench.view()
    assert view["comparison"] == ("attested" if happened else "differs")
    head = bench.head()
    assert bench.put()["changed"] is False
    assert (bench.head(), bench.page.clicks) == (head, 1)


def test_a_server_that_falls_silent_after_the_end_ends_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The licenses are looked for again by the next run."""
    conclude = bench.server.migrate

    def migrate_and_fall_silent() -> None:
        conclude()
        threading.Timer(0.35, setattr, (bench.server, "is_up", False)).start()

    monkeypatch.setattr(bench.server, "migrate", migrate_and_fall_silent)
    bench.server.holds[CHOSEN] = {"V-Ray": {"render": 5}}
    bench.go(licenses=(*perpetual(), *perpetual("Phoenix")))
    wait_until_down(bench)
    bench.migrations.resume("agent")
    bench.server.is_up = True
    bench.server.arrive({"Phoenix": {"network": 2}})
    assert bench.put()["migration"]["comparison"] == "matches"
    assert bench.page.clicks == 1


def wait_until_down(bench: Bench) -> None:
    """Bounded."""
    deadline = time.monotonic() + 60
    while bench.server.is_up:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_two_that_declare_it_at_once_click_once(bench: Bench) -> None:
    """Both had the same confirmation; both get an answer, and one of them the work."""
    said = bench.confirmed()
    bench.page.meanwhile = lambda: time.sleep(0.3)
    answers: list[object] = []

    def declare() -> None:
        try:
            answers.append(bench.put(**said)["migration"]["state"])
        except Problem as problem:
            answers.append(problem.code)

    threads = [threading.Thread(target=declare) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert bench.page.clicks == 1
    assert "done" in answers
    assert set(answers) <= {"done", ProblemCode.CONTAINER_BUSY, ProblemCode.CONFIRMATION_REQUIRED}
    assert bench.view()["state"] == "done"


def test_whoever_came_in_between_does_not_click_again(bench: Bench) -> None:
    """Somebody declares it while it is prepared; the click's answer is lost: still one click."""
    said = bench.confirmed()
    bench.page.works = False
    others: list[threading.Thread] = []

    def come_in() -> None:
        others.append(threading.Thread(target=_declared, args=(bench,)))
        others[-1].start()
        time.sleep(0.3)

    bench.page.meanwhile = come_in
    assert bench.put(**said)["waiting"][0]["who"] == "vendor"
    for other in others:
        other.join(120)
    assert bench.page.clicks == 1
    assert bench.operation().state is OperationState.WAITING


def _declared(bench: Bench) -> None:
    try:
        bench.put()
    except Problem:
        return


def test_recovery_does_not_give_up_what_is_being_done(bench: Bench) -> None:
    """An agent that starts looks for interrupted work while requests come in already."""
    said = bench.confirmed()
    recoveries: list[threading.Thread] = []

    def recover() -> None:
        recoveries.append(threading.Thread(target=_recovered, args=(bench,)))
        recoveries[-1].start()
        time.sleep(0.3)

    bench.server.point = bench.page.point = lambda _name: None  # type: ignore[assignment]
    switched = bench.server.set_dongle_service

    def slow_switch(enabled: bool) -> None:
        recover()
        switched(enabled)

    bench.server.set_dongle_service = slow_switch  # type: ignore[method-assign]
    assert bench.put(**said)["migration"]["state"] == "done"
    for recovery in recoveries:
        recovery.join(120)
    assert "given_up" not in bench.actions()
    assert bench.page.clicks == 1


def _recovered(bench: Bench) -> None:
    bench.migrations.resume(ACTOR)


def test_other_work_on_the_server_is_refused_meanwhile(desk: Bench) -> None:
    """And the other way round: what was confirmed is not even written down."""
    desk.go()
    with pytest.raises(Problem) as refused:
        desk.switch(enabled=False)
    assert refused.value.code is ProblemCode.CONTAINER_BUSY
    desk.plug(OTHER, OTHER_PATH)
    problem = desk.refused(OTHER)
    assert (problem.code, CHOSEN in problem.detail) == (ProblemCode.CONTAINER_BUSY, True)
    # That it was plugged in is noted meanwhile, or a moment later.
    assert desk.actions().count("confirmed") == len(desk.migrations.page("", 10)) == 1


def test_the_dongle_service_stays_off_for_a_migrated_dongle(bench: Bench) -> None:
    """It says why, and is switched on again for the next dongle."""
    assert bench.switch(enabled=True)["changed"] is True
    bench.go()
    for _run in range(2):
        answer = bench.switch(enabled=True)
        assert (answer["changed"], bench.server.dongle_service) == (False, False)
        assert "switched the dongle service off after a migration" in answer["notes"][0]
    bench.bus.unplug("1-1.1")
    assert bench.switch(enabled=True)["changed"] is False
    bench.plug(OTHER, OTHER_PATH)
    answer = bench.switch(enabled=True)
    assert (answer["changed"], answer["notes"]) == (True, [])
    assert bench.server.dongle_service is True


def test_the_dongle_service_is_left_alone_while_a_migration_waits(desk: Bench) -> None:
    """What the vendor is about to do is not fought over."""
    desk.go()
    desk.server.dongle_service = False
    answer = desk.switch(enabled=True)
    assert (answer["changed"], "under way" in answer["notes"][0]) == (False, True)


def test_giving_up_is_refused_after_the_irreversible_step_was_handed_out(desk: Bench) -> None:
    """Only somebody's word ends it then."""
    desk.go()
    identity = desk.view()["id"]
    with pytest.raises(Problem) as refused:
        desk.migrations.give_up(identity, ACTOR, dry_run=False)
    assert refused.value.code is ProblemCode.IN_DOUBT
    assert desk.view()["state"] == "waiting"
    desk.server.migrate()
    desk.put()
    with pytest.raises(Problem) as refused:
        desk.migrations.give_up(identity, ACTOR, dry_run=False)
    assert refused.value.code is ProblemCode.DONGLE_MIGRATED


def test_giving_up_what_never_was_or_has_ended_changes_nothing(desk: Bench) -> None:
    """Declaring its absence twice is no error."""
    nobody = "00000000-0000-0000-0000-000000000000"
    assert desk.migrations.give_up(nobody, ACTOR, dry_run=False) == {
        "changed": False, "migration": None,
    }  # fmt: skip
    desk.go()
    desk.migrations.attest(desk.operation(), False, "Nobody may.", "migrator")
    identity = desk.view()["id"]
    assert desk.migrations.give_up(identity, ACTOR, dry_run=False)["changed"] is False
