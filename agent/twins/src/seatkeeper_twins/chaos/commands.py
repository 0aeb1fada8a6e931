# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of a Chaos twin: make and run a cloud or a server, look at them, disturb them."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from seatkeeper_twins.chaos import twin, usb_folder
from seatkeeper_twins.chaos.seed import PROFILES
from seatkeeper_twins.parts import control
from seatkeeper_twins.parts.commands import add, add_disturbing, read_seed, read_values
from seatkeeper_twins.parts.listening import serve
from seatkeeper_twins.parts.process import only_process
from seatkeeper_twins.parts.store import STATE_NAME
from seatkeeper_twins.parts.web import LostAnswer, Refusal

WATCH_SECONDS = 0.2


def fill(parser: argparse.ArgumentParser) -> None:
    """Add all commands to a parser."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _fill_running(commands)
    add_disturbing(
        commands,
        at="a cloud or a server",
        example="version=4.4.0",
        advance_text="move the clock on; the cloud's first",
        put=_set,
    )
    plug = add(commands, "plug", "plug a fake dongle into a recorded USB bus", _plug)
    plug.add_argument("--usb", type=Path, required=True, metavar="DIR", help="the bus folder")
    plug.add_argument("port", help="the kernel's name of the port, such as 1-1.4")
    plug.add_argument("--serial", help="its serial number; left out, it tells none")
    plug.add_argument(
        "--ids", type=_ids, default=(usb_folder.WIBU, usb_folder.WIBUKEY_BOX_RU),
        metavar="VENDOR:PRODUCT", help="its USB ids (default: 064f:0bd8, a WibuKey Box/RU)",
    )  # fmt: skip
    unplug = add(commands, "unplug", "unplug what is in a port", _unplug)
    unplug.add_argument("--usb", type=Path, required=True, metavar="DIR", help="the bus folder")
    unplug.add_argument("port", help="such as 1-1.4")


def _fill_running(commands: Any) -> None:
    cloud = add(commands, "cloud", "run the vendor's cloud until SIGTERM", _cloud)
    server = add(commands, "server", "run a license server until SIGTERM", _server)
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


def _ids(text: str) -> tuple[int, int]:
    vendor, _, product = text.partition(":")
    return int(vendor, 16), int(product, 16)


def _cloud(chosen: argparse.Namespace) -> None:
    if not (chosen.dir / STATE_NAME).exists():
        twin.create_cloud(chosen.dir, read_seed(chosen.seed, twin.demo_seed()))
    elif chosen.seed is not None:
        raise ValueError(f"{chosen.dir} holds a twin already: leave out --seed to use it as it is.")
    with only_process(chosen.dir):
        from seatkeeper_twins.chaos.cloud import Cloud
        from seatkeeper_twins.chaos.cloud_routes import cloud_routes

        cloud = Cloud(chosen.dir)
        serve(chosen.dir, chosen.port, cloud_routes(cloud))


def _server(chosen: argparse.Namespace) -> None:
    if not (chosen.dir / STATE_NAME).exists():
        if chosen.cloud is None or chosen.usb is None:
            raise ValueError("A new server needs --cloud and --usb.")
        seed = read_seed(chosen.seed, {})
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
        serve(chosen.dir, chosen.port, server_routes(server))


def _watch(look: Callable[[], None]) -> None:
    while True:
        time.sleep(WATCH_SECONDS)
        # A fault that waits there would end the thread that meets it.
        with suppress(Refusal, LostAnswer):
            look()


def _set(chosen: argparse.Namespace) -> None:
    values = read_values(chosen)
    if isinstance(values.get("version"), int | float):
        values["version"] = str(values["version"])
    control.set_values(chosen.at, **values)


def _plug(chosen: argparse.Namespace) -> None:
    vendor_id, product_id = chosen.ids
    usb_folder.plug(chosen.usb, chosen.port, vendor_id, product_id, chosen.serial)


def _unplug(chosen: argparse.Namespace) -> None:
    usb_folder.unplug(chosen.usb, chosen.port)
