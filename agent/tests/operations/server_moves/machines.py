# SPDX-License-Identifier: GPL-3.0-or-later
"""A vendor with two machines for tests of moves, in this process: a few values each.

The twin has its own tests and those of the campaign; here every call passes a point at which the
agent's process may end, so that all of them can be visited.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from operations.products import Points
from seatkeeper_agent.domain.server_moves import (
    LicenseState,
    MovableLicense,
    MovableServer,
    ServerFile,
)
from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.operations.ports import (
    Description,
    DriverError,
    DriverRefused,
    DriverUnavailable,
    Grade,
)
from seatkeeper_agent.operations.server_moves.ports import Action, CommandReport
from seatkeeper_agent.vendors.aimms.instructions import AimmsInstructions
from seatkeeper_agent.vendors.aimms.settings import AimmsSettings

CODES = {f"15.90.10.{n}": f"CODE{n}-AAAAA-BBBBB-CCCCC-DDDDD" for n in (1, 2, 3)}
PROFILES = {"15.90.10.1": ("ProLicense",), "15.90.10.2": ("Client",), "15.90.10.3": ("Server",)}
NUMBERS = tuple(CODES)
_FILE = ServerFile("licenses.lic", 100, "a" * 64)
_DOCUMENTED: frozenset[Action] = frozenset({"activate", "add_profile"})
_FULLER: frozenset[Action] = _DOCUMENTED | {
    "deactivate", "maintenance", "install", "observe_licenses", "observe_profiles",
}  # fmt: skip


class DoubledError(Exception):
    """A license became active on two machines."""


@dataclass
class Vendor:
    """Knows who has each license, and which machines ever had one."""

    holders: dict[str, str | None] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)

    def activate(self, machine: str, number: str, code: str) -> str:
        """What the service answers."""
        if CODES[number] != code:
            return "The activation code is wrong"
        if self.holders[number] not in (None, machine):
            self.events.append(f"tried {number} twice")
            return "The license is active on another machine"
        self.holders[number] = machine
        self.events.append(f"activate {number} {machine}")
        return "OK"

    def deactivate(self, machine: str, number: str) -> str:
        """What the service answers."""
        if self.holders[number] != machine:
            return "The license is not active on this machine"
        self.holders[number] = None
        self.events.append(f"deactivate {number} {machine}")
        return "OK"


@dataclass
class Machine:
    """A ServerMoveDriver for one machine.

    ``bare``: nothing can be seen, and only the two documented commands are the agent's.
    ``errors`` are raised by the call of that name, each once, before it has an effect; ``lost``
    after it. ``refuse`` are effects that the product refuses, whatever its exit code.
    """

    name: str
    vendor_side: Vendor
    point: Points
    bare: bool = False
    installed: bool = True
    serving: bool = True
    maintenance: bool = False
    jobs_killed: int = 0
    profiles: dict[str, str] = field(default_factory=dict)
    files: tuple[ServerFile, ...] = (_FILE,)
    ports_busy: tuple[int, ...] = ()
    free_bytes: int = 10_000
    version: str | None = "1.4.0"
    hidden: bool = False
    errors: dict[str, list[DriverError]] = field(default_factory=dict)
    lost: dict[str, list[DriverError]] = field(default_factory=dict)
    refuse: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)

    vendor = "aimms"
    call_seconds_max = 0.05
    install_seconds_max = 1.0

    def describe(self) -> Description:
        """Not asked here."""
        raise NotImplementedError

    def can(self, action: Action) -> Grade:
        """By its profile."""
        known = _DOCUMENTED if self.bare else _FULLER
        return Grade.DOCUMENTED if action in known else Grade.ASSISTED

    def settings(self) -> dict[str, str]:
        """A few."""
        return {"system": "linux"}

    def instructions(self) -> AimmsInstructions:
        """The vendor's own, so that their attestable parts are those of the product."""
        seen = not self.bare
        return AimmsInstructions(
            AimmsSettings(), licenses_seen=seen, profiles_seen=seen, maintenance_seen=seen
        )

    def observe(self) -> MovableServer:
        """What there is."""
        blind = self.bare or self.hidden
        held = [n for n, machine in self.vendor_side.holders.items() if machine == self.name]
        shown = [
            MovableLicense(
                number,
                tuple(sorted(p for p, n in self.profiles.items() if n == number)),
                LicenseState.ACTIVE,
            )
            for number in held
        ]
        return MovableServer(
            installed=self.installed,
            serving=self.installed and self.serving,
            version=self.version if self.installed else None,
            maintenance=None if blind else self.maintenance,
            licenses=() if blind else tuple(shown),
            reports_licenses=not self.installed or not blind,
            license_files=self.files,
            installer=_FILE,
            free_bytes=self.free_bytes,
            ports_busy=self.ports_busy,
            update_locks=(),
        )

    def activate(self, number: str, code: Secret) -> CommandReport:
        """EFFECT."""

        def effect() -> str:
            reported = self.vendor_side.activate(self.name, number, code.reveal())
            if reported == "OK" and number not in self.profiles.values():
                self.profiles[f"twin-{number}"] = number
            return reported

        return self._effect("activate", number, effect)

    def add_profile(self, name: str, number: str) -> CommandReport:
        """EFFECT."""

        def effect() -> str:
            if self.vendor_side.holders[number] != self.name:
                return "There is no such license here"
            self.profiles[name] = number
            return "OK"

        return self._effect("add_profile", f"{name} {number}", effect)

    def deactivate(self, number: str) -> CommandReport:
        """EFFECT."""

        def effect() -> str:
            if not self.maintenance:
                return "Maintenance mode is off"
            reported = self.vendor_side.deactivate(self.name, number)
            if reported == "OK":
                self.profiles = {p: n for p, n in self.profiles.items() if n != number}
            return reported

        return self._effect("deactivate", number, effect)

    def set_maintenance(self, enabled: bool) -> CommandReport:
        """EFFECT; leaving it kills whatever runs."""

        def effect() -> str:
            self.jobs_killed += self.maintenance and not enabled
            self.maintenance = enabled
            return "OK"

        return self._effect("set_maintenance", str(enabled), effect)

    def install(self) -> CommandReport:
        """EFFECT."""

        def effect() -> str:
            self.installed = self.serving = True
            return "OK"

        return self._effect("install", "", effect)

    def _effect(self, name: str, about: str, effect: Callable[[], str]) -> CommandReport:
        self.point(f"{self.name}: {name} {about}.before")
        error = self.errors[name].pop(0) if self.errors.get(name) else None
        if isinstance(error, DriverRefused | DriverUnavailable):
            raise error  # nothing was run
        self.calls.append(f"{name} {about}".strip())
        if error is not None:
            raise error
        reported = "It is refused" if name in self.refuse else effect()
        self.point(f"{self.name}: {name} {about}.after")
        if self.lost.get(name):
            raise self.lost[name].pop(0)
        return CommandReport(0 if reported == "OK" else 1, reported)


def refused() -> DriverRefused:
    """Before anything was run."""
    return DriverRefused("a lock blocks updates")
