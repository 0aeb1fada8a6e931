# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of an AIMMS twin: make and run its processes, look at them, disturb them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from seatkeeper_twins.aimms import twin
from seatkeeper_twins.parts.commands import add, add_disturbing, read_seed
from seatkeeper_twins.parts.listening import serve
from seatkeeper_twins.parts.process import only_process
from seatkeeper_twins.parts.store import STATE_NAME

PORTS = (3400, 3401)
"""The product's own (grade D); several twins on one machine need others."""


def fill(parser: argparse.ArgumentParser) -> None:
    """Add all commands to a parser."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _fill_running(commands)
    add_disturbing(commands, at="the service or a machine", example="jobs_running=3")


def _fill_running(commands: Any) -> None:
    vendor = add(commands, "vendor", "run the activation service until SIGTERM", _vendor)
    server = add(commands, "server", "run a machine until SIGTERM", _server)
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


def _vendor(chosen: argparse.Namespace) -> None:
    from seatkeeper_twins.aimms.vendor import Vendor, vendor_routes

    if not (chosen.dir / STATE_NAME).exists():
        twin.create_vendor(chosen.dir, read_seed(chosen.seed, twin.demo_seed()))
    elif chosen.seed is not None:
        raise ValueError(f"{chosen.dir} holds a twin already: leave out --seed to use it as it is.")
    with only_process(chosen.dir):
        vendor = Vendor(chosen.dir)
        serve(chosen.dir, chosen.port, vendor_routes(vendor))


def _server(chosen: argparse.Namespace) -> None:
    from seatkeeper_twins.aimms.listening_ports import ListeningPorts
    from seatkeeper_twins.aimms.server import Server
    from seatkeeper_twins.aimms.server_routes import server_routes

    process = chosen.dir.resolve() / twin.PROCESS_NAME
    if not (process / STATE_NAME).exists():
        if chosen.vendor is None:
            raise ValueError("A new machine needs --vendor.")
        seed = read_seed(chosen.seed, {})
        twin.create_server(chosen.dir, seed, chosen.vendor, tuple(chosen.ports))
    elif chosen.seed is not None:
        raise ValueError(f"{chosen.dir} holds a twin already: leave out --seed to use it as it is.")
    with only_process(process):
        server = Server(process, twin.vendor_folder_of(process))
        server.settle()
        ListeningPorts(server.state["ports"], server.serving).start()
        serve(process, chosen.port, server_routes(server))
