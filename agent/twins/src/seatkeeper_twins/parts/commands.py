# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that all twins have: look at one, disturb it, bring it back to its seed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seatkeeper_twins.parts import control
from seatkeeper_twins.parts.faults import ACTIONS
from seatkeeper_twins.parts.process import FolderInUse

SEED_BYTES_MAX = 16 << 20

Perform = Callable[[argparse.Namespace], None]


def add(commands: Any, name: str, text: str, perform: Perform) -> argparse.ArgumentParser:
    """Add a command, which `run` runs."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(perform=perform, run=run)
    return parser


def run(chosen: argparse.Namespace) -> int:
    """Run what was parsed; 0 when done, 1 with one sentence on stderr when not."""
    try:
        chosen.perform(chosen)
    except (OSError, ValueError, FolderInUse) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def read_seed(path: Path | None, otherwise: Any) -> Any:
    """What a seed's file holds, without one ``otherwise``; ValueError when it is unusable."""
    if path is None:
        return otherwise
    if path.stat().st_size > SEED_BYTES_MAX:
        raise ValueError(f"{path} is larger than {SEED_BYTES_MAX} bytes.")
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}.") from error


def add_disturbing(
    commands: Any,
    *,
    at: str,
    example: str,
    status: str = "HTTP status",
    advance_text: str = "move the clock on",
    put: Perform | None = None,
) -> None:
    """Add the commands that talk to a running twin.

    ``at`` says what the address is one of, ``example`` what can be set, ``status`` what a refusal
    tells; ``put`` is what the command set does, if not what is written.
    """
    show = add(commands, "show", "show everything as JSON", _show)
    points = add(commands, "points", "list the points for faults", _points)
    fault = add(commands, "fault", "arm a fault, or disarm all", _fault)
    what = fault.add_mutually_exclusive_group(required=True)
    what.add_argument("--point", help="where; see the command points")
    what.add_argument("--clear", action="store_true", help="disarm all")
    fault.add_argument("--action", choices=ACTIONS, default="die")
    fault.add_argument("--value", type=int, default=0, help=f"milliseconds or {status}")
    fault.add_argument("--skip", type=int, default=0, help="passages to let through first")
    fault.add_argument("--times", type=int, default=1, help="passages it acts on")
    values = add(commands, "set", f"change what is true, such as {example}", put or _set)
    values.add_argument("values", nargs="+", metavar="NAME=VALUE", help="the value as JSON or text")
    reset = add(commands, "reset", "go back to the seed", _reset)
    advance = add(commands, "advance", advance_text, _advance)
    advance.add_argument("seconds", type=float)
    for each in (show, points, fault, values, reset, advance):
        add_address(each, at)


def add_address(parser: argparse.ArgumentParser, text: str) -> None:
    """Add the option that names a running twin."""
    parser.add_argument("--at", required=True, metavar="URL", help=text)


def read_values(chosen: argparse.Namespace) -> dict[str, Any]:
    """What a command set is to set; ValueError for what is no NAME=VALUE."""
    values = {}
    for text in chosen.values:
        name, sign, value = text.partition("=")
        if not sign:
            raise ValueError(f"{text!r} must look like NAME=VALUE.")
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = value
    return values


def _show(chosen: argparse.Namespace) -> None:
    print(json.dumps(control.describe(chosen.at), indent=2))


def _points(chosen: argparse.Namespace) -> None:
    print("\n".join(control.points(chosen.at)))


def _fault(chosen: argparse.Namespace) -> None:
    if chosen.clear:
        control.clear_faults(chosen.at)
        return
    control.set_fault(
        chosen.at, chosen.point, chosen.action, chosen.value, chosen.skip, chosen.times
    )


def _set(chosen: argparse.Namespace) -> None:
    control.set_values(chosen.at, **read_values(chosen))


def _reset(chosen: argparse.Namespace) -> None:
    control.reset(chosen.at)


def _advance(chosen: argparse.Namespace) -> None:
    control.advance(chosen.seconds, chosen.at)
