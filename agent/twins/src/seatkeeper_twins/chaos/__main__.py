# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m seatkeeper_twins.chaos: the Chaos twin's commands."""

from __future__ import annotations

import argparse
import sys

from seatkeeper_twins.chaos import commands
from seatkeeper_twins.parts.commands import run


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when done, 1 with one sentence on stderr when not."""
    parser = argparse.ArgumentParser(
        prog="python -m seatkeeper_twins.chaos",
        description="Stand-ins for the Chaos License Server and the vendor's cloud. They never"
        " serve a usable license.",
    )
    commands.fill(parser)
    return run(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
