# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m operations.dongles.crashes`` in agent/tests: kill a real agent wherever it goes.

SIGKILL at the n-th point of a scenario, and at the m-th of what follows it: before and after
every COMMIT, every call that changes something at the license server, every write to the kernel's
switch and every click. The run is made again until it gets through; one more run changes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from crash.client import NoAnswerError, RefusedError
from crash.progress import reported, say
from crash.share import chosen, seed, share
from crash.warm import warm_up
from crash.world import work_folder

from seatkeeper_twins.lab.lab import ending_in_order

from .crash_mutants import MUTANTS
from .crash_scenarios import SCENARIOS, Migrate, Scenario, Violation
from .crash_world import World

PROGRAM = "operations.dongles.crashes"
SECOND_MAX = 12
"""How far into what follows a death the second one comes."""


@dataclass(frozen=True)
class Schedule:
    """Where the agent dies; none for an undisturbed run. With ``at`` only that point counts."""

    scenario: str
    kills: tuple[int, ...] = ()
    at: str | None = None

    def __str__(self) -> str:
        return " ".join([self.scenario, *(f"kill {number}" for number in self.kills)])

    @property
    def arguments(self) -> str:
        """What runs it alone."""
        kills = (argument for number in self.kills for argument in ("--kill", str(number)))
        return shlex.join(["--scenario", self.scenario, *kills])


def run(world: Any, schedule: Schedule, kinds: Mapping[str, Any] = SCENARIOS) -> int:
    """From the beginning to an unchanged run; how many points were passed. Violation."""
    kind = kinds[schedule.scenario]
    world.reset(kind.performer, kind.activated)
    scenario = kind(world)
    world.tripwire.arm(schedule.kills, schedule.at)
    drive(world, scenario, len(schedule.kills))
    scenario.check_end()
    points = len(world.tripwire.trace)
    world.tripwire.disarm()
    before = len(world.tripwire.trace)
    if scenario.run():
        raise Violation("one more run changed something")
    written = [str(passage) for passage in world.tripwire.trace[before:]]
    if written:
        raise Violation(f"one more run wrote: {'; '.join(written)}")
    opened = world.ask("GET", "/v1/operations?state=open")["operations"]
    if opened:
        raise Violation(f"{len(opened)} operations hold something still")
    scenario.check_end()
    scenario.inspect()
    return points


def drive(world: Any, scenario: Scenario, deaths: int) -> None:
    """Run again until nothing is in the way: as often as there were deaths, and once more."""
    troubles = []
    for _run in range(2 + 2 * deaths):
        world.revive()
        scenario.inspect()
        try:
            scenario.run()
        except NoAnswerError as error:
            troubles.append(str(error))
            world.agent.wait()
            scenario.inspect()
        except RefusedError as error:
            troubles.append(str(error))
            scenario.inspect()
        else:
            return
    raise Violation(f"it does not get through: {' / '.join(troubles)}")


def campaign(
    world: Any, program: str, names: list[str], kinds: Mapping[str, Any] = SCENARIOS
) -> dict[str, Any]:
    """A share of all points alone and of pairs of them; the figures and what failed."""
    started, points = time.monotonic(), {}
    for name in names:
        points[name] = run(world, Schedule(name), kinds)
        say(f"{points[name]} points in {name!r}")
    found = schedules(points, share(), seed())
    outcomes = (attempt(world, program, schedule, kinds) for schedule in found)
    ended = list(reported(outcomes, len(found), lambda failure: failure, say))
    failures = [failure for failure in ended if failure is not None]
    text = (
        f"{sum(points.values())} points in {len(points)} scenarios; {len(found)} schedules,"
        f" {len(failures)} failed, in {time.monotonic() - started:.0f} s;"
        f" share {share():g}, seed {seed()}"
    )
    return {"text": text, "failures": failures, "ran": len(found)}


def attempt(world: Any, program: str, schedule: Schedule, kinds: Mapping[str, Any]) -> str | None:
    """What one schedule breaks, with all points that were passed; None if nothing."""
    try:
        run(world, schedule, kinds)
    except (Violation, RuntimeError, TimeoutError, RefusedError, NoAnswerError) as error:
        trace = "\n    ".join(map(str, world.tripwire.trace))
        again = f"cd agent/tests && ../../.venv/bin/python -m {program} {schedule.arguments}"
        return f"{schedule}: {error}\n    {trace}\n    repeat it: {again}"
    return None


def schedules(points: dict[str, int], share: float, seed: int) -> list[Schedule]:
    """A share of the points alone; of the pairs the share's third power."""
    alone = [Schedule(name, (n,)) for name, count in points.items() for n in range(1, count + 1)]
    pairs = [
        Schedule(schedule.scenario, (*schedule.kills, second))
        for schedule in alone
        for second in range(1, SECOND_MAX + 1)
    ]
    return chosen(alone, share, seed) + chosen(pairs, share**3, seed)


def mutants(world: World) -> dict[str, Any]:
    """What is seen of each broken agent, and of a sound one that dies at the same point."""
    found: dict[str, Any] = {}
    for title, mutant in MUTANTS.items():
        world.cloud_seconds = mutant.cloud_seconds
        found[title] = judged(world, Migrate.name, mutant)
        say(f"{title}: {found[title]}")
    return found


def judged(
    world: Any, scenario: str, mutant: Any, kinds: Mapping[str, Any] = SCENARIOS
) -> list[str | None]:
    """What is seen of a sound agent and of the broken one, each dying at the mutant's point.

    However many points come before it: how many there are depends on how long things take.
    """
    schedule = Schedule(scenario, (1,), mutant.point)
    judgements = []
    for mutate in (lambda: None, mutant.mutate):
        world.mutate = mutate
        judgements.append(seen(world, schedule, kinds))
        if world.tripwire.kills != 1:
            raise RuntimeError(f"nothing died {mutant.point}")
    world.mutate = lambda: None
    return judgements


def seen(world: Any, schedule: Schedule, kinds: Mapping[str, Any] = SCENARIOS) -> str | None:
    """What is broken in one schedule, None if nothing is."""
    try:
        run(world, schedule, kinds)
    except Violation as violation:
        return str(violation)
    return None


def main(arguments: list[str] | None = None) -> int:
    """0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m operations.dongles.crashes")
    parser.add_argument("--scenario", choices=SCENARIOS, action="append", help="only this one")
    parser.add_argument("--kill", type=int, action="append", help="replay: die at the n-th point")
    parser.add_argument("--mutants", action="store_true", help="the broken agents instead")
    parser.add_argument("--report", type=Path, help="write the figures there, as JSON")
    options = parser.parse_args(arguments)
    names = options.scenario or list(SCENARIOS)
    warm_up()
    with TemporaryDirectory(prefix="seatkeeper-crashes-", dir=work_folder()) as folder:
        world = World(Path(folder))
        try:
            if options.kill:
                return replay(world, Schedule(names[0], tuple(options.kill)))
            found = mutants(world) if options.mutants else campaign(world, PROGRAM, names)
        finally:
            world.close()
    if options.report is not None:
        options.report.write_text(json.dumps(found), encoding="utf-8")
    print(found.get("text", ""))
    return int(bool(found.get("failures")))


def replay(world: Any, schedule: Schedule, kinds: Mapping[str, Any] = SCENARIOS) -> int:
    """One schedule with all that it tells."""
    try:
        run(world, schedule, kinds)
    except Violation as violation:
        print(f"{schedule}: {violation}")
        return 1
    finally:
        print("\n".join(map(str, world.tripwire.trace)))
        for log in sorted(world.folder.glob("*.log")):
            print(f"{log.name}:\n{log.read_text()[-4000:]}")
    return 0


if __name__ == "__main__":
    os.umask(0o077)
    with ending_in_order():
        sys.exit(main())
