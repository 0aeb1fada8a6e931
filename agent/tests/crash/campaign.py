# SPDX-License-Identifier: GPL-3.0-or-later
"""All schedules, or a share of them: every point alone, pairs of points, faults of answers.

Of a share s the square root is taken of all but the pairs, and of the second points after each of
these the square root again: so the pairs make up the share.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from tempfile import TemporaryDirectory

from .processes import end_with_parent
from .progress import Say, reported
from .scenarios import SCENARIOS, Borrow, Scenario
from .schedules import (
    SLOW_CALL_SECONDS_MAX,
    Bench,
    Fault,
    MakeCarrier,
    Result,
    Schedule,
    carrier_with_requests,
    today,
)
from .share import chosen
from .world import NEW, OLD, work_folder

PROCESSES = 2
TWIN_POINTS = ("context", "debit", "import", "receipt", "confirm")
FAULT_TIMES = {"lose": (1,), "pending": (1, 3), "slow": (1,)}
FAILURES_SHOWN_MAX = 20
PROGRAM = "cd agent/tests && ../../.venv/bin/python -m crash"


@dataclass
class Report:
    """The figures of a campaign and what went wrong in it."""

    program: str
    seed: int
    share: float
    scenarios: int = 0
    points: int = 0
    schedules: dict[str, int] = field(default_factory=dict)
    kills: int = 0
    failures: list[str] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0

    def add(self, kind: str, result: Result) -> None:
        """Count one schedule."""
        self.schedules[kind] = self.schedules.get(kind, 0) + 1
        self.kills += result.kills
        failure = self.failure(result)
        if failure is not None:
            self.failed += 1
            self.failures = [*self.failures, failure][:FAILURES_SHOWN_MAX]

    def failure(self, result: Result) -> str | None:
        """What a schedule broke, and the command that runs it alone; None if it kept all."""
        if result.promise is None:
            return None
        return f"{result}\n    repeat it: {self.program} {result.schedule.arguments}"

    def __str__(self) -> str:
        kinds = ", ".join(f"{number} {kind}" for kind, number in self.schedules.items())
        return (
            f"{self.points} crash points in {self.scenarios} scenarios;"
            f" {sum(self.schedules.values())} schedules ({kinds}), {self.kills} processes killed,"
            f" {self.failed} schedules failed, in {self.seconds:.0f} s;"
            f" share {self.share:g}, seed {self.seed}"
        )


def run_campaign(share: float, seed: int, names: Iterable[str], say: Say) -> Report:
    """Run it in two processes at a time; gives the figures."""
    started = time.monotonic()
    report = Report(PROGRAM, seed, share)
    part = math.sqrt(share)
    scenarios = [SCENARIOS[name] for name in names]
    with benches(today()) as run:
        recorded = [Schedule(scenario.name) for scenario in scenarios]
        points = {}
        for result in reported(run(recorded), len(recorded), report.failure, say):
            report.add("undisturbed", result)
            points[result.schedule.scenario] = result.points
            report.scenarios += 1
            report.points += result.points
        say(f"{report.points} points: {points}")
        singles = chosen(list(_singles(scenarios, points)), part, seed)
        pairs: list[Schedule] = []
        for result in reported(run(singles), len(singles), report.failure, say):
            report.add(_kind(result.schedule), result)
            pairs += chosen(list(_pairs(result)), part, seed)
        for result in reported(run(pairs), len(pairs), report.failure, say):
            report.add("pairs of points", result)
    report.seconds = time.monotonic() - started
    return report


def _singles(scenarios: list[Scenario], points: dict[str, int]) -> Iterator[Schedule]:
    for scenario in scenarios:
        for number in range(1, points[scenario.name] + 1):
            yield Schedule(scenario.name, (number,))
            yield Schedule(scenario.name, (number,), hasty=True)
        yield from _faults(scenario)
        yield from _in_calls(scenario)


def _faults(scenario: Scenario) -> Iterator[Schedule]:
    goal = scenario.goal
    returns = isinstance(goal, Borrow) and goal.seats == 0
    source = NEW if returns else getattr(goal, "source", OLD)
    target = OLD if source == NEW else NEW
    for change in TWIN_POINTS:
        host = source if change in ("debit", "confirm") else target
        for moment in ("before", "after"):
            for action, all_times in FAULT_TIMES.items():
                if action == "slow" and not scenario.pairs:
                    continue
                value = int(1600 * SLOW_CALL_SECONDS_MAX) if action == "slow" else 0
                for times in all_times:
                    fault = Fault(host, f"{change}.{moment}", action, value, times)
                    yield Schedule(scenario.name, fault=fault)


def _in_calls(scenario: Scenario) -> Iterator[Schedule]:
    """Only the twins' points count here."""
    if scenario.pairs:
        for number in range(1, 2 * len(TWIN_POINTS) + 1):
            yield Schedule(scenario.name, (number,), in_call=True)


def _pairs(result: Result) -> Iterator[Schedule]:
    schedule = result.schedule
    plain = not (schedule.hasty or schedule.in_call or schedule.fault)
    if plain and SCENARIOS[schedule.scenario].pairs:
        for second in range(1, result.points + 1):
            yield Schedule(schedule.scenario, (*schedule.kills, second))


def _kind(schedule: Schedule) -> str:
    if schedule.fault is not None:
        return "faulty answers"
    if schedule.in_call:
        return "agents killed in a call"
    return "points met in haste" if schedule.hasty else "points alone"


@contextmanager
def benches(
    moment: datetime, make_carrier: MakeCarrier = carrier_with_requests
) -> Iterator[Callable[[list[Schedule]], Iterator[Result]]]:
    """Benches in forks of this process; gives a function that runs schedules on them.

    They are forked before any thread is started, and have imported what this process has.
    """
    with TemporaryDirectory(prefix="seatkeeper-crash-", dir=work_folder()) as folder:
        executor = ProcessPoolExecutor(
            PROCESSES,
            mp_context=get_context("fork"),
            initializer=_make_bench,
            initargs=(folder, moment, make_carrier),
        )
        try:
            yield partial(executor.map, _run)
        finally:
            # With the processes ends all that they started.
            executor.shutdown(cancel_futures=True)


_BENCHES: list[Bench] = []


def _make_bench(folder: str, moment: datetime, make_carrier: MakeCarrier) -> None:
    # A killed campaign tells its workers nothing: they hold both ends of their queue's pipe.
    campaign = parent_process()
    end_with_parent(0 if campaign is None else campaign.pid or 0)
    own = Path(folder) / str(os.getpid())
    own.mkdir()
    _BENCHES.append(Bench(own, moment, make_carrier=make_carrier))


def _run(schedule: Schedule) -> Result:
    try:
        return _BENCHES[0].run(schedule)
    except Exception as error:  # noqa: BLE001 - told as this schedule's, so that the others go on
        return Result(schedule, 0, 0, 0, 0.0, (_BENCHES[0].world.logs(),), "error", repr(error))


def replay(schedule: Schedule, make_carrier: MakeCarrier) -> int:
    """One schedule with all that it tells; 0 when every promise was kept."""
    with TemporaryDirectory(prefix="seatkeeper-crash-", dir=work_folder()) as folder:
        bench = Bench(Path(folder), today(), make_carrier=make_carrier)
        try:
            result = bench.run(schedule)
            print("\n".join(map(str, bench.world.tripwire.trace)))
            print(bench.world.logs())
        finally:
            bench.world.kill()
    print(result if result.promise else f"{schedule}: kept, in {result.runs} runs")
    return int(result.promise is not None)
