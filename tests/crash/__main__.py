# SPDX-License-Identifier: GPL-3.0-or-later
"""``python tests/crash``: the crash points of the agents' campaign with the real playbook.

Every point alone of a push and of a borrow, and the playbook itself killed: at moments spread
over its run, and where agents and twins pass their points.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "agent" / "tests"))

from crash.campaign import Report, Say, Share, benches, share_from, told
from crash.schedules import Result, Schedule, Stop, today
from playbook_carrier import PlaybookCarrier

from seatkeeper_twins.lab.lab import ending_in_order

SCENARIOS = ("push", "borrow")
MOMENTS = 16
POINTS_BETWEEN_STOPS = 6


def run_playbooks(share: Share, say: Say) -> Report:
    """Run a share of the schedules; gives the figures."""
    started = time.monotonic()
    report = Report(share.seed, share.part)
    with benches(today(), PlaybookCarrier) as run:
        schedules: list[Schedule] = []
        undisturbed = [Schedule(name) for name in SCENARIOS]
        for result in told(run(undisturbed), len(undisturbed), say):
            report.add("undisturbed", result)
            report.scenarios += 1
            report.points += result.points
            schedules += [entry for entry in _schedules(result) if share.takes(entry)]
        say(f"{report.points} points")
        for result in told(run(schedules), len(schedules), say):
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
    for number in range(MOMENTS):
        part = (number + 0.5) / MOMENTS
        yield Schedule(name, stop=Stop(part=part, usual_seconds=undisturbed.seconds))


def main(arguments: list[str] | None = None) -> int:
    """0 when every promise was kept, 1 when not, 2 for bad usage."""
    parser = argparse.ArgumentParser(prog="python tests/crash", description=__doc__)
    parser.add_argument("--report", type=Path, help="write the figures there, as JSON")
    chosen = parser.parse_args(arguments)
    try:
        share = share_from(os.environ, 1.0)
    except ValueError as error:
        parser.error(str(error))
    report = run_playbooks(share, lambda line: print(f"crash: {line}", file=sys.stderr, flush=True))
    print(report)
    if chosen.report is not None:
        chosen.report.write_text(json.dumps({"text": str(report), **asdict(report)}))
    return int(report.failed > 0)


if __name__ == "__main__":
    with ending_in_order():
        sys.exit(main())
