# SPDX-License-Identifier: GPL-3.0-or-later
"""The AIMMS twins of a lab: a machine for each host that has one, one activation service for all.

{"aimms": {
    "mapped": true,                          optional; false: the agent's settings name no command
                                             beyond the two that are documented
    "machine": {"installed": false}}}        optional; see aimms/seed.py
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from seatkeeper_twins.aimms import twin
from seatkeeper_twins.aimms.programs import INSTALLER_NAME
from seatkeeper_twins.lab.process import LabError, LabProcess
from seatkeeper_twins.parts import control
from seatkeeper_twins.parts.seed import flag, table
from seatkeeper_twins.parts.store import STATE_NAME

VENDOR_NAME = "aimms_vendor"
"""No host can have this name."""

FOLDER_NAME = "aimms"
MAPPED: dict[str, Any] = {
    "deactivate_command": ["licman", "--twin-deactivate", "{license}"],
    "list_command": ["licman", "--twin-list"],
    "list_line": "{license} | {state} | {profile}",
    "list_states": ["Active=active", "Active for an emergency=active"],
    "list_ignored": ["License | State | Profile"],
    "maintenance_on_command": ["licman", "--twin-maintenance", "on"],
    "maintenance_off_command": ["licman", "--twin-maintenance", "off"],
    "maintenance_state_command": ["licman", "--twin-maintenance-state"],
    "maintenance_on_text": "mode: on",
    "version_command": ["licman", "--twin-version"],
}
"""What somebody maps who has read the help of the twin's fuller licman."""


@dataclass(frozen=True, slots=True)
class AimmsSeed:
    """What a host has; ``machine`` is its twin's own seed."""

    mapped: bool
    machine: dict[str, Any]


def aimms_seed(entry: object) -> AimmsSeed:
    """The section of a host's seed; SeedError."""
    found = table(entry, "aimms", {"mapped", "machine"})
    machine = table(found.get("machine", {}), "aimms.machine", None)
    mapped = flag(found.get("mapped", True), "aimms.mapped")
    return AimmsSeed(mapped, {"licman": "fuller" if mapped else "bare", **machine})


class AimmsTwin:
    """An activation service or a machine: its folder and its process."""

    def __init__(
        self, title: str, folder: Path, command: list[str], environment: Mapping[str, str]
    ) -> None:
        self.folder = folder
        self.process = LabProcess(
            title,
            command,
            folder.parent,
            folder.with_suffix(".log"),
            environment,
            lambda: control.is_ready(twin.process_folder(folder)),
        )

    @property
    def address(self) -> str:
        """Where it is controlled; LabError before its first start."""
        found = twin.address(self.folder)
        if found is None:
            raise LabError(f"{self.folder} has not been started yet.")
        return found


class AimmsVendor(AimmsTwin):
    """The vendor's activation service, which all machines of a lab ask."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        folder = root / VENDOR_NAME
        title = "The activation service of the AIMMS twins"
        super().__init__(title, folder, twin.vendor_command(folder), environment)

    @classmethod
    def found(cls, root: Path, environment: Mapping[str, str]) -> Self | None:
        """The one of a lab that was made before; None when it has none."""
        has_one = (root / VENDOR_NAME / STATE_NAME).is_file()
        return cls(root, environment) if has_one else None

    def create(self) -> None:
        """Make it, with the three licenses of an AIMMS PRO server."""
        twin.create_vendor(self.folder, twin.demo_seed())


class AimmsMachine(AimmsTwin):
    """One host's machine, with or without the product."""

    def __init__(self, name: str, host_folder: Path, environment: Mapping[str, str]) -> None:
        folder = host_folder / FOLDER_NAME
        title = f"The AIMMS twin of {name}"
        super().__init__(title, folder, twin.server_command(folder), environment)

    def create(self, seed: AimmsSeed, vendor: AimmsVendor, ports: tuple[int, int]) -> None:
        """Make it as a client of the service; SeedError as create_server."""
        twin.create_server(self.folder, seed.machine, vendor.folder, ports)

    def settings(self, seed: AimmsSeed) -> dict[str, Any]:
        """The agent's table [aimms]."""
        installer = str(self.folder / INSTALLER_NAME)
        first, second = twin.product_ports(self.folder)
        usual = {"folder": str(self.folder), "first_port": first, "second_port": second}
        if not seed.mapped:
            return usual
        return {**usual, "installer": installer, "install_command": [installer], **MAPPED}


def has_machine(host_folder: Path) -> bool:
    """Whether a host that was made before has one."""
    return (host_folder / FOLDER_NAME / twin.PROCESS_NAME / STATE_NAME).is_file()
