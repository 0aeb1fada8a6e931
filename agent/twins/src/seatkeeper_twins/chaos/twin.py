# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the folders of a cloud and of a license server, and say how to start each."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

from seatkeeper_twins.chaos import seed as seeds
from seatkeeper_twins.parts.store import State, new_folder, write_new, write_whole

VRLCTL_NAME = "vrlctl"
WIBUKEY_VERSION_NAME = "wibukey-version"
PLACES_NAME = "places.json"
DEMO_SEED_PATH = Path(__file__).with_name("demo_cloud.json")
_MODULE = [sys.executable, "-P", "-m", "seatkeeper_twins.chaos"]


def demo_seed() -> Any:
    """The seed of a cloud with two companies, three users and five dongles."""
    return json.loads(DEMO_SEED_PATH.read_text(encoding="utf-8"))


def create_cloud(folder: Path | str, seed: object) -> Path:
    """Make the vendor's cloud; gives back its folder.

    SeedError: the seed is unusable. FileExistsError: the folder holds a twin.
    """
    return _create(folder, seeds.cloud_state(seed))


def create_server(
    folder: Path | str, profile: str, seed: object, cloud_address: str, usb_folder: Path | str
) -> Path:
    """Make a license server with its vrlctl and wibukey-version; gives back its folder.

    It asks the cloud at that URL and looks for dongles in that recorded bus (see usb_folder).
    SeedError, FileExistsError: as create_cloud.
    """
    state = seeds.server_state(seed, profile)
    path = Path(folder).resolve()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(
        path / PLACES_NAME, {"cloud": cloud_address, "usb": str(Path(usb_folder).resolve())}
    )
    for name in (VRLCTL_NAME, WIBUKEY_VERSION_NAME):
        _write_command(path / name, Path(__file__).with_name(f"{name.replace('-', '_')}.py"))
    return _create(path, state)


def cloud_command(folder: Path | str, port: int = 0) -> list[str]:
    """How to start a cloud; it prints "ready URL" and ends on SIGTERM."""
    return [*_MODULE, "cloud", "--dir", str(folder), "--port", str(port)]


def server_command(folder: Path | str, port: int = 0) -> list[str]:
    """How to start a license server; it prints "ready URL" and ends on SIGTERM."""
    return [*_MODULE, "server", "--dir", str(folder), "--port", str(port)]


def places(folder: Path) -> tuple[str, Path]:
    """The cloud's URL and the USB folder that a server was made with."""
    reported = json.loads((folder / PLACES_NAME).read_text(encoding="utf-8"))
    return reported["cloud"], Path(reported["usb"])


def _create(folder: Path | str, state: State) -> Path:
    path = new_folder(folder, "a Chaos twin")
    write_new(path, state)
    return path


def _write_command(path: Path, program: Path) -> None:
    path.write_text(
        f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {shlex.quote(str(program))}"
        ' "$(dirname -- "$0")" "$@"\n',
        encoding="utf-8",
    )
    path.chmod(0o755)
