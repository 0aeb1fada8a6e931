# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m crash`` in agent/tests: run the campaign, or one schedule with all that it tells."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from seatkeeper_twins.lab.lab import ending_in_order

from .campaign import replay, run_campaign
from .mutants import MUTANTS
from .progress import say
from .scenarios import SCENARIOS
from .schedules import add_arguments, carrier_with_requests, chosen_schedule
from .share import seed, share
from .warm import warm_up
from .world import Variant, work_folder


def main(arguments: list[str] | None = None) -> int:
    """0 when every promise was kept, 1 when not, 2 for bad usage."""
    parser = argparse.ArgumentParser(prog="python -m crash", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--mutants", action="store_true", help="the five broken agents instead")
    parser.add_argument("--report", type=Path, help="write the figures there, as JSON")
    options = parser.parse_args(arguments)
    warm_up()
    if options.mutants:
        return _write(options.report, _mutants())
    schedule = chosen_schedule(options)
    if schedule is not None:
        return replay(schedule, carrier_with_requests)
    try:
        part = share()
    except ValueError as error:
        parser.error(str(error))
    report = run_campaign(part, seed(), options.scenario or list(SCENARIOS), say)
    print(report)
    return _write(options.report, {"text": str(report), **asdict(report)})


def _mutants() -> dict[str, Any]:
    """What breaks with each mutant, and with sound agents where the mutant's twin is broken too."""
    reported: dict[str, Any] = {"failed": 0}
    for name, mutant in MUTANTS.items():
        with TemporaryDirectory(prefix="seatkeeper-crash-", dir=work_folder()) as folder:
            broken = mutant.run(Path(folder, "broken"), mutant.variant())
            sound = mutant.run(Path(folder, "sound"), Variant(mutate_twin=mutant.mutate_twin))
        reported[name] = {
            "breaks": [result.promise for result in broken],
            "seen": [result.seen for result in broken],
            "sound": [result.seen for result in sound],
        }
        reported["failed"] += {mutant.breaks} != set(reported[name]["breaks"]) or any(
            reported[name]["sound"]
        )
        print(f"{name}: {' / '.join(map(str, reported[name]['seen']))}", flush=True)
    return reported


def _write(path: Path | None, reported: dict[str, Any]) -> int:
    if path is not None:
        path.write_text(json.dumps(reported))
    return int(reported["failed"] > 0)


if __name__ == "__main__":
    with ending_in_order():
        sys.exit(main())
