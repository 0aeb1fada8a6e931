# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m crash.versions`` in agent/tests: die in the tree before, go on in this one.

The tree before, as git has it, runs every scenario until somebody dies at a point, and leaves the
disks of both hosts as they are at that moment. This tree's agents are started on these disks: they
take up what the older ones left, run again, get through, and change nothing after that.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from seatkeeper_twins.lab.lab import ending_in_order

from .campaign import Report
from .progress import reported, say
from .scenarios import SCENARIOS
from .schedules import Bench, Result, Schedule, today
from .share import chosen, environment, seed, share
from .warm import warm_up
from .world import work_folder

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = "cd agent/tests && ../../.venv/bin/python -m crash.versions"
LIST = "deaths.json"
"""In the folder of the disks: the deaths that are kept there, and the moment they count from."""


class NoSuchTreeError(Exception):
    """The tree before is not in this clone."""


def die(folder: Path, options: argparse.Namespace) -> None:
    """Run in the tree before: die at points, a share of all, and keep the disks of each death."""
    moment = today()
    bench = Bench(folder, moment)
    deaths = []
    for name in options.scenario or SCENARIOS:
        points = bench.run(Schedule(name)).points
        for number in options.kill or chosen(range(1, points + 1), share(), seed()):
            borrowed = bench.die(Schedule(name, (number,)))
            bench.world.keep(_state(name, number))
            deaths.append((name, number, borrowed))
    (folder / LIST).write_text(json.dumps({"moment": moment.isoformat(), "deaths": deaths}))


def go_on(folder: Path, deaths: list[tuple[str, int, Any]], moment: str) -> Iterator[Result]:
    """Run in this tree on the disks that ``die`` left there."""
    bench = Bench(folder, datetime.fromisoformat(moment))
    for name, number, borrowed in deaths:
        yield bench.go_on(Schedule(name, (number,)), _state(name, number), borrowed)
    bench.world.kill()


def before() -> str:
    """The name of the commit whose agents the next ones have to take over from."""
    return (Path(__file__).parent / "before.commit").read_text().strip()


def run_campaign(chosen_points: list[str]) -> Report:
    """Both halves, one after the other in one folder, as disks name their place."""
    report = Report(PROGRAM, seed(), share())
    started = time.monotonic()
    with TemporaryDirectory(prefix="seatkeeper-versions-", dir=work_folder()) as made:
        tree, hosts = Path(made) / "tree", Path(made) / "hosts"
        _unpack(before(), tree)
        say(f"agents of {before()[:12]} die")
        hosts.mkdir()
        _let_die(tree, hosts, chosen_points)
        kept = json.loads((hosts / LIST).read_text())
        deaths = kept["deaths"]
        report.scenarios = len({name for name, *_ in deaths})
        report.points = len(deaths)
        warm_up()
        results = go_on(hosts, deaths, kept["moment"])
        for result in reported(results, len(deaths), report.failure, say):
            report.add("deaths in the tree before", result)
            report.kills += 1
    report.seconds = time.monotonic() - started
    return report


def _state(name: str, number: int) -> str:
    return f"{name}, dead at {number}"


def _unpack(commit: str, folder: Path) -> None:
    packed = subprocess.run(
        ["git", "archive", commit, "agent"], cwd=ROOT, capture_output=True, check=False
    )
    if packed.returncode:
        raise NoSuchTreeError(
            f"the commit {commit} is not in this clone: {packed.stderr.decode().strip()}"
        )
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")


def _let_die(tree: Path, folder: Path, chosen_points: list[str]) -> None:
    """Let the agents of another tree die; its own code comes before what is installed."""
    places = [tree / "agent" / "src", tree / "agent" / "twins" / "src"]
    own = {"PYTHONPATH": os.pathsep.join(map(str, places))}
    subprocess.run(
        [sys.executable, "-m", "crash.versions", "--die-in", str(folder), *chosen_points],
        cwd=tree / "agent" / "tests",
        env=environment(1.0) | own,
        check=True,
    )


def main(arguments: list[str] | None = None) -> int:
    """0 when every promise was kept, 1 when not, 2 where the tree before cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m crash.versions", description=__doc__)
    parser.add_argument("--die-in", type=Path, help="only die, and leave the disks in this folder")
    parser.add_argument("--scenario", choices=SCENARIOS, action="append", help="only this one")
    parser.add_argument("--kill", type=int, action="append", help="die at the n-th point")
    parser.add_argument("--report", type=Path, help="write the figures there, as JSON")
    options = parser.parse_args(arguments)
    if options.die_in is not None:
        warm_up()
        die(options.die_in, options)
        return 0
    points = [f"--scenario={name}" for name in options.scenario or ()]
    points += [f"--kill={number}" for number in options.kill or ()]
    try:
        report = run_campaign(points)
    except NoSuchTreeError as error:
        parser.error(str(error))
    print(report)
    if options.report is not None:
        options.report.write_text(json.dumps({"text": str(report), **asdict(report)}))
    return int(report.failed > 0)


if __name__ == "__main__":
    with ending_in_order():
        sys.exit(main())
