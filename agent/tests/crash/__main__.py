# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m crash`` in agent/tests: run the campaign, or one schedule with all that it tells."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from seatkeeper_twins.lab.lab import ending_in_order

from .campaign import run_campaign, share_from
from .mutants import MUTANTS
from .scenarios import SCENARIOS
from .schedules import Bench, Schedule, today
from .world import Variant, work_folder


def main(arguments: list[str] | None = None) -> int:
    """0 when every promise was kept, 1 when not, 2 for bad usage."""
    parser = argparse.ArgumentParser(prog="python -m crash", description=__doc__)
    parser.add_argument("--scenario", choices=SCENARIOS, action="append", help="only this one")
    parser.add_argument(
        "--kill", type=int, action="append", help="replay: die at the n-th point, then at the m-th"
    )
    parser.add_argument("--in-call", action="store_true", help="replay: the agent dies in a call")
    parser.add_argument("--hasty", action="store_true", help="replay: do not wait for recovery")
    parser.add_argument("--mutants", action="store_true", help="the five broken agents instead")
    parser.add_argument("--report", type=Path, help="write the figures there, as JSON")
    chosen = parser.parse_args(arguments)
    if chosen.mutants:
        return _write(chosen.report, _mutants())
    names = chosen.scenario or list(SCENARIOS)
    if chosen.kill:
        kills = tuple(chosen.kill)
        return _replay(Schedule(names[0], kills, in_call=chosen.in_call, hasty=chosen.hasty))
    try:
        share = share_from(os.environ, 1.0)
    except ValueError as error:
        parser.error(str(error))
    report = run_campaign(share, names, _say)
    print(report)
    return _write(chosen.report, {"text": str(report), **asdict(report)})


def _mutants() -> dict[str, Any]:
    """What breaks with each mutant, and with sound agents where the mutant's twin is broken too."""
    told: dict[str, Any] = {"failed": 0}
    for name, mutant in MUTANTS.items():
        with TemporaryDirectory(prefix="seatkeeper-crash-", dir=work_folder()) as folder:
            broken = mutant.run(Path(folder, "broken"), mutant.variant())
            sound = mutant.run(Path(folder, "sound"), Variant(mutate_twin=mutant.mutate_twin))
        told[name] = {
            "breaks": [result.promise for result in broken],
            "seen": [result.seen for result in broken],
            "sound": [result.seen for result in sound],
        }
        told["failed"] += {mutant.breaks} != set(told[name]["breaks"]) or any(told[name]["sound"])
        print(f"{name}: {' / '.join(map(str, told[name]['seen']))}", flush=True)
    return told


def _write(path: Path | None, told: dict[str, Any]) -> int:
    if path is not None:
        path.write_text(json.dumps(told))
    return int(told["failed"] > 0)


def _replay(schedule: Schedule) -> int:
    with TemporaryDirectory(prefix="seatkeeper-crash-", dir=work_folder()) as folder:
        bench = Bench(Path(folder), today())
        try:
            result = bench.run(schedule)
            print("\n".join(map(str, bench.world.tripwire.trace)))
            print(bench.world.logs())
        finally:
            bench.world.kill()
    print(result if result.promise else f"{schedule}: kept, in {result.runs} runs")
    return int(result.promise is not None)


def _say(line: str) -> None:
    print(f"crash: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    with ending_in_order():
        sys.exit(main())
