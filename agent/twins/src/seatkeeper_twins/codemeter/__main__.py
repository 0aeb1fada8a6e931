# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m seatkeeper_twins.codemeter: make, serve, show and disturb a CodeMeter twin."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from seatkeeper_twins.codemeter import control, engine
from seatkeeper_twins.codemeter.build import BuildError
from seatkeeper_twins.codemeter.constants import PROFILES
from seatkeeper_twins.codemeter.faults import ACTIONS, points
from seatkeeper_twins.codemeter.twin import create_twin


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when done, 1 with one sentence on stderr when not."""
    chosen = make_parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen) or 0)
    except (OSError, ValueError, BuildError, engine.EngineRunning) as error:
        print(error, file=sys.stderr)
        return 1


def make_parser() -> argparse.ArgumentParser:
    """All commands and options; also what shell completion is made from."""
    parser = argparse.ArgumentParser(
        prog="python -m seatkeeper_twins.codemeter",
        description="A stand-in for the CodeMeter runtime. It never serves a usable license.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    create = _command(commands, "create", "make a twin directory from a seed", _create)
    create.add_argument("--profile", choices=sorted(PROFILES), default="current")
    create.add_argument("--seed", type=Path, required=True, metavar="SEED.json")
    _command(commands, "serve", "run the engine until SIGTERM", _serve)
    show = _command(commands, "show", "show what the containers hold", _show)
    show.add_argument("--json", action="store_true", help="everything, as JSON")
    fault = _command(commands, "fault", "arm, list or disarm faults", _fault)
    what = fault.add_mutually_exclusive_group(required=True)
    what.add_argument("--list", action="store_true", help="the faults still armed")
    what.add_argument("--clear", action="store_true", help="disarm all")
    what.add_argument("--points", action="store_true", help="the names of all points")
    what.add_argument("--at", choices=points(), metavar="POINT", help="arm a fault at this point")
    fault.add_argument("--action", choices=ACTIONS, default="die")
    fault.add_argument("--value", type=int, default=0, help="milliseconds or error number")
    fault.add_argument("--skip", type=int, default=0, help="passages to let through first")
    fault.add_argument("--times", type=int, default=1, help="passages it acts on")
    control_command = _command(commands, "control", "send one operation to the engine", _control)
    control_command.add_argument("operation", help='such as {"op": "_twin.snapshot", "name": "a"}')
    return parser


def _command(commands: Any, name: str, description: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=description, description=description
    )
    parser.add_argument("--dir", type=Path, required=True, help="the twin directory")
    parser.set_defaults(run=run)
    return parser


def _create(chosen: argparse.Namespace) -> None:
    seed = json.loads(chosen.seed.read_text(encoding="utf-8"))
    print(f"created {create_twin(chosen.dir, chosen.profile, seed)}")


def _serve(chosen: argparse.Namespace) -> int:
    return engine.main(chosen.dir, engine.say)


def _show(chosen: argparse.Namespace) -> None:
    shown = control.send(chosen.dir, {"op": "describe"})
    if chosen.json:
        print(json.dumps(shown, indent=2))
        return
    print(f"CodeMeter twin, profile {shown['profile']}, version {shown['version']}")
    for container in shown["containers"]:
        print(f"{container['serial']}  {container['name']}")
        for item in container["items"]:
            amounts = [
                f"{item[key]} {word}"
                for key, word in (("license_quantity", "licenses"), ("unit_counter", "units"))
                if item[key] is not None
            ]
            print(
                f"  #{item['reference']} {item['firm_code']}:{item['product_code']}"
                f" {item['name']}  {', '.join(amounts) or 'one item'}  {item['status']}"
            )


def _fault(chosen: argparse.Namespace) -> int:
    if chosen.points:
        print("\n".join(points()))
        return 0
    if chosen.at:
        request = {
            "op": "_twin.fault", "point": chosen.at, "action": chosen.action,
            "value": chosen.value, "skip": chosen.skip, "times": chosen.times,
        }  # fmt: skip
    else:
        request = {"op": "_twin.clear" if chosen.clear else "_twin.faults"}
    return _report(control.send(chosen.dir, request))


def _control(chosen: argparse.Namespace) -> int:
    operation = json.loads(chosen.operation)
    return _report(control.send(chosen.dir, operation))


def _report(answer: dict[str, Any]) -> int:
    if "error" in answer:
        print(f"{answer['reason']}, Error {answer['error']}", file=sys.stderr)
        return 1
    print(json.dumps(answer, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
