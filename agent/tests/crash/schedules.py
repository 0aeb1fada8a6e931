# SPDX-License-Identifier: GPL-3.0-or-later
"""One schedule: a scenario, and at which points somebody dies; run until nothing changes."""

from __future__ import annotations

import argparse
import shlex
import time
from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from .carrier import Carrier, Run, settled
from .checks import Violation, inspect, inspect_end
from .scenarios import SCENARIOS, Goal, Scenario
from .world import Variant, World

RUNS_AFTER_FAULT_MAX = 8
SLOW_CALL_SECONDS_MAX = 3.0
"""The agent's limit for a call where a twin is slow; the twin then takes longer than that."""


OBSERVER = "the commit of Observer._compare"


@dataclass(frozen=True)
class Fault:
    """What a twin does besides: lose an answer, say 235, be slow; before or after an effect."""

    host: str
    point: str
    action: str
    value: int = 0
    times: int = 1

    def __str__(self) -> str:
        return f"{self.action} at {self.point} of {self.host}"


@dataclass(frozen=True)
class Stop:
    """When the carrier itself dies in its first run: at a point, or when it begins a task."""

    points: int | None = None
    task: int | None = None

    def __str__(self) -> str:
        when = f"in task {self.task}" if self.points is None else f"after {self.points} points"
        return f"carrier stopped {when}"


@dataclass(frozen=True)
class Schedule:
    """``kills`` counts points: the first from the start, each other from the kill before it.

    With ``in_call`` the agent dies at its twin's point, and the twin goes on. ``hasty`` runs
    ask agents that are still busy with their own recovery.
    """

    scenario: str
    kills: tuple[int, ...] = ()
    fault: Fault | None = None
    in_call: bool = False
    hasty: bool = False
    stop: Stop | None = None

    def __str__(self) -> str:
        parts = [self.scenario, *(f"kill {number}" for number in self.kills)]
        parts += ["in a call"] * self.in_call + ["hasty"] * self.hasty
        return " ".join([*parts, *(str(part) for part in (self.fault, self.stop) if part)])

    @property
    def arguments(self) -> str:
        """What runs it alone, see ``add_arguments``."""
        found = ["--scenario", self.scenario]
        for number in self.kills:
            found += ["--kill", str(number)]
        if self.fault is not None:
            found += ["--fault", *map(str, astuple(self.fault))]
        found += ["--in-call"] * self.in_call + ["--hasty"] * self.hasty
        if self.stop is not None:
            for name, value in asdict(self.stop).items():
                found += [f"--stop-{name}", str(value)] if value else []
        return shlex.join(found)

    @property
    def runs_max(self) -> int:
        """Each kill may cost one run; faults may leave an agent in doubt a few times."""
        troubled = RUNS_AFTER_FAULT_MAX * (self.fault is not None)
        return 1 + len(self.kills) + (self.stop is not None) + troubled


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that choose one schedule; see ``chosen_schedule``."""
    parser.add_argument("--scenario", choices=SCENARIOS, action="append", help="only this one")
    parser.add_argument(
        "--kill", type=int, action="append", help="die at the n-th point, then at the m-th"
    )
    parser.add_argument(
        "--fault", nargs=5, metavar=("HOST", "POINT", "ACTION", "VALUE", "TIMES"), help="of a twin"
    )
    parser.add_argument("--in-call", action="store_true", help="the agent dies in a call")
    parser.add_argument("--hasty", action="store_true", help="do not wait for recovery")


def chosen_schedule(options: argparse.Namespace, stop: Stop | None = None) -> Schedule | None:
    """The one that the options choose, None where they choose none."""
    fault = None
    if options.fault is not None:
        host, point, action, value, times = options.fault
        fault = Fault(host, point, action, int(value), int(times))
    if options.kill is None and fault is None and stop is None:
        return None
    kills = tuple(options.kill or ())
    name = (options.scenario or list(SCENARIOS))[0]
    return Schedule(name, kills, fault, options.in_call, options.hasty, stop)


@dataclass(frozen=True)
class Result:
    """What came of a schedule: the points after its last kill, and what was broken."""

    schedule: Schedule
    kills: int
    points: int
    runs: int
    seconds: float
    trace: tuple[str, ...] = ()
    promise: str | None = None
    seen: str | None = None

    def __str__(self) -> str:
        lines = [f"{self.schedule}: {self.seen}"]
        return "\n    ".join([*lines, *self.trace])


class Runs(Protocol):
    """What carries documents from host to host: requests of its own, or a playbook."""

    def run(self, inspect: Callable[[], None]) -> Run:
        """Start what is dead, then everything once more; ``inspect`` after each death and run."""


MakeCarrier = Callable[[World, Goal, datetime, Stop | None], Runs]


def carrier_with_requests(
    world: World, goal: Goal, moment: datetime, _stop: Stop | None
) -> Carrier:
    """The usual one; it dies nowhere, because each of its runs begins anew anyway."""
    return Carrier(world, goal, moment)


class Bench:
    """Runs schedules one after the other in one folder."""

    def __init__(
        self,
        folder: Path,
        today: datetime,
        variant: Variant | None = None,
        make_carrier: MakeCarrier = carrier_with_requests,
    ) -> None:
        self.world = World(folder)
        self._variant = variant or Variant()
        self._make_carrier = make_carrier
        self._today = today

    def run(self, schedule: Schedule) -> Result:
        """From the scenario's start to an unchanged run; what breaks is in the result."""
        scenario = SCENARIOS[schedule.scenario]
        self._prepare(scenario)
        slow = schedule.fault is not None and schedule.fault.action == "slow"
        variant = replace(self._variant, waits_for_recovery=not schedule.hasty)
        if slow:
            variant = replace(variant, call_seconds_max=SLOW_CALL_SECONDS_MAX)
        self.world.vary(variant)
        self._disturb(schedule, partial(inspect, self.world, scenario))
        carrier = self._make_carrier(self.world, scenario.goal, self._today, schedule.stop)
        return self._drive(schedule, carrier)

    def die(self, schedule: Schedule) -> dict[str, Any]:
        """From the scenario's start to the first death; nobody is started again.

        Gives what the carrier remembers.
        """
        scenario = SCENARIOS[schedule.scenario]
        self._prepare(scenario)
        self.world.vary(self._variant)
        look = partial(inspect, self.world, scenario)
        self._disturb(schedule, look)
        carrier = Carrier(self.world, scenario.goal, self._today)
        carrier.run(look)
        if self.world.tripwire.kills != len(schedule.kills):
            raise RuntimeError(f"{schedule}: nobody died")
        self.world.tripwire.disarm()
        return carrier.borrowed

    def go_on(self, schedule: Schedule, state: str, borrowed: dict[str, Any]) -> Result:
        """From disks that were kept after a death to an unchanged run."""
        if not self.world.restore(state):
            raise RuntimeError(f"no disks were kept as {state!r}")
        self.world.vary(self._variant)
        self.world.arm()
        goal = SCENARIOS[schedule.scenario].goal
        return self._drive(schedule, Carrier(self.world, goal, self._today, borrowed))

    def _drive(self, schedule: Schedule, carrier: Runs) -> Result:
        """Run until nothing is in the way, and once more, which changes nothing."""
        scenario = SCENARIOS[schedule.scenario]
        runs, started, seconds = 0, time.monotonic(), 0.0
        try:
            runs = _until_through(
                carrier, schedule.runs_max, partial(inspect, self.world, scenario)
            )
            seconds = time.monotonic() - started
            self._check_silence(carrier, scenario)
        except Violation as violation:
            return self._result(schedule, runs, seconds, violation)
        finally:
            self.world.tripwire.disarm()
        return self._result(schedule, runs, seconds, None)

    def trace(self, schedule: Schedule) -> list[str]:
        """What all processes pass in a schedule, in order, whatever comes of it."""
        self.run(schedule)
        return [str(passage) for passage in self.world.tripwire.trace]

    def _disturb(self, schedule: Schedule, look: Callable[[], None]) -> None:
        self.world.arm()
        self.world.revive(look)
        self.world.arm(*schedule.kills)
        if schedule.in_call:
            self.world.let_agents_die()
        if schedule.fault is not None:
            fault = schedule.fault
            self.world.hosts[fault.host].twin(
                "_twin.fault",
                point=fault.point,
                action=fault.action,
                value=fault.value,
                times=fault.times,
            )

    def _check_silence(self, carrier: Runs, scenario: Scenario) -> None:
        """One more run changes nothing and writes nothing, on either side."""
        inspect_end(self.world, scenario)
        before = len(self.world.tripwire.trace)
        again = carrier.run(partial(inspect, self.world, scenario))
        if again.trouble is not None or again.changed:
            raise Violation("unchanged", again.trouble or "one more run changed something")
        # The observer compares at times of its own, also while somebody runs.
        passed = map(str, self.world.tripwire.trace[before:])
        written = [passage for passage in passed if not passage.endswith(OBSERVER)]
        if written:
            raise Violation("unchanged", f"one more run wrote: {'; '.join(written)}")
        left = settled(self.world)
        if left is not None:
            raise Violation("converges", f"still open: {left}")
        inspect_end(self.world, scenario)

    def _result(
        self, schedule: Schedule, runs: int, seconds: float, violation: Violation | None
    ) -> Result:
        trace = self.world.tripwire.trace
        last = max((n for n, passage in enumerate(trace) if passage.deadly), default=-1)
        return Result(
            schedule,
            self.world.tripwire.kills,
            len(trace) - 1 - last,
            runs,
            seconds,
            tuple(map(str, trace)) if violation else (),
            violation.promise if violation else None,
            str(violation) if violation else None,
        )

    def _prepare(self, scenario: Scenario) -> None:
        """Put the hosts where the scenario begins; done in earnest once, restored afterwards."""
        if self.world.restore(scenario.name):
            return
        self.world.vary(Variant())
        self.world.make(scenario.seeds())
        self.world.arm()
        for goal in scenario.earlier:
            self._do_undisturbed(goal)
        self.world.revive(_nothing)
        self.world.keep(scenario.name)

    def _do_undisturbed(self, goal: Goal) -> None:
        run = Carrier(self.world, goal, self._today).run(_nothing)
        if run.trouble is not None:
            raise RuntimeError(f"the scenario cannot begin: {run.trouble}")


def _until_through(carrier: Runs, runs_max: int, look: Callable[[], None]) -> int:
    """Run again until nothing is in the way; how many runs that took."""
    troubles = []
    for number in range(1, runs_max + 1):
        run = carrier.run(look)
        if run.trouble is None:
            return number
        troubles.append(run.trouble)
    raise Violation("converges", f"not after {runs_max} runs: {' / '.join(troubles)}")


def today() -> datetime:
    """The moment from which a campaign counts the ends of its borrows."""
    return datetime.now(UTC)


def _nothing(*_arguments: Any) -> None:
    return None
