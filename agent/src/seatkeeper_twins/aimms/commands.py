# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of an AIMMS twin: make and run its processes, look at them, disturb them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seatkeeper_twins.aimms import control, twin
from seatkeeper_twins.chaos.faults import ACTIONS
from seatkeeper_twins.chaos.process import FolderInUse, Process, listen, only_process
from seatkeeper_twins.chaos.store import STATE_NAME
from seatkeeper_twins.chaos.web import Routes

SEED_BYTES_MAX = 16 << 20
PORTS = (3400, 3401)
"""The product's own (grade D); several twins on one machine need others."""


def fill(parser: argparse.ArgumentParser) -> None:
    """Add all commands to a parser."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _fill_running(commands)
    _fill_disturbing(commands)


def run(chosen: argparse.Namespace) -> int:
    """Run what was parsed; 0 when done, 1 with one sentence on stderr when not."""
    try:
        chosen.aimms(chosen)
    except (OSError, ValueError, FolderInUse) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _fill_running(commands: Any) -> None:
    vendor = _command(commands, "vendor", "run the activation service until SIGTERM", _vendor)
    server = _command(commands, "server", "run a machine until SIGTERM", _server)
    for each, otherwise in ((vendor, "the demo's three licenses"), (server, "nothing active")):
        each.add_argument("--dir", type=Path, required=True, help="its folder, made when it is new")
        each.add_argument(
            "--port", type=int, default=0, help="for control; 0, the default, is the one it had"
            " before or any",
        )  # fmt: skip
        each.add_argument(
            "--seed", type=Path, metavar="FILE", help="for a new folder: JSON, described at the"
            f" head of seatkeeper_twins/aimms/seed.py (default: {otherwise})",
        )  # fmt: skip
    server.add_argument(
        "--vendor", type=Path, metavar="DIR", help="for a new folder: that of the service"
    )
    server.add_argument(
        "--ports", type=int, nargs=2, default=PORTS, metavar="PORT",
        help="for a new folder: the product's two ports (default: 3400 3401)",
    )  # fmt: skip


def _fill_disturbing(commands: Any) -> None:
    show = _command(commands, "show", "show everything as JSON", _show)
    points = _command(commands, "points", "list the points for faults", _points)
    fault = _command(commands, "fault", "arm a fault, or disarm all", _fault)
    what = fault.add_mutually_exclusive_group(required=True)
    what.add_argument("--point", help="where; see the command points")
    what.add_argument("--clear", action="store_true", help="disarm all")
    fault.add_argument("--action", choices=ACTIONS, default="die")
    fault.add_argument("--value", type=int, default=0, help="milliseconds or HTTP status")
    fault.add_argument("--skip", type=int, default=0, help="passages to let through first")
    fault.add_argument("--times", type=int, default=1, help="passages it acts on")
    put = _command(commands, "set", "change what is true, such as jobs_running=3", _set)
    put.add_argument("values", nargs="+", metavar="NAME=VALUE", help="the value as JSON or text")
    reset = _command(commands, "reset", "go back to the seed", _reset)
    advance = _command(commands, "advance", "move the clock on", _advance)
    advance.add_argument("seconds", type=float)
    for each in (show, points, fault, put, reset, advance):
        each.add_argument("--at", required=True, metavar="URL", help="the service or a machine")


def _command(
    commands: Any, name: str, text: str, aimms: Callable[[argparse.Namespace], None]
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(aimms=aimms, run=run)
    return parser


def _vendor(chosen: argparse.Namespace) -> None:
    from seatkeeper_twins.aimms.vendor import Vendor, vendor_routes

    if not (chosen.dir / STATE_NAME).exists():
        twin.create_vendor(chosen.dir, _seed(chosen.seed, twin.demo_seed()))
    elif chosen.seed is not None:
        raise ValueError(f"{chosen.dir} holds a twin already: leave out --seed to use it as it is.")
    with only_process(chosen.dir):
        vendor = Vendor(chosen.dir)
        _serve(vendor, vendor_routes(vendor), chosen.port)


def _server(chosen: argparse.Namespace) -> None:
    from seatkeeper_twins.aimms.doors import Doors
    from seatkeeper_twins.aimms.server import Server
    from seatkeeper_twins.aimms.server_routes import server_routes

    process = chosen.dir.resolve() / twin.PROCESS_NAME
    if not (process / STATE_NAME).exists():
        if chosen.vendor is None:
            raise ValueError("A new machine needs --vendor.")
        seed = _seed(chosen.seed, {})
        twin.create_server(chosen.dir, seed, chosen.vendor, tuple(chosen.ports))
    elif chosen.seed is not None:
        raise ValueError(f"{chosen.dir} holds a twin already: leave out --seed to use it as it is.")
    with only_process(process):
        server = Server(process, twin.vendor_folder_of(process))
        server.settle()
        Doors(server.state["ports"], server.serving).start()
        _serve(server, server_routes(server), chosen.port)


def _serve(process: Process[Any], routes: Routes, port: int) -> None:
    web = listen(process.folder, port, routes)
    print(f"ready {web.address}", flush=True)
    web.run()


def _seed(path: Path | None, otherwise: Any) -> Any:
    if path is None:
        return otherwise
    if path.stat().st_size > SEED_BYTES_MAX:
        raise ValueError(f"{path} is larger than {SEED_BYTES_MAX} bytes.")
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}.") from error


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
    values = {}
    for text in chosen.values:
        name, sign, value = text.partition("=")
        if not sign:
            raise ValueError(f"{text!r} must look like NAME=VALUE.")
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = value
    control.set_values(chosen.at, **values)


def _reset(chosen: argparse.Namespace) -> None:
    control.reset(chosen.at)


def _advance(chosen: argparse.Namespace) -> None:
    control.advance(chosen.seconds, chosen.at)
