# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m answers`` in agent/tests: run the scripts (all, or those named) and record anew."""

from __future__ import annotations

import argparse
import sys

from seatkeeper_twins.lab.lab import ending_in_order

from .record import SCRIPTS, path_of, text_of
from .script import Lines


def main(arguments: list[str] | None = None) -> int:
    """0 when everything is recorded, 2 for bad usage."""
    parser = argparse.ArgumentParser(prog="python -m answers", description=__doc__)
    parser.add_argument("script", nargs="*", metavar="SCRIPT", help=f"of {', '.join(SCRIPTS)}")
    chosen = parser.parse_args(arguments).script or list(SCRIPTS)
    unknown = [name for name in chosen if name not in SCRIPTS]
    if unknown:
        parser.error(f"there is no script {unknown[0]!r}")
    for name in chosen:
        lines = Lines()
        SCRIPTS[name](lines)
        path_of(name).write_text(text_of(lines), encoding="utf-8")
        print(f"{name}: {len(lines)} requests", flush=True)
    return 0


if __name__ == "__main__":
    with ending_in_order():
        sys.exit(main())
