# SPDX-License-Identifier: GPL-3.0-or-later
"""Other dongles are hidden while one is migrated, and given back in every outcome."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatkeeper_agent.domain.problems import ProblemCode
from seatkeeper_agent.domain.records import OperationState
from seatkeeper_agent.domain.servers import Dongle
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal.declarations import ISOLATION
from seatkeeper_agent.operations.ports import DriverRefused, DriverUnfinished
from seatkeeper_agent.state import State

from .bench import CHOSEN, Bench, perpetual

OTHERS = {"1-1.2": "90000002", "1-1.3": "90000003", "2-1": "90000004"}
ALL = {"1-1.1": True, "1-1.2": True, "1-1.3": True, "2-1": True}
ALONE = {"1-1.1": True, "1-1.2": False, "1-1.3": False, "2-1": False}
ISOLATED = {"isolate": True}


def four(made: Bench) -> Bench:
    """Three more dongles."""
    for path, serial in OTHERS.items():
        made.plug(serial, path)
    return made


@pytest.fixture
def host(bench: Bench) -> Bench:
    """A host with four dongles and a browser."""
    return four(bench)


@pytest.fixture
def office(desk: Bench) -> Bench:
    """A host with four dongles and a person."""
    return four(desk)


def owed(bench: Bench) -> int:
    """How many operations owe dongles."""
    with bench.journal.reading() as unit:
        return len(unit.declarations.page(ISOLATION, "", 10))


def watch_clicks(bench: Bench) -> list[dict[str, bool | None]]:
    """What the driver could have at each click."""
    seen: list[dict[str, bool | None]] = []
    bench.page.meanwhile = lambda: seen.append(bench.authorized())
    return seen


def test_one_of_four_is_migrated_alone(host: Bench) -> None:
    """The others cannot be had when it is clicked, and can be had afterwards."""
    seen = watch_clicks(host)
    answer = host.go(**ISOLATED)
    assert answer["migration"]["state"] == "done"
    assert (seen, host.authorized(), owed(host)) == ([ALONE], ALL, 0)
    assert host.page.clicks == 1


def test_several_are_migrated_one_after_the_other_with_nobody_there(host: Bench) -> None:
    """All confirmed in advance; each is alone when it is its turn; the sum is what they held."""
    serials = [CHOSEN, *OTHERS.values()]
    said = {serial: host.confirmed(serial, **ISOLATED) for serial in serials}
    seen = watch_clicks(host)
    for serial in serials:
        assert host.put(serial, **said[serial])["after"]["migrated"] is True
    assert [sum(bool(value) for value in look.values()) for look in seen] == [1] * 4
    assert len({tuple(look.items()) for look in seen}) == 4
    assert (host.page.clicks, host.authorized(), owed(host)) == (4, ALL, 0)
    assert host.server.seats["V-Ray"]["render"] == 4 + 4 * 5
    assert [host.put(serial)["changed"] for serial in serials] == [False] * 4


def test_without_isolation_it_is_refused(host: Bench) -> None:
    """And nothing is hidden."""
    problem = host.refused_alike()
    assert problem.code is ProblemCode.DONGLE_NOT_ELIGIBLE
    assert "set isolate" in problem.next_action
    assert host.authorized() == ALL


def test_a_refusal_gives_them_back(host: Bench) -> None:
    """Before the click nothing has happened, and the problem says what."""
    host.page.before = [DriverRefused("The page shows a problem.")]
    problem = host.refused_run(**ISOLATED)
    assert problem.code is ProblemCode.RUNTIME_REFUSED
    assert (host.page.clicks, host.authorized(), owed(host)) == (0, ALL, 0)
    assert host.view()["state"] == "failed"


def test_they_stay_hidden_while_it_is_in_doubt(host: Bench) -> None:
    """The vendor may still be at work; a person's word gives them back."""
    host.page.works, host.page.after = False, [DriverRefused("no", 409)]
    problem = host.refused_run(**ISOLATED)
    assert problem.code is ProblemCode.IN_DOUBT
    assert (host.authorized(), owed(host)) == (ALONE, 1)
    host.restart()
    assert host.refused().code is ProblemCode.IN_DOUBT
    assert host.authorized() == ALONE
    host.migrations.attest(host.operation(), False, "The page shows nothing.", "migrator")
    assert (host.authorized(), owed(host), host.page.clicks) == (ALL, 0, 1)


def test_they_stay_hidden_while_a_person_works(office: Bench) -> None:
    """However often it is looked, and over the end of the agent."""
    office.go(**ISOLATED)
    for _look in range(2):
        office.put(**ISOLATED)
        office.migrations.resume("agent")
        office.restart()
        assert (office.authorized(), owed(office)) == (ALONE, 1)
    office.server.migrate()
    office.migrations.resume("agent")
    assert (office.authorized(), owed(office)) == (ALL, 0)


def test_they_are_given_back_before_the_licenses_are_waited_for(host: Bench) -> None:
    """That may take a day."""
    answer = host.go(licenses=perpetual("Phoenix"), **ISOLATED)
    assert answer["waiting"][0]["step"] == "arrive"
    assert (host.authorized(), owed(host)) == (ALL, 0)


def test_one_that_is_plugged_in_again_is_hidden_again(office: Bench) -> None:
    """The kernel forgot; it is told, once, and the chosen one stayed alone."""
    office.go(**ISOLATED)
    office.bus.unplug("1-1.3")
    office.plug("90000003", "1-1.3")
    for _look in range(3):
        office.migrations.resume("agent")
    assert office.authorized() == ALONE
    texts = [note["text"] for note in office.view()["notes"]]
    assert texts.count("The dongle 90000003 was hidden again at 1-1.3.") == 1
    assert office.view()["disturbance"] is None
    office.server.migrate()
    assert office.put()["migration"]["state"] == "done"
    assert set(office.authorized().values()) == {True}


def test_one_that_comes_back_while_it_is_looked_joins_nobody(
    office: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right after the look for what is to be hidden again; it is looked for once more then."""
    office.go(**ISOLATED)
    office.migrations.close()
    office.bus.unplug("1-1.3")
    seen = office.reports.dongles
    back: list[str] = []

    def dongles() -> list[Dongle]:
        found = seen()
        if not back:
            back.append("1-1.3")
            office.plug("90000003", "1-1.3")
        return found

    monkeypatch.setattr(office.reports, "dongles", dongles)
    office.migrations.resume("agent")
    assert (back, office.authorized()) == (["1-1.3"], ALONE)
    assert office.view()["disturbance"] is None


def test_nothing_is_hidden_again_by_a_look_that_comes_too_late(office: Bench) -> None:
    """The operation ended after the look had begun."""
    office.go(**ISOLATED)
    operation = office.operation()
    declared = office.migrations._known.declared_by(operation)
    assert declared is not None
    office.server.migrate()
    assert office.put()["migration"]["state"] == "done"
    office.migrations._owed.hide_again(operation, declared.document)
    assert set(office.authorized().values()) == {True}


def test_the_chosen_one_is_never_hidden_wherever_it_is(office: Bench) -> None:
    """It was moved into the port of one that is hidden, so its migration is stopped."""
    office.go(**ISOLATED)
    for path in ("1-1.1", "2-1"):
        office.bus.unplug(path)
    office.plug(CHOSEN, "2-1")
    for _look in range(3):
        office.migrations.resume("agent")
    assert office.authorized() == {"1-1.2": False, "1-1.3": False, "2-1": True}
    assert office.view()["disturbance"] is not None


def test_all_are_hidden_again_after_the_host_has_started_anew(office: Bench) -> None:
    """A kernel that starts lets drivers have everything."""
    office.go(**ISOLATED)
    for path in OTHERS:
        (office.bus.folder / path / "authorized").write_text("1\n")
    office.restart()
    office.migrations.resume("agent")
    assert office.authorized() == ALONE
    head = office.head()
    office.migrations.resume("agent")
    assert office.head() == head


def test_what_cannot_be_hidden_again_is_told_once(office: Bench) -> None:
    """And whoever is at the page has to stop: there are two dongles for the driver."""
    office.go(**ISOLATED)
    attribute = office.bus.folder / "1-1.3" / "authorized"
    attribute.write_text("1\n")
    _forbid(attribute)
    for _look in range(3):
        office.migrations.resume("agent")
    texts = [note["text"] for note in office.view()["notes"]]
    assert len([text for text in texts if "cannot be hidden" in text]) == 1
    assert office.view()["state"] == "waiting"
    assert "beside the dongle" in office.view()["disturbance"]


def test_one_that_is_unplugged_meanwhile_is_owed_no_more(office: Bench) -> None:
    """What is there is given back."""
    office.go(**ISOLATED)
    office.bus.unplug("2-1")
    office.migrations.attest(office.operation(), False, "Nobody may.", "migrator")
    assert office.authorized() == {"1-1.1": True, "1-1.2": True, "1-1.3": True}
    assert owed(office) == 0


def test_what_cannot_be_hidden_is_told_and_the_rest_given_back(host: Bench) -> None:
    """Nothing was clicked."""
    attribute = host.bus.folder / "1-1.3" / "authorized"
    _forbid(attribute)
    problem = host.refused_run(**ISOLATED)
    assert (problem.code, host.page.clicks) == (ProblemCode.ISOLATION_FAILED, 0)
    assert "1-1.3" in problem.detail
    assert host.operation().state is OperationState.FAILED
    _allow(attribute)
    assert host.refused().code is ProblemCode.DONGLE_NOT_ELIGIBLE
    assert (host.authorized(), owed(host)) == (ALL, 0)


def test_what_could_not_be_given_back_is_given_back_by_the_next_run(host: Bench) -> None:
    """The migration is done all the same, and stays done."""
    attribute = host.bus.folder / "1-1.3" / "authorized"
    host.page.meanwhile = lambda: _forbid(attribute)
    problem = host.refused_run(**ISOLATED)
    assert problem.code is ProblemCode.ISOLATION_FAILED
    assert host.view()["gained"] != []
    assert owed(host) == 1
    assert host.refused().code is ProblemCode.ISOLATION_FAILED
    _allow(attribute)
    answer = host.put()
    assert (answer["after"]["migrated"], answer["migration"]["state"]) == (True, "done")
    assert (host.authorized(), owed(host), host.page.clicks) == (ALL, 0, 1)


def _forbid(attribute: Path) -> None:
    """As where the agent may read and not write, which a mode does not do to root: a link."""
    kept = attribute.with_name("kept")
    attribute.rename(kept)
    attribute.symlink_to(kept)


def _allow(attribute: Path) -> None:
    attribute.with_name("kept").rename(attribute)


def test_one_that_is_plugged_in_right_before_the_click_stops_it(host: Bench) -> None:
    """Nothing is clicked, and everything is given back."""
    host.page.meanwhile = lambda: host.plug("90000005", "2-2")
    problem = host.refused_run(**ISOLATED)
    assert "not the only one" in problem.detail
    assert (host.page.clicks, owed(host)) == (0, 0)
    assert host.authorized() == {**ALL, "2-2": True}


def test_a_browser_that_is_lost_before_the_click_is_tried_again(host: Bench) -> None:
    """Nothing has happened then, for certain."""
    host.page.before = [DriverUnfinished("The browser ended.")]
    assert host.go(**ISOLATED)["migration"]["state"] == "done"
    assert (host.page.clicks, host.authorized()) == (1, ALL)


def test_what_is_owed_wakes_an_agent_at_its_start(host: Bench) -> None:
    """It died after the operation had ended and before it had given anything back."""
    identity = Identity("host", host.folder / "agent.key", host.folder)
    with (host.folder / "lock").open("w") as lock:
        state = State(identity, host.journal, lock)
        assert state.has_work() is False
        with host.journal.transaction() as unit:
            unit.declarations.put(ISOLATION, "an operation that has ended", {"paths": ["2-1"]})
        assert state.has_work() is True
        (host.bus.folder / "2-1" / "authorized").write_text("0\n")
        host.migrations.resume("agent")
        assert (host.authorized(), state.has_work()) == (ALL, False)


def test_dongles_of_another_kind_are_left_alone(host: Bench) -> None:
    """Only WibuKeys are hidden from the WibuKey driver."""
    host.bus.plug("3-1", "064f:2af9", serial="CmStick")
    seen = watch_clicks(host)
    host.go(**ISOLATED)
    assert seen == [{**ALONE, "3-1": True}]
