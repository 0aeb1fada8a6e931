# SPDX-License-Identifier: GPL-3.0-or-later
"""``python tests/crash``: the crash points of the agents' campaign with the real playbook.

Every point alone of a push and of a borrow, and the playbook itself killed: as it begins a task,
and where agents and twins pass their points. How many points there are is seen in a run without a
playbook, which passes the same ones and costs a tenth.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "agent" / "tests"))
sys.path.append(str(Path(__file__).resolve().parents[1]))

from crash.campaign import Report, benches, replay
from crash.progress import Say, reported, say
from crash.schedules import Result, Schedule, Stop, add_arguments, chosen_schedule, today
from crash.share import chosen, seed, share
from crash.warm import warm_up
from playbook_carrier import PlaybookCarrier

from integration.warm_python import interpreter
from seatkeeper_twins.lab.lab import ending_in_order

SCENARIOS = ("push", "borrow")
TASKS = range(2, 26)
"""Tasks of a run at whose beginning the playbook is killed; a run has more than these."""

POINTS_BETWEEN_STOPS = 6
PROGRAM = ".venv/bin/python tests/crash"


def run_playbooks(share: float, seed: int, say: Say) -> Report:
    """Run a share of the schedules; gives the figures."""
    started = time.monotonic()
    report = Report(PROGRAM, seed, share)
    points: list[Schedule] = []
    with benches(today()) as run:
        for result in run([Schedule(name) for name in SCENARIOS]):
            if result.promise is not None:
                raise RuntimeError(f"undisturbed and without a playbook: {result}")
            report.scenarios += 1
            report.points += result.points
            points += _schedules(result)
    schedules = chosen(points, share, seed)
    say(f"{report.points} points, {len(schedules)} of {len(points)} schedules")
    with benches(today(), PlaybookCarrier) as run:
        for result in reported(run(schedules), len(schedules), report.failure, say):
            kind = "points alone" if result.schedule.stop is None else "playbooks killed"
            report.add(kind, result)
    report.seconds = time.monotonic() - started
    return report


def _schedules(undisturbed: Result) -> Iterator[Schedule]:
    name = undisturbed.schedule.scenario
    for number in range(1, undisturbed.points + 1):
        yield Schedule(name, (number,))
    for number in range(1, undisturbed.points + 1, POINTS_BETWEEN_STOPS):
        yield Schedule(name, stop=Stop(points=number))
    for number in TASKS:
        yield Schedule(name, stop=Stop(task=number))


def main(arguments: list[str] | None = None) -> int:
    """0 when every promise was kept, 1 when not, 2 for bad usage."""
    parser = argparse.ArgumentParser(prog="python tests/crash", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--stop-points", type=int, help="the playbook dies after so many points")
    parser.add_argument("--stop-task", type=int, help="the playbook dies as it begins this task")
    parser.add_argument("--report", type=Path, help="write the figures there, as JSON")
    options = parser.parse_args(arguments)
    warm_up()
    interpreter()  # one for all that are forked
    stops = options.stop_points or options.stop_task
    stop = Stop(options.stop_points, options.stop_task) if stops else None
    schedule = chosen_schedule(options, stop)
    if schedule is not None:
        return replay(schedule, PlaybookCarrier)
    try:
        part = share()
    except ValueError as error:
        parser.error(str(error))
    report = run_playbooks(part, seed(), say)
    print(report)
    if options.report is not None:
        options.report.write_text(json.dumps({"text": str(report), **asdict(report)}))
    return int(report.failed > 0)


if __name__ == "__main__":
    with ending_in_order():
        sys.exit(main())
