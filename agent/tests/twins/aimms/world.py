# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's service, an old machine with three licenses, and a new one, as processes."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seatkeeper_twins.aimms import people, twin
from seatkeeper_twins.lab.chaos import free_port
from seatkeeper_twins.lab.process import LabProcess
from seatkeeper_twins.parts import control

SERVER, SESSION, CLIENT = "15.90.10.1", "15.90.10.2", "15.90.10.3"
CODES = {
    number: f"TWIN{number[-1]}-AAAAA-BBBBB-CCCCC-DDDDD" for number in (SERVER, SESSION, CLIENT)
}
PROFILES = {SERVER: ["Server"], SESSION: ["ProLicense"], CLIENT: ["Client"]}
WAIT_SECONDS_MAX = 120
PROGRAM_SECONDS_MAX = 120


class World:
    """Three processes in a folder; the old machine has everything, the new one nothing."""

    def __init__(self, folder: Path, old: Any = None, new: Any = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        twin.create_vendor(folder / "vendor", twin.demo_seed())
        old_seed = {"licenses": PROFILES, "licman": "fuller", **(old or {})}
        new_seed = {"license_files": list(CODES), "licman": "fuller", **(new or {})}
        self.ports = {name: (free_port(), free_port()) for name in ("old", "new")}
        for name, seed in (("old", old_seed), ("new", new_seed)):
            twin.create_server(folder / name, seed, folder / "vendor", self.ports[name])
        self.processes = {
            "vendor": self._process("vendor", twin.vendor_command(folder / "vendor")),
            "old": self._process("old", twin.server_command(folder / "old")),
            "new": self._process("new", twin.server_command(folder / "new")),
        }
        for process in self.processes.values():
            process.start()

    @property
    def vendor(self) -> str:
        """The service's address."""
        return self.address("vendor")

    @property
    def old(self) -> str:
        """The old machine's address."""
        return self.address("old")

    @property
    def new(self) -> str:
        """The new machine's address."""
        return self.address("new")

    def address(self, name: str) -> str:
        """Where a process is controlled."""
        found = twin.address(self.folder / name)
        assert found is not None
        return found

    def licman(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a machine's licman."""
        return subprocess.run(
            [self.folder / name / "Bin" / "licman", *words],
            capture_output=True, text=True, timeout=PROGRAM_SECONDS_MAX, check=False,
        )  # fmt: skip

    def activate(self, name: str, number: str, **others: str) -> subprocess.CompletedProcess[str]:
        """The documented command."""
        return self.licman(
            name, "--nodelock-activate", number, "--type", others.get("kind", "machine"),
            "--activation-code", others.get("code", CODES[number]), "--add-license",
        )  # fmt: skip

    def reported(self, name: str) -> dict[str, Any]:
        """Everything that a process knows."""
        return control.describe(self.address(name))

    def holder(self, number: str) -> str | None:
        """The name of the machine that has a license."""
        machine = people.holders(self.vendor)[number]
        names = {self.reported(name)["machine"]: name for name in ("old", "new")}
        return None if machine is None else names[machine]

    def open_ports(self, name: str) -> list[int]:
        """The product's ports of a machine that take connections."""
        return [port for port in self.ports[name] if _takes(port)]

    def restart(self, name: str) -> None:
        """Start a process again that has died."""
        self.processes[name].wait()
        self.processes[name].start()

    def reset(self) -> None:
        """Everything as it was made."""
        for name, process in self.processes.items():
            if process.pid is None:
                self.restart(name)
        control.reset(self.vendor, self.old, self.new)
        for name in ("old", "new"):
            until(
                lambda name=name: len(self.open_ports(name)) == 2 * self.reported(name)["installed"]
            )

    def stop(self) -> None:
        """End all."""
        for process in reversed(self.processes.values()):
            process.stop()

    def _process(self, name: str, command: list[str]) -> LabProcess:
        folder = self.folder / name
        log = self.folder / f"{name}.log"
        return LabProcess(
            name, command, folder, log, os.environ,
            lambda: control.is_ready(twin.process_folder(folder)),
        )  # fmt: skip


def until(observed: Callable[[], object]) -> None:
    """Wait for something to be so."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not observed():
        assert time.monotonic() < deadline, "it did not come to be so"
        time.sleep(0.02)


def _takes(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True
