# SPDX-License-Identifier: GPL-3.0-or-later
"""Deaths of both agents and of the controller, alone and in pairs, whatever the post does.

``make test-crash`` runs every single death and a fifth of all pairs, some 10,000 schedules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from operations import new_journals
from operations.hosts import ITEMS, make_twins

from seatkeeper_agent.journal import store
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.recovery import Recovery

from .checks import Violation
from .conftest import FIGURES
from .mutants import credit_back_on_a_timeout, effect_before_intent, recovery_without_a_probe
from .one_process import POSTS, SCENARIOS, Bench, Schedule, pairs, singles
from .share import chosen, repeating, seed, share
from .world import work_folder

SHARE = 0.02
PAIRS = 0.2
"""Of the second deaths, when all first ones are run."""

SECONDS_MAX = 3600


@pytest.fixture(autouse=True)
def _copied_journals(monkeypatch: pytest.MonkeyPatch) -> None:
    """How a new one is made is tested in agent/tests/journal."""
    monkeypatch.setattr(store, "migrate", new_journals.migrate)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """Two engines that serve all schedules."""
    with TemporaryDirectory(prefix="seatkeeper-crash-", dir=work_folder()) as folder:
        twins = make_twins(Path(folder) / "twins", ITEMS)
        made = Bench(Path(folder) / "hosts", twins)
        yield made
        made.close()
        for twin in twins.values():
            twin.stop()


@pytest.mark.timeout(SECONDS_MAX)
@pytest.mark.parametrize("post", POSTS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_share_of_the_deaths_is_survived(
    bench: Bench, record_property: Callable[[str, object], None], scenario: str, post: str
) -> None:
    """Nothing is lost or doubled at any moment, it ends as declared, and again it is quiet."""
    points = bench.run(Schedule(scenario, post=post))
    assert points > 20, "there is nothing to die at"
    schedules = 1
    for single in chosen(list(singles(scenario, post, points)), share(SHARE), seed()):
        left = run(bench, single)
        second = chosen(list(pairs(single, left)), share(SHARE) * PAIRS, seed())
        schedules += 1 + len(second)
        for pair in second:
            run(bench, pair)
    record_property(FIGURES, f"{scenario}, post {post}: {schedules} schedules")


def run(bench: Bench, schedule: Schedule) -> int:
    """One schedule, which names itself when it breaks a promise."""
    try:
        return bench.run(schedule)
    except BaseException as error:
        error.add_note(f"in {schedule}; again with {repeating()}")
        raise


@pytest.mark.parametrize(
    ("owner", "member", "mutate"),
    [
        pytest.param(Recovery, "resume_all", credit_back_on_a_timeout, id="timeout"),
        pytest.param(Engine, "_advance", recovery_without_a_probe, id="no probe"),
        pytest.param(Engine, "_attempt", effect_before_intent, id="effect before intent"),
    ],
)
def test_a_broken_agent_is_caught(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    member: str,
    mutate: Callable[[], None],
) -> None:
    """By a death somewhere; ``test_campaign`` has those that need a refusal or a broken twin."""
    points = bench.run(Schedule("push"))
    monkeypatch.setattr(owner, member, getattr(owner, member))
    mutate()
    caught = []
    for single in singles("push", "whole", points):
        try:
            bench.run(single)
        except Violation as violation:
            caught.append(violation.promise)
    assert {"I1", "I2", "I3"} & set(caught), caught
