# SPDX-License-Identifier: GPL-3.0-or-later
"""Seats for offline use: taken, renewed and returned on the page, by a person or a browser."""

from __future__ import annotations

from typing import Any

import pytest

from operations.hosts import Crash
from operations.products import SmallServer
from seatkeeper_agent.domain.problems import ProblemCode

from .bench import DAY, NOW, Bench, refused


@pytest.fixture(autouse=True)
def _activated(bench: Bench, browser: Bench) -> None:
    for made in (bench, browser):
        made.server.activated = True


def steps(answer: dict[str, Any]) -> list[str]:
    """The names of a plan's steps."""
    return [step["name"] for step in answer["plan"]["steps"]]


def test_a_person_borrows_and_returns(bench: Bench) -> None:
    """Each is asked for once, seen, and remembered."""
    planned = bench.borrow(2, dry_run=True)
    assert (planned["changed"], steps(planned), bench.head()[0]) == (True, ["borrow"], 0)
    answer = bench.borrow(2)
    assert (answer["changed"], answer["operation"]["state"]) == (True, "waiting")
    assert answer["waiting"][0]["instructions"] == ["BORROW 2 of V-Ray."]
    head = bench.head()
    assert bench.borrow(2)["changed"] is False
    assert (bench.resume(), bench.head()) == ([answer["operation"]["id"]], head)
    bench.server.offline["V-Ray"] = 2
    bench.restart()
    bench.resume()
    borrowed = bench.borrows.view("desk")
    assert borrowed is not None
    assert borrowed["borrowed"]["seats"] == 2
    assert borrowed["borrowed"]["seen"] is False
    assert bench.borrow(2)["changed"] is False
    answer = bench.borrow(0)
    assert answer["waiting"][0]["instructions"] == ["RELEASE V-Ray."]
    bench.server.offline.clear()
    answer = bench.borrow(0)
    assert answer["operation"] is None or answer["operation"]["state"] == "done"
    assert bench.borrow(0)["changed"] is False


def test_what_a_person_did_is_seen_and_not_attested(bench: Bench) -> None:
    """The status lists what is borrowed; that nobody will borrow may be said."""
    bench.borrow(2)
    (operation,) = bench.opened()
    problem = refused(bench.borrows.attest, operation, True, "I borrowed it.", "migrator")
    assert problem.code is ProblemCode.CAPABILITY_REFUSED
    bench.borrows.attest(operation, False, "Nobody needs it.", "migrator")
    assert bench.opened() == []
    assert bench.borrow(2)["operation"]["id"] != operation.id


def test_what_only_the_page_shows_is_attested(bench: Bench) -> None:
    """AUTO-RENEW is in no status."""
    bench.borrow(2)
    bench.server.offline["V-Ray"] = 2
    bench.borrow(2)
    answer = bench.borrow(2, auto_renew=True)
    assert (steps(answer), answer["waiting"][0]["attestable"]) == (["auto_renew"], True)
    (operation,) = bench.opened()
    bench.borrows.attest(operation, True, "It is switched on.", "migrator")
    found = bench.borrows.view("desk")
    assert found is not None
    assert found["borrowed"]["auto_renew"] is True
    assert bench.borrow(2, auto_renew=True)["changed"] is False


def test_a_browser_borrows_and_returns(browser: Bench) -> None:
    """Nobody waits for anybody."""
    answer = browser.borrow(2)
    assert (answer["operation"]["state"], answer["waiting"]) == ("done", [])
    assert answer["borrow"]["borrowed"]["seen"] is True
    assert browser.borrow(2)["changed"] is False
    assert browser.page.clicks == 1
    answer = browser.borrow(3)
    assert (steps(answer), browser.server.offline) == (["release", "borrow"], {"V-Ray": 3})
    assert browser.borrow(0)["after"]["seats"] == 0
    assert browser.server.offline == {}


def test_its_end_returns_it(browser: Bench) -> None:
    """A declared end that comes sooner than the vendor's."""
    browser.borrow(2)
    browser.now = NOW + 8 * DAY
    assert steps(browser.borrow(2)) == ["release"]
    assert browser.borrow(2)["changed"] is False


@pytest.mark.parametrize(
    ("until", "code"),
    [
        (NOW + 14 * DAY, None),
        (NOW + 14 * DAY + 1, ProblemCode.PERIOD_TOO_LONG),
        (NOW, ProblemCode.PERIOD_IN_THE_PAST),
        (NOW - DAY, ProblemCode.PERIOD_IN_THE_PAST),
    ],
)
def test_two_weeks_at_most(bench: Bench, until: int, code: ProblemCode | None) -> None:
    """Refused before anything, also in a dry run."""
    for dry_run in (True, False):
        if code is None:
            assert bench.borrow(2, until=until, dry_run=dry_run)["changed"] is True
        else:
            assert refused(bench.borrow, 2, until=until, dry_run=dry_run).code is code
    assert (bench.head()[0] > 0) == (code is None)


def test_another_product_under_the_same_name_is_refused(bench: Bench) -> None:
    """It would hide that the first one is still borrowed."""
    bench.borrow(2)
    bench.server.offline["V-Ray"] = 2
    bench.borrow(2)
    problem = refused(bench.borrow, 1, product="Phoenix")
    assert problem.code is ProblemCode.DECLARATION_DIFFERS


def test_two_borrows_of_one_product_do_not_take_each_others_seats(browser: Bench) -> None:
    """The server keeps one number for a product: the second one is refused, and returns nothing."""
    browser.borrow(2)
    other = {"id": "cottage", "name": "cottage"}
    for dry_run in (True, False):
        problem = refused(browser.borrow, 3, dry_run=dry_run, **other)
        assert (problem.code, "'desk'" in problem.detail) == (ProblemCode.DECLARATION_DIFFERS, True)
        assert browser.borrow(0, dry_run=dry_run, **other)["changed"] is False
    assert browser.server.offline == {"V-Ray": 2}
    assert browser.borrow(2)["changed"] is False
    browser.borrow(0)
    assert browser.borrow(3, **other)["after"]["seats"] == 3
    assert browser.server.offline == {"V-Ray": 3}


def test_a_second_borrow_is_refused_while_a_person_takes_the_first(bench: Bench) -> None:
    """It is being borrowed already."""
    bench.borrow(2)
    problem = refused(bench.borrow, 1, id="cottage", name="cottage")
    assert problem.code is ProblemCode.DECLARATION_DIFFERS


@pytest.mark.usefixtures("impatient")
def test_what_was_clicked_and_does_not_show_is_not_clicked_again(browser: Bench) -> None:
    """The vendor would lend twice as many."""
    offline = browser.server.offline
    browser.server.offline = {}
    browser.page.server = SmallServer(browser.point, list, offline=offline, activated=True)
    problem = refused(browser.borrow, 2)
    assert (problem.code, browser.page.clicks) == (ProblemCode.IN_DOUBT, 1)
    browser.server.offline["V-Ray"] = 2
    browser.page.server = browser.server
    assert browser.borrow(2)["changed"] is False
    assert (browser.page.clicks, browser.opened()) == (1, [])


def test_nothing_to_return_is_nothing_to_do(bench: Bench) -> None:
    """For a product that nobody borrowed."""
    assert bench.borrow(0)["changed"] is False
    assert bench.borrows.page("", 10) == []


def test_the_agent_ends_at_every_point_of_a_borrow(browser: Bench) -> None:
    """Run again it converges, and neither more nor less is borrowed."""
    browser.point.revive()
    browser.borrow(2)
    points = len(browser.point.passed)
    browser.borrow(0)
    assert points >= 8
    for number in range(1, points + 1):
        browser.point.revive()
        browser.point.end_at = number
        with pytest.raises(Crash):
            browser.borrow(2)
        browser.restart()
        browser.resume()
        assert browser.opened() == []
        assert browser.borrow(2)["operation"] is None or browser.opened() == []
        assert browser.server.offline == {"V-Ray": 2}
        assert browser.borrow(2)["changed"] is False
        browser.borrow(0)
        assert browser.server.offline == {}
