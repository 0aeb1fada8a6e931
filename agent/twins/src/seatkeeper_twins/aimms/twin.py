# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the folders of the activation service and of machines, and say how to start each."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from seatkeeper_twins.aimms import folders, seed
from seatkeeper_twins.aimms.programs import write_installer
from seatkeeper_twins.parts import listening
from seatkeeper_twins.parts.seed import SeedError
from seatkeeper_twins.parts.store import (
    INITIAL_NAME,
    STATE_NAME,
    State,
    new_folder,
    write_new,
    write_whole,
)

PROCESS_NAME = "_twin"
"""Below a machine's folder, beside Bin: what is the twin's and not the product's."""

PLACES_NAME = "places.json"
DEMO_SEED_PATH = Path(__file__).with_name("demo_vendor.json")
_MODULE = [sys.executable, "-P", "-m", "seatkeeper_twins.aimms"]


def demo_seed() -> Any:
    """The seed of a vendor that knows the three licenses of an AIMMS PRO server."""
    return json.loads(DEMO_SEED_PATH.read_text(encoding="utf-8"))


def create_vendor(folder: Path | str, vendor_seed: object) -> Path:
    """Make the activation service; gives back its folder.

    SeedError: the seed is unusable. FileExistsError: the folder holds a twin.
    """
    return _create(folder, seed.vendor_state(vendor_seed))


def create_server(
    folder: Path | str, machine_seed: object, vendor_folder: Path | str, ports: tuple[int, int]
) -> Path:
    """Make a machine that listens on these ports where the product has 3400 and 3401.

    ``vendor_folder`` is that of the activation service, which must not run yet when the seed has
    active licenses. Gives back the machine's folder; SeedError, FileExistsError: as create_vendor.
    """
    made = seed.machine_seed(machine_seed, ports)
    root, vendor = Path(folder).resolve(), Path(vendor_folder).resolve()
    if made.active:
        _give(vendor, made)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in made.license_files:
        folders.put_license_file(root, number)
    write_installer(root)
    process = root / PROCESS_NAME
    process.mkdir(exist_ok=True)
    write_whole(process / PLACES_NAME, {"vendor": str(vendor)})
    _create(process, made.state)
    return root


def vendor_command(folder: Path | str, port: int = 0) -> list[str]:
    """How to start the activation service; it prints "ready URL" and ends on SIGTERM."""
    return [*_MODULE, "vendor", "--dir", str(folder), "--port", str(port)]


def server_command(folder: Path | str, port: int = 0) -> list[str]:
    """How to start a machine; it prints "ready URL" and ends on SIGTERM."""
    return [*_MODULE, "server", "--dir", str(folder), "--port", str(port)]


def vendor_folder_of(process: Path) -> Path:
    """The folder of the activation service that a machine was made with."""
    return Path(json.loads((process / PLACES_NAME).read_text(encoding="utf-8"))["vendor"])


def process_folder(folder: Path | str) -> Path:
    """The folder of the process: a machine's lies below its own."""
    below = Path(folder) / PROCESS_NAME
    return below if below.is_dir() else Path(folder)


def address(folder: Path | str) -> str | None:
    """Where a started twin is controlled, or was when it ended; None before its first start."""
    return listening.address(process_folder(folder))


def product_ports(folder: Path | str) -> tuple[int, int]:
    """The ports of a machine on which the product listens."""
    state = json.loads((process_folder(folder) / STATE_NAME).read_text(encoding="utf-8"))
    first, second = state["ports"]
    return first, second


def _give(vendor: Path, made: seed.MachineSeed) -> None:
    """Let the vendor know what is active on a new machine, now and after a reset."""
    for name in (INITIAL_NAME, STATE_NAME):
        state = json.loads((vendor / name).read_text(encoding="utf-8"))
        for number in made.active:
            entry = state["licenses"].get(number)
            if entry is None or entry["machine"] is not None:
                raise SeedError(f"licenses: the vendor cannot give {number} to this machine")
            entry["machine"] = made.state["machine"]
        write_whole(vendor / name, state)


def _create(folder: Path | str, state: State) -> Path:
    path = new_folder(folder, "an AIMMS twin")
    write_new(path, state)
    return path
