# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m operations.moves.crashes`` in agent/tests: kill real agents wherever a move goes.

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

from crash.warm import warm_up
from crash.world import work_folder

from operations.dongles.crashes import Schedule, campaign, replay
from seatkeeper_twins.lab import ending_in_order

from .crash_scenarios import SCENARIOS
from .crash_world import World


def main(arguments: list[str] | None = None) -> int:
    """0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m operations.moves.crashes")
    parser.add_argument("--scenario", choices=SCENARIOS, action="append", help="only this one")
    parser.add_argument("--kill", type=int, action="append", help="replay: die at the n-th point")
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--report", type=Path, help="write the figures there, as JSON")
    chosen = parser.parse_args(arguments)
    names = chosen.scenario or list(SCENARIOS)
    with TemporaryDirectory(prefix="seatkeeper-crashes-", dir=work_folder()) as folder:
        world = World(Path(folder))
        warm_up()
        try:
            if chosen.kill:
                return replay(world, Schedule(names[0], tuple(chosen.kill)), SCENARIOS)
            told = campaign(world, chosen.share, names, SCENARIOS)
        finally:
            world.close()
    if chosen.report is not None:
        chosen.report.write_text(json.dumps(told), encoding="utf-8")
    print(told["text"])
    return int(bool(told["failures"]))


if __name__ == "__main__":
    os.umask(0o077)
    with ending_in_order():
        sys.exit(main())
