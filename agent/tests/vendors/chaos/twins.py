# SPDX-License-Identifier: GPL-3.0-or-later
"""A license server, the vendor's cloud and a bus with dongles, as processes of their own."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seatkeeper_agent.vendors.chaos.driver import ChaosDriver
from seatkeeper_agent.vendors.chaos.settings import ChaosSettings
from seatkeeper_twins.chaos import twin, usb_folder
from seatkeeper_twins.lab.host import browser_settings
from seatkeeper_twins.lab.process import LabProcess
from seatkeeper_twins.parts import control, listening

ADMIN, ARTIST = "admin@studio-a.example", "artist@studio-a.example"
STRANGER = "admin@studio-b.example"
PASSWORDS = {ADMIN: "demo-admin-password", ARTIST: "demo-artist-password"}
CHROMIUM = Path("/usr/bin/chromium")


@dataclass
class ChaosTwins:
    """One cloud and one server in a folder."""

    folder: Path
    profile: str = "6"
    server_seed: dict[str, Any] = field(default_factory=dict)
    processes: list[LabProcess] = field(default_factory=list)
    cloud: str = ""
    server: str = ""

    @property
    def usb(self) -> Path:
        """The recorded bus."""
        return self.folder / "usb"

    def start(self) -> None:
        """Make both and start them."""
        seed = {**twin.demo_seed(), "migration_seconds": 0.5, "arrival_seconds": 0.5}
        twin.create_cloud(self.folder / "cloud", seed)
        self.cloud = self._started("cloud", twin.cloud_command(self.folder / "cloud"))
        self.usb.mkdir()
        twin.create_server(
            self.folder / "server", self.profile, self.server_seed, self.cloud, self.usb
        )
        self.server = self._started("server", twin.server_command(self.folder / "server"))

    def stop(self) -> None:
        """End both."""
        for process in reversed(self.processes):
            process.stop()

    def plug(self, port: str, serial: str) -> None:
        """Plug a WibuKey dongle."""
        usb_folder.plug(self.usb, port, serial=serial)

    def settings(self, **values: Any) -> ChaosSettings:
        """Settings that know addresses and paths only."""
        folder = self.folder / "server"
        usual = {
            "address": self.server,
            "vrlctl": str(folder / "vrlctl"),
            "wibukey_version_command": (str(folder / "wibukey-version"),),
            "call_seconds_max": 60.0,
            "performer": "browser",
            **browser_settings(),
        }
        return ChaosSettings(**{**usual, **values})

    def driver(self, **values: Any) -> ChaosDriver:
        """A driver for the server."""
        return ChaosDriver(self.settings(**values))

    def reported(self) -> dict[str, Any]:
        """Everything that the server knows."""
        return control.describe(self.server)

    def _started(self, name: str, command: list[str]) -> str:
        folder = self.folder / name
        process = LabProcess(
            name,
            command,
            folder,
            self.folder / f"{name}.log",
            os.environ,
            lambda: control.is_ready(folder),
        )
        self.processes.append(process)
        process.start()
        address = listening.address(folder)
        assert address is not None
        return address
