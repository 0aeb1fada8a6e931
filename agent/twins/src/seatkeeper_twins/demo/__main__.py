# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: license servers on this machine, brought to what an inventory declares.

Whatever it says was observed was read from the agents, or from the twins behind them, after the
fact. It fails as soon as one of its claims is not observed.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from seatkeeper_twins.demo import beside, parts
from seatkeeper_twins.demo.playbook import CHECKOUT
from seatkeeper_twins.demo.screen import DemoError, Screen
from seatkeeper_twins.lab.lab import ending_in_order
from seatkeeper_twins.lab.seed import PERFORMERS

PLAYBOOKS = "playbooks"


def main(arguments: list[str] | None = None) -> int:
    """Show everything; 0 when every claim was observed, 1 with one sentence on stderr if not."""
    chosen = _parser().parse_args(arguments)
    try:
        with ending_in_order():
            _show(Screen(), chosen)
    except parts.FAILURES as error:
        print(f"The demo failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("The demo was interrupted; everything it started was stopped.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m seatkeeper_twins.demo",
        description="Rehearse on twins what the playbooks do with license servers.",
    )
    parser.add_argument("--part", choices=parts.NAMES, help="only this vendor's part")
    parser.add_argument(
        "--performer", choices=PERFORMERS, help="who works on the page of the Chaos server"
        " (default: a browser where Playwright and a Chromium are here, else a person)",
    )  # fmt: skip
    parser.add_argument(
        "--dir", type=Path, metavar="DIR", help="keep what the demo leaves, such as logs and"
        " screenshots, in folders of DIR (default: in temporary folders, removed unless it fails)",
    )  # fmt: skip
    return parser


def _show(screen: Screen, chosen: argparse.Namespace) -> None:
    if not (CHECKOUT / PLAYBOOKS).is_dir():
        raise DemoError(f"{CHECKOUT / PLAYBOOKS} is missing: the demo runs from a checkout.")
    if chosen.part is not None:
        parts.show(chosen.part, screen, chosen)
    else:
        number = beside.at_once()
        screen.line(f"Each part's output follows when it has ended; {number} run at once.")
        failed = beside.show(screen, parts.NAMES, partial(parts.is_shown, chosen), number)
        if failed:
            raise DemoError(f"not all was observed with {', '.join(failed)}; see above.")
    screen.line(f"\nThe demo took {screen.elapsed():.0f} seconds.")


if __name__ == "__main__":
    sys.exit(main())
