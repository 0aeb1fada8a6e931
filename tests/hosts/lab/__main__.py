# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m hosts.lab: make hosts, disturb them, remove them; see lab.py for the folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hosts.kept import ImageUnavailable

from .engine import Host, LabError
from .lab import Lab


def main() -> int:
    """Run one command; 0 when done, 1 with one sentence on stderr when not."""
    chosen = _parser().parse_args()
    lab = Lab(chosen.folder)
    try:
        if chosen.command == "up":
            lab.up(dict(map(_named_host, chosen.host)))
        elif chosen.command == "down":
            lab.down()
        else:
            moment = {"moment": chosen.when} if chosen.command == "kill" else {}
            for name in chosen.host:
                getattr(lab, chosen.command)(name, **moment)
    except (LabError, ImageUnavailable, OSError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


def _named_host(text: str) -> tuple[str, Host]:
    name, reported, rest = text.partition("=")
    if not reported:
        raise LabError(f"{text!r} is no host: write NAME=ADDRESS or NAME=ADDRESS@RELEASE.")
    return name, Host.parsed(rest)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hosts.lab", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="LAB", help="the lab's folder")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="have hosts on")
    up.add_argument("host", nargs="+", metavar="NAME=ADDRESS[@RELEASE]", help="all in one /24")
    commands.add_parser("down", help="remove all hosts")
    for name, text in (
        ("kill", "cut the power of hosts"),
        ("start", "switch hosts on"),
        ("cut", "take hosts from the network"),
        ("mend", "put hosts back into the network"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("host", nargs="+", metavar="NAME")
        if name == "kill":
            command.add_argument("--when", metavar="TEXT", help="when a twin's log has this")
    return parser


if __name__ == "__main__":
    sys.exit(main())
