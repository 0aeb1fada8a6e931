# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's own operations drive it: planned, journaled, observed, and never done twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.servers.settings import ServerRequest, ServerService
from seatkeeper_twins.acme import twin

ACTOR = "tester"
STARTED, STOPPED = ServerRequest({}, running=True), ServerRequest({}, running=False)


def test_a_plan_changes_nothing_and_tells_what_the_run_does(
    service: ServerService, folder: Path
) -> None:
    planned = service.put(STARTED, ACTOR, dry_run=True)
    assert (planned["changed"], twin.is_running(folder)) == (True, False)
    done = service.put(STARTED, ACTOR, dry_run=False)
    assert (done["changed"], twin.is_running(folder)) == (True, True)
    assert [step["title"] for step in done["plan"]["steps"]] == ["starting the license server"]
    assert (done["before"], done["after"]) == (planned["before"], planned["after"])


@pytest.mark.parametrize(("order", "runs"), [(STARTED, True), (STOPPED, False)])
def test_a_second_run_changes_nothing(
    service: ServerService, folder: Path, order: ServerRequest, runs: bool
) -> None:
    service.put(STARTED if not runs else STOPPED, ACTOR, dry_run=False)
    service.put(order, ACTOR, dry_run=False)
    assert twin.is_running(folder) is runs
    again = service.put(order, ACTOR, dry_run=False)
    assert (again["changed"], again["plan"]["steps"]) == (False, [])


def test_a_lost_answer_is_settled_by_looking(service: ServerService, folder: Path) -> None:
    twin.set_fault(folder, "start.after", "lose")
    assert service.put(STARTED, ACTOR, dry_run=False)["changed"] is True
    assert twin.is_running(folder) is True


def test_a_refusal_is_told_and_nothing_is_held(
    service: ServerService, folder: Path, journal: Journal
) -> None:
    twin.set_fault(folder, "start.before", "refuse", 503)
    with pytest.raises(Problem) as refused:
        service.put(STARTED, ACTOR, dry_run=False)
    assert refused.value.code is ProblemCode.RUNTIME_REFUSED
    with journal.reading() as unit:
        assert unit.operations.count_open() == 0
    assert service.put(STARTED, ACTOR, dry_run=False)["changed"] is True


def test_what_nobody_can_see_is_in_doubt_and_settled_when_it_is_seen(
    service: ServerService, folder: Path, journal: Journal
) -> None:
    """The status is asked three times before the start, and once after it."""
    twin.set_fault(folder, "start.after", "lose")
    twin.set_fault(folder, "status.before", "lose", skip=3)
    with pytest.raises(Problem) as doubted:
        service.put(STARTED, ACTOR, dry_run=False)
    assert doubted.value.code is ProblemCode.IN_DOUBT
    with journal.reading() as unit:
        assert unit.operations.count_open() == 1
    assert len(service.resume(ACTOR)) == 1
    with journal.reading() as unit:
        assert unit.operations.count_open() == 0
    assert service.put(STARTED, ACTOR, dry_run=False)["changed"] is False


def test_a_setting_that_nobody_has_described_is_refused(
    service: ServerService, folder: Path
) -> None:
    declared = ServerRequest({"network": {"port": "1"}}, running=True)
    with pytest.raises(Problem, match=r"network\.port"):
        service.put(declared, ACTOR, dry_run=False)
    assert twin.is_running(folder) is False
