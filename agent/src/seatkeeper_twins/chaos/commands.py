# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of a Chaos twin: make and run a cloud or a server, look at them, disturb them."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from seatkeeper_twins.chaos import control, twin, usb_folder
from seatkeeper_twins.chaos.faults import ACTIONS
from seatkeeper_twins.chaos.process import FolderInUse, Process, listen, only_process
from seatkeeper_twins.chaos.seed import PROFILES
from seatkeeper_twins.chaos.store import STATE_NAME
from seatkeeper_twins.chaos.web import LostAnswer, Refusal, Routes

WATCH_SECONDS = 0.2
SEED_BYTES_MAX = 16 << 20


def fill(parser: argparse.ArgumentParser) -> None:
    """Add all commands to a parser."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _fill_running(commands)
    _fill_disturbing(commands)
    plug = _command(commands, "plug", "plug a fake dongle into a recorded USB bus", _plug)
    plug.add_argument("--usb", type=Path, required=True, metavar="DIR", help="the bus folder")
    plug.add_argument("port", help="the kernel's name of the port, such as 1-1.4")
    plug.add_argument("--serial", help="its serial number; left out, it tells none")
    plug.add_argument(
        "--ids", type=_ids, default=(usb_folder.WIBU, usb_folder.WIBUKEY_BOX_RU),
        metavar="VENDOR:PRODUCT", help="its USB ids (default: 064f:0bd8, a WibuKey Box/RU)",
    )  # fmt: skip
    unplug = _command(commands, "unplug", "unplug what is in a port", _unplug)
    unplug.add_argument("--usb", type=Path, required=True, metavar="DIR", help="the bus folder")
    unplug.add_argument("port", help="such as 1-1.4")


def run(chosen: argparse.Namespace) -> int:
    """Run what was parsed; 0 when done, 1 with one sentence on stderr when not."""
    try:
        chosen.chaos(chosen)
    except (OSError, ValueError, FolderInUse) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _fill_running(commands: Any) -> None:
    cloud = _command(commands, "cloud", "run the vendor's cloud until SIGTERM", _cloud)
    server = _command(commands, "server", "run a license server until SIGTERM", _server)
    described = "JSON, described at the head of seatkeeper_twins/chaos/seed.py"
    for each, what, otherwise in (
        (cloud, "cloud", "two companies of the demo"),
        (server, "server", "a machine that is not activated"),
    ):
        each.add_argument(
            "--dir", type=Path, required=True, help=f"the folder of the {what}, made when it is new"
        )
        each.add_argument(
            "--port", type=int, default=0, help="0, the default, is the one it had before or any"
        )
        each.add_argument(
            "--seed", type=Path, metavar="FILE", help=f"for a new folder: {described} (default:"
            f" {otherwise})",
        )  # fmt: skip
    server.add_argument(
        "--profile", choices=sorted(PROFILES), help="for a new folder: the version (default: 6)"
    )
    server.add_argument(
        "--cloud", metavar="URL", help="where the cloud listens (default: as before)"
    )
    server.add_argument(
        "--usb", type=Path, metavar="DIR", help="the recorded bus (default: as before)"
    )


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
    put = _command(commands, "set", "change what is true, such as version=4.4.0", _set)
    put.add_argument("values", nargs="+", metavar="NAME=VALUE", help="the value as JSON or text")
    reset = _command(commands, "reset", "go back to the seed", _reset)
    advance = _command(commands, "advance", "move the clock on; the cloud's first", _advance)
    advance.add_argument("seconds", type=float)
    for each in (show, points, fault, put, reset, advance):
        each.add_argument("--at", required=True, metavar="URL", help="a cloud or a server")


def _command(
    commands: Any, name: str, text: str, chaos: Callable[[argparse.Namespace], None]
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(chaos=chaos, run=run)
    return parser


def _ids(text: str) -> tuple[int, int]:
    vendor, _, product = text.partition(":")
    return int(vendor, 16), int(product, 16)


def _cloud(chosen: argparse.Namespace) -> None:
    if not (chosen.dir / STATE_NAME).exists():
        twin.create_cloud(chosen.dir, _seed(chosen.seed, twin.demo_seed()))
    elif chosen.seed is not None:
        raise ValueError(f"{chosen.dir} holds a twin already: leave out --seed to use it as it is.")
    with only_process(chosen.dir):
        from seatkeeper_twins.chaos.cloud import Cloud
        from seatkeeper_twins.chaos.cloud_routes import cloud_routes

        cloud = Cloud(chosen.dir)
        _serve(cloud, cloud_routes(cloud), chosen.port)


def _server(chosen: argparse.Namespace) -> None:
    if not (chosen.dir / STATE_NAME).exists():
        if chosen.cloud is None or chosen.usb is None:
            raise ValueError("A new server needs --cloud and --usb.")
        seed = _seed(chosen.seed, {})
        twin.create_server(chosen.dir, chosen.profile or "6", seed, chosen.cloud, chosen.usb)
    elif chosen.seed is not None or chosen.profile is not None:
        raise ValueError(
            f"{chosen.dir} holds a twin already: leave out --seed and --profile to use it as it is."
        )
    with only_process(chosen.dir):
        from seatkeeper_twins.chaos.server import Server
        from seatkeeper_twins.chaos.server_routes import server_routes

        cloud, usb = twin.places(chosen.dir)
        server = Server(chosen.dir, chosen.cloud or cloud, chosen.usb or usb)
        time.sleep(server.state["start_seconds"])
        threading.Thread(target=_watch, args=(server.watch,), daemon=True).start()
        _serve(server, server_routes(server), chosen.port)


def _watch(look: Callable[[], None]) -> None:
    while True:
        time.sleep(WATCH_SECONDS)
        # A fault that waits there would end the thread that meets it.
        with suppress(Refusal, LostAnswer):
            look()


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
    if isinstance(values.get("version"), int | float):
        values["version"] = str(values["version"])
    control.set_values(chosen.at, **values)


def _reset(chosen: argparse.Namespace) -> None:
    control.reset(chosen.at)


def _advance(chosen: argparse.Namespace) -> None:
    control.advance(chosen.seconds, chosen.at)


def _plug(chosen: argparse.Namespace) -> None:
    vendor_id, product_id = chosen.ids
    usb_folder.plug(chosen.usb, chosen.port, vendor_id, product_id, chosen.serial)


def _unplug(chosen: argparse.Namespace) -> None:
    usb_folder.unplug(chosen.usb, chosen.port)
