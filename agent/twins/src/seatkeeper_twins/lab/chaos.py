# SPDX-License-Identifier: GPL-3.0-or-later
"""The Chaos twins of a lab: a license server for each host that has one, one cloud for all.

Each listens on a port that was chosen when the lab was made: its clients are told it in their
settings, so it has to be the same after a restart.
"""

from __future__ import annotations

import random
import socket
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Self

from seatkeeper_agent.vendors.chaos.settings import ChaosSettings
from seatkeeper_twins.chaos import usb_folder
from seatkeeper_twins.chaos.twin import (
    VRLCTL_NAME,
    WIBUKEY_VERSION_NAME,
    cloud_command,
    create_cloud,
    create_server,
    demo_seed,
    server_command,
)
from seatkeeper_twins.lab.process import LabError, LabProcess
from seatkeeper_twins.lab.seed import ChaosSeed
from seatkeeper_twins.parts import control
from seatkeeper_twins.parts.listening import PORT_NAME

CLOUD_NAME = "chaos_cloud"
"""No host can have this name."""

SERVER_NAME = "chaos"
_PORTS = range(20_000, 30_000)
_PORT_ATTEMPTS_MAX = 1_000


class ChaosTwin:
    """A cloud or a license server: its folder, where it listens, its process."""

    def __init__(
        self,
        title: str,
        folder: Path,
        port: int,
        environment: Mapping[str, str],
        command: Callable[[Path, int], list[str]],
    ) -> None:
        self.folder = folder
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self.process = LabProcess(
            title,
            command(folder, port),
            folder.parent,
            folder.with_suffix(".log"),
            environment,
            lambda: control.is_ready(folder),
        )

    def describe(self) -> dict[str, Any]:
        """Everything that the twin knows; ConnectionError when it does not run."""
        return control.describe(self.address)

    def _finish(self) -> None:
        (self.folder / PORT_NAME).write_text(f"{self.port}\n", encoding="ascii")


class Cloud(ChaosTwin):
    """The vendor's cloud, which all license servers of a lab ask."""

    def __init__(self, root: Path, port: int, environment: Mapping[str, str]) -> None:
        super().__init__(
            "The cloud of the Chaos twins", root / CLOUD_NAME, port, environment, cloud_command
        )

    @classmethod
    def found(cls, root: Path, environment: Mapping[str, str]) -> Self | None:
        """The one of a lab that was made before; None when it has none."""
        port = _port_in(root / CLOUD_NAME)
        return None if port is None else cls(root, port, environment)

    def create(self, seed: object | None) -> None:
        """Make it, of the demo's seed for None; SeedError as create_cloud."""
        create_cloud(self.folder, demo_seed() if seed is None else seed)
        self._finish()


class ChaosServer(ChaosTwin):
    """One host's Chaos license server, with the host's dongles."""

    def __init__(
        self, name: str, folder: Path, port: int, environment: Mapping[str, str], usb: Path
    ) -> None:
        super().__init__(
            f"The Chaos twin of {name}", folder / SERVER_NAME, port, environment, server_command
        )
        self.usb = usb
        self.vrlctl = self.folder / VRLCTL_NAME
        self.wibukey_version = self.folder / WIBUKEY_VERSION_NAME

    def create(self, seed: ChaosSeed, cloud: str) -> None:
        """Make it as the client of a cloud; SeedError as create_server."""
        create_server(self.folder, seed.profile, seed.server, cloud, self.usb)
        seed.plug(self.usb)
        self._finish()

    def plug(self, port: str, serial: str | None) -> None:
        """Plug a WibuKey into a port of the host; FileExistsError when something is there."""
        usb_folder.plug(self.usb, port, serial=serial)

    def unplug(self, port: str) -> None:
        """Unplug what is in a port; FileNotFoundError when nothing is."""
        usb_folder.unplug(self.usb, port)


def server_port(host_folder: Path) -> int | None:
    """The port of a host's license server that was made before; None when it has none."""
    return _port_in(host_folder / SERVER_NAME)


def browser_is_here() -> bool:
    """Whether this machine has what the browser performer needs: Playwright and a Chromium."""
    from importlib.util import find_spec

    return find_spec("playwright") is not None and Path(ChaosSettings().chromium).is_file()


_GIVEN: Final[deque[int]] = deque(maxlen=100)


def free_port() -> int:
    """A port of loopback on which nothing listens, below those that kernels give to clients.

    A twin that was stopped would else find it taken by somebody's connection when it comes back.
    Nobody listens yet on one that was given before, so the last ones are not given again.
    """
    for _ in range(_PORT_ATTEMPTS_MAX):
        port = random.choice(_PORTS)  # noqa: S311 - nothing secret
        if port in _GIVEN:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _GIVEN.append(port)
        return port
    raise LabError(f"No free port was found from {_PORTS.start} to {_PORTS.stop - 1}.")


def _port_in(folder: Path) -> int | None:
    path = folder / PORT_NAME
    if not path.is_file():
        return None
    try:
        return int(path.read_text(encoding="ascii"))
    except ValueError as error:
        raise LabError(f"{path} does not hold a port: make a new lab.") from error
