# SPDX-License-Identifier: GPL-3.0-or-later
"""Wherever an agent ends in a move: it gets through, nothing is silently active nowhere.

At each point alone and at pairs of points, of which a seed chooses a share; with every command
lost, late or refused. Each broken service is caught by the promise that it breaks.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from crash.share import chosen, repeating, seed, share

from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.operations.ports import DriverError, DriverUnavailable, DriverUnfinished
from seatkeeper_agent.operations.server_moves.commands import Command
from seatkeeper_agent.operations.server_moves.received import ReceivedDocuments
from seatkeeper_agent.operations.server_moves.steps import Deactivate
from seatkeeper_agent.operations.steps import Probe, Verdict

from .bench import Bench
from .machines import refused
from .schedules import Violation, move

PROFILES = pytest.mark.parametrize("bare", [False, True], ids=["fuller", "bare"])
SHARE = 0.1
"""Of the deaths, usually; ``make test-crash`` runs all of them."""

EVERY_PAIR = 29
"""After every so-manieth death a second one: prime, so that all distances come."""

EFFECTS = ("set_maintenance", "deactivate", "activate", "add_profile")


def deaths(points: int) -> list[tuple[int, ...]]:
    """A share of the points, and of those with a second one in what follows."""
    alone = [(first,) for first in range(1, points + 1)]
    pairs = [
        (n, second) for n in range(EVERY_PAIR, points + 1, EVERY_PAIR) for second in range(1, 9)
    ]
    return [*chosen(alone, share(SHARE), seed()), *chosen(pairs, share(SHARE), seed())]


@PROFILES
def test_a_share_of_the_deaths_is_survived(folder: Path, bare: bool) -> None:
    """Whichever the seed chooses: every death, and every second one."""
    points = move(folder / "whole", bare)
    assert points > 100
    for ends in deaths(points):
        try:
            move(folder / "-".join(map(str, ends)), bare, *ends)
        except BaseException as error:
            error.add_note(f"an agent ended at the points {ends}; again with {repeating()}")
            raise


@PROFILES
@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize(
    ("when", "make"),
    [
        ("errors", refused),
        ("errors", lambda: DriverUnavailable("it is down")),
        ("errors", lambda: DriverUnfinished("it did not end")),
        ("lost", lambda: DriverUnfinished("it did not end")),
    ],
    ids=["refused", "unavailable", "killed", "lost"],
)
def test_every_failure_is_survived(
    folder: Path, bare: bool, effect: str, when: str, make: Callable[[], DriverError]
) -> None:
    """Once, and three times in a row."""
    for times in (1, 3) if bare else (3,):

        def disturb(bench: Bench, times: int = times) -> None:
            for host in (bench.old, bench.new):
                getattr(host.machine, when)[effect] = [make() for _ in range(times)]

        move(folder / str(times), bare, prepare=disturb)


def claims_without_looking() -> tuple[Any, str, Any]:
    """An intent is taken for its effect."""
    probe = Deactivate.probe

    def claiming(self: Deactivate, baseline: dict[str, Any] | None) -> Probe:
        return probe(self, baseline) if baseline is None else Probe(Verdict.DONE)

    return Deactivate, "probe", claiming


def repeats_on_a_doubt() -> tuple[Any, str, Any]:
    """What does not show is taken for not done."""
    probe = Command.probe

    def guessing(self: Command, baseline: dict[str, Any] | None) -> Probe:
        seen = probe(self, baseline)
        return Probe(Verdict.NOT_DONE) if seen.verdict is Verdict.UNKNOWN else seen

    return Command, "probe", guessing


def forgets_what_left() -> tuple[Any, str, Any]:
    """What was deactivated is written down nowhere."""
    return Deactivate, "conclude", lambda *_arguments: None


def releases_unprepared() -> tuple[Any, str, Any]:
    """The target's word is not asked for."""
    return ReceivedDocuments, "_with_prepared", lambda *given: given[2]


def activates_unreleased() -> tuple[Any, str, Any]:
    """The source's word is not asked for."""
    return ReceivedDocuments, "_with_released", lambda *given: given[2]


def release_at_once(bench: Bench) -> None:
    """A playbook that has lost its way: nobody has looked at the target."""
    bench.leg("backup")
    with suppress(Problem):
        bench.leg("release")


def install_at_once(bench: Bench) -> None:
    """A playbook that has lost its way: nothing has left the source."""
    bench.leg("backup")
    bench.leg("prepare", backup=bench.old.backups.read())
    with suppress(Problem):
        bench.leg("install")


MUTANTS: dict[
    str, tuple[Callable[[], tuple[Any, str, Any]], bool, Callable[[Bench], None], str]
] = {
    "claims without looking": (claims_without_looking, False, lambda _bench: None, "claims"),
    "repeats on a doubt": (repeats_on_a_doubt, True, lambda _bench: None, "again without a word"),
    "forgets what left": (forgets_what_left, True, lambda _bench: None, "nobody says so"),
    "releases unprepared": (releases_unprepared, False, release_at_once, "not prepared"),
    "activates unreleased": (
        activates_unreleased,
        False,
        install_at_once,
        "another machine had it",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_service_is_caught(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A sound one goes through the very same schedules."""
    mutate, bare, prepare, seen = MUTANTS[name]
    points = move(folder / "sound", bare, prepare=prepare)
    monkeypatch.setattr(*mutate())
    reported = []
    for end_at in range(1, points + 1, 2):
        try:
            move(folder / str(end_at), bare, end_at, prepare=prepare)
        except Violation as violation:
            reported.append(str(violation))
            if seen in reported[-1]:
                return
    pytest.fail(f"nothing was noticed but {set(reported)}")
