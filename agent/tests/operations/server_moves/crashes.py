# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m operations.server_moves.crashes`` in agent/tests: kill agents wherever a move goes.

SIGKILL at the n-th point that either agent passes, and at the m-th of what follows it: before and
after every COMMIT and every command. See operations/dongles/crashes.py, whose rounds these are.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from crash.warm import warm_up
from crash.world import work_folder

from operations.dongles.crashes import Schedule, campaign, judged, replay
from seatkeeper_twins.lab.lab import ending_in_order

from .crash_mutants import MUTANTS
from .crash_scenarios import SCENARIOS, Move
from .crash_world import World

PROGRAM = "operations.server_moves.crashes"


def mutants(world: World) -> dict[str, Any]:
    """What is seen of each broken agent, and of a sound one that dies at the same point."""
    return {title: judged(world, Move.name, mutant, SCENARIOS) for title, mutant in MUTANTS.items()}


def main(arguments: list[str] | None = None) -> int:
    """0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m operations.server_moves.crashes")
    parser.add_argument("--scenario", choices=SCENARIOS, action="append", help="only this one")
    parser.add_argument("--kill", type=int, action="append", help="replay: die at the n-th point")
    parser.add_argument("--mutants", action="store_true", help="the broken agents instead")
    parser.add_argument("--report", type=Path, help="write the figures there, as JSON")
    options = parser.parse_args(arguments)
    names = options.scenario or list(SCENARIOS)
    with TemporaryDirectory(prefix="seatkeeper-crashes-", dir=work_folder()) as folder:
        world = World(Path(folder))
        warm_up()
        try:
            if options.kill:
                return replay(world, Schedule(names[0], tuple(options.kill)), SCENARIOS)
            found = (
                mutants(world) if options.mutants else campaign(world, PROGRAM, names, SCENARIOS)
            )
        finally:
            world.close()
    if options.report is not None:
        options.report.write_text(json.dumps(found), encoding="utf-8")
    print(found.get("text", ""))
    return int(bool(found.get("failures")))


if __name__ == "__main__":
    os.umask(0o077)
    with ending_in_order():
        sys.exit(main())
