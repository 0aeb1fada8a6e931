# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m seatkeeper_twins.altigen: the AltiGen twin's commands."""

from __future__ import annotations

import argparse
import sys

from seatkeeper_twins.altigen import commands
from seatkeeper_twins.parts.commands import run


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when done, 1 with one sentence on stderr when not."""
    parser = argparse.ArgumentParser(
        prog="python -m seatkeeper_twins.altigen",
        description="A stand-in for AltiGen's support desk and a fleet's phone systems.",
    )
    commands.fill(parser)
    return run(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
