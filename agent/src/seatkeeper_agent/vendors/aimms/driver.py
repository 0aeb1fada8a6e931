# SPDX-License-Identifier: GPL-3.0-or-later
"""One AIMMS Network License Server: what is seen of it, and what licman does to it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from seatkeeper_agent.domain.server_moves import MovableServer
from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.operations.ports import (
    CommandReport,
    Description,
    DriverError,
    DriverRefused,
    DriverUnavailable,
    DriverUnsupported,
    Grade,
)
from seatkeeper_agent.operations.server_moves.ports import Action
from seatkeeper_agent.vendors.aimms import folders, observation
from seatkeeper_agent.vendors.aimms.capabilities import capabilities, capability
from seatkeeper_agent.vendors.aimms.commands import LIKE_A_CODE, Licman
from seatkeeper_agent.vendors.aimms.instructions import AimmsInstructions
from seatkeeper_agent.vendors.aimms.observation import Shown
from seatkeeper_agent.vendors.aimms.settings import LICMAN, AimmsSettings
from seatkeeper_agent.vendors.processes import Outcome, Unended, run
from seatkeeper_agent.vendors.program_output import reported, stopped

_VERSION = re.compile(r"(?<![\w.])\d{1,4}(?:\.\d{1,5}){1,3}(?![\w.]*\d)")
_LOOPBACK = "127.0.0.1"
_OBSERVED: tuple[Action, ...] = ("observe_licenses", "observe_profiles", "maintenance")
_Seen = TypeVar("_Seen")


class AimmsDriver:
    """ServerMoveDriver for a server on this Linux host, or for a Windows host by its ports.

    The two documented commands are all of licman that is run by itself; README.md beside this
    file lists the facts and what is not known.
    """

    vendor = "aimms"

    def __init__(self, settings: AimmsSettings) -> None:
        self.call_seconds_max = settings.call_seconds_max
        self.install_seconds_max = settings.install_seconds_max
        self._settings = settings
        self._folder = Path(settings.folder)
        self._licman = Licman(settings)

    def describe(self) -> Description:
        """Version and capabilities; never raises."""
        serving = self._seen(lambda: self._serving(self._ports_busy()), None, [])
        return Description(
            vendor=self.vendor,
            product="AIMMS Network License Server",
            version=self._seen(self._version, None, []),
            running=serving is True,
            security_floor=None,
            security_floor_met=None,
            transfer_types=(),
            capabilities=capabilities(self._settings, self._licman, serving),
        )

    def can(self, action: Action) -> Grade:
        """Who performs it."""
        return capability(action, self._settings, self._licman).grade

    def settings(self) -> dict[str, str]:
        """Where the server is."""
        host = self._settings.windows_host
        ports = ", ".join(str(port) for port in self._settings.ports)
        system = "linux" if host is None else "windows"
        return {"system": system, "folder": self._settings.folder, "ports": ports}

    def instructions(self) -> AimmsInstructions:
        """What people are told; what can be seen now is not to be attested."""
        sees = {action: self.can(action) is Grade.DOCUMENTED for action in _OBSERVED}
        return AimmsInstructions(
            self._settings,
            licenses_seen=sees["observe_licenses"],
            profiles_seen=sees["observe_profiles"],
            maintenance_seen=sees["maintenance"],
        )

    def observe(self) -> MovableServer:
        """What ports, folders and the operator's commands show.

        A reading that fails is unknown, with a note. DriverUnavailable where the product's folder
        cannot be looked at, DriverRefused for folders with too many files.
        """
        busy = self._ports_busy()
        if self._settings.windows_host is not None:
            return self._observed_from_afar(busy)
        notes: list[str] = []
        installed = self._licman.is_installed()
        left = not installed and folders.holds_more_than_license_files(self._folder)
        shown = self._licenses(notes) if installed else Shown(complete=not left)
        if left:
            notes.append(f"licman is not in {self._folder}, and other files of the product are.")
        installer = self._settings.installer
        return MovableServer(
            installed=installed,
            serving=self._serving(busy),
            version=self._seen(self._version, None, notes) if installed else None,
            maintenance=self._seen(self._maintenance, None, notes) if installed else None,
            licenses=shown.licenses,
            reports_licenses=shown.complete,
            license_files=folders.license_files(self._folder),
            installer=None
            if installer is None
            else folders.described(Path(installer), folders.INSTALLER_BYTES_MAX),
            free_bytes=folders.free_bytes(self._folder),
            ports_busy=busy,
            update_locks=folders.update_locks(self._folder),
            notes=tuple(notes),
        )

    def activate(self, number: str, code: Secret) -> CommandReport:
        """EFFECT: the documented command, with the code in its arguments."""
        self._require_changeable()
        return self._licman.activate(number, code)

    def add_profile(self, name: str, number: str) -> CommandReport:
        """EFFECT: the documented command."""
        self._require_changeable()
        return self._licman.add_profile(name, number)

    def deactivate(self, number: str) -> CommandReport:
        """EFFECT: the operator's command."""
        self._require_changeable()
        return _reported(lambda: self._licman.mapped("deactivate_command", number))

    def set_maintenance(self, enabled: bool) -> CommandReport:
        """EFFECT: the operator's command. Switching off restarts the server and ends all jobs."""
        self._require_changeable()
        setting = "maintenance_on_command" if enabled else "maintenance_off_command"
        return _reported(lambda: self._licman.mapped(setting))

    def install(self) -> CommandReport:
        """EFFECT: the operator's command, refused while the ports are taken (grade D)."""
        command = self._settings.install_command
        if self._settings.windows_host is not None or not command:
            raise DriverUnsupported(
                "No document names a command that installs the server: set aimms.install_command,"
                " or have a person install it."
            )
        busy = self._ports_busy()
        if busy and not self._licman.is_installed():
            ports = " and ".join(str(port) for port in busy)
            raise DriverRefused(
                f"Something listens on {ports}, which the license server needs: end it first."
            )
        return _reported(lambda: run(command, os.environ, self.install_seconds_max))

    def _ports_busy(self) -> tuple[int, ...] | None:
        host = self._settings.windows_host or _LOOPBACK
        return observation.listening(host, self._settings.ports)

    def _serving(self, busy: tuple[int, ...] | None) -> bool | None:
        # That what listens is the license server is inferred from where it is installed.
        if self._settings.windows_host is None and not self._licman.is_installed():
            return False
        if busy is None or len(busy) == 1:
            return None
        return bool(busy)

    def _observed_from_afar(self, busy: tuple[int, ...] | None) -> MovableServer:
        return MovableServer(
            installed=None, serving=self._serving(busy), version=None, maintenance=None,
            licenses=(), reports_licenses=False, license_files=None, installer=None,
            free_bytes=None, ports_busy=busy, update_locks=None,
            notes=("Of a server on Windows only its ports are looked at.",),
        )  # fmt: skip

    def _licenses(self, notes: list[str]) -> Shown:
        locked, listed = Shown(), Shown()
        if self._settings.nodelock_file is not None:
            found = folders.nodelocked(self._folder, self._settings.nodelock_file)
            locked = observation.by_nodelocks(found)
            if found is None:
                notes.append("The folder Nodelocks cannot be read.")
        if self._settings.list_command:
            listed = self._seen(self._listed, Shown(), notes)
            if not listed.complete:
                notes.append("What aimms.list_command printed is not understood line by line.")
        return observation.combined(listed, locked)

    def _listed(self) -> Shown:
        outcome = self._licman.mapped("list_command")
        shown = observation.parse_list(outcome.output, self._settings)
        return shown if outcome.exit_code == 0 else Shown(shown.licenses)

    def _version(self) -> str | None:
        command = self._settings.version_command
        if self._settings.windows_host is not None or not command:
            return None
        outcome = (
            self._licman.mapped("version_command")
            if command[0] == LICMAN
            else run(command, os.environ, self.call_seconds_max)
        )
        found = _VERSION.search(outcome.output) if outcome.exit_code == 0 else None
        return None if found is None else found.group()

    def _maintenance(self) -> bool | None:
        if self._settings.maintenance_on_text is None:
            return None
        outcome: Outcome = self._licman.mapped("maintenance_state_command")
        if outcome.exit_code != 0 or not outcome.output.strip():
            return None
        return self._settings.maintenance_on_text in outcome.output

    def _seen(self, look: Callable[[], _Seen], otherwise: _Seen, notes: list[str]) -> _Seen:
        try:
            return look()
        except DriverError as error:
            notes.append(str(error))
            return otherwise

    def _require_changeable(self) -> None:
        if self._settings.windows_host is not None:
            raise DriverUnsupported(
                "On Windows the vendor documents the License Manager window only: a person does it"
                " there."
            )
        locks = folders.update_locks(self._folder)
        if locks is None:
            raise DriverUnavailable(
                f"{self._folder / folders.NODELOCKS} cannot be read, so whether a read-only lock"
                " blocks updates is not known."
            )
        if locks:
            raise DriverRefused(
                f"The read-only file {locks[0]} in {self._folder / folders.NODELOCKS} blocks"
                " updates: find out who locked it, then make it writable or remove it."
            )


def _reported(command: Callable[[], Outcome]) -> CommandReport:
    """Nothing of it is known to be secret; what looks like a code is none the less hidden."""
    try:
        return reported(command(), like_secrets=LIKE_A_CODE)
    except Unended as ended:
        ended.said = stopped(ended.output, like_secrets=LIKE_A_CODE)
        raise
