# SPDX-License-Identifier: GPL-3.0-or-later
"""What operations need of a license server that moves to another machine."""

from __future__ import annotations

from typing import Literal, Protocol

from seatkeeper_agent.domain.planned_steps import Instructions
from seatkeeper_agent.domain.server_moves import MovableServer
from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.operations.ports import CommandReport, Description, Grade

Action = Literal[
    "activate", "add_profile", "deactivate", "maintenance", "install",
    "observe_licenses", "observe_profiles",
]  # fmt: skip


class ServerMoveDriver(Protocol):
    """A license server on this host, or one that only people can administer.

    Effects raise DriverUnsupported, DriverUnavailable or DriverRefused before anything was run,
    and DriverUnfinished when a program did not end in time. They return once the program has
    ended, however it ended: whether the effect happened is seen by ``observe`` alone. Every
    program is bounded by ``call_seconds_max``, an installation by ``install_seconds_max``.
    """

    vendor: str
    call_seconds_max: float
    install_seconds_max: float

    def describe(self) -> Description:
        """Version and capabilities with their reasons; never raises."""

    def observe(self) -> MovableServer:
        """The one source of truth after every change; what cannot be seen is None or unknown."""

    def can(self, action: Action) -> Grade:
        """DOCUMENTED when the agent does it, ASSISTED when a person does; never raises.

        ``observe_licenses`` is DOCUMENTED when ``observe`` tells which licenses are active, and
        ``observe_profiles`` when it tells their profiles; where ASSISTED, what becomes of them is
        a person's word. Maintenance mode can be observed where the agent switches it.
        """

    def settings(self) -> dict[str, str]:
        """What is set of this server, for its backup; no secrets."""

    def instructions(self) -> MoveInstructions:
        """What people are told, attestable where the agent cannot see it."""

    def activate(self, number: str, code: Secret) -> CommandReport:
        """EFFECT: activate a license as machine nodelock and add it to the server."""

    def add_profile(self, name: str, number: str) -> CommandReport:
        """EFFECT: link a profile to a license."""

    def deactivate(self, number: str) -> CommandReport:
        """EFFECT: give a license's activation back to the vendor."""

    def set_maintenance(self, enabled: bool) -> CommandReport:
        """EFFECT: switch maintenance mode; leaving it restarts the server and ends all jobs."""

    def install(self) -> CommandReport:
        """EFFECT: install the product."""


class MoveInstructions(Protocol):
    """What people and the vendor's support are told, in the vendor's own words."""

    def restart_warning(self) -> str:
        """What leaving maintenance mode does to those who work."""

    def back_up(self) -> Instructions:
        """Note which license is linked to which profile, and the activation codes."""

    def set_maintenance(self, enabled: bool) -> Instructions:
        """Switch maintenance mode."""

    def deactivate(self, number: str) -> Instructions:
        """Deactivate one license."""

    def release(self, numbers: tuple[str, ...]) -> Instructions:
        """The vendor's support deactivates licenses of a machine that is lost."""

    def install(self) -> Instructions:
        """Install the product and put the license files in place."""

    def activate(self, number: str) -> Instructions:
        """Activate one license as machine nodelock."""

    def activate_offline(self, number: str) -> Instructions:
        """Activate one license by request and response files."""

    def cancel_pending(self, number: str) -> Instructions:
        """Give up an offline activation."""

    def add_profile(self, name: str, number: str) -> Instructions:
        """Give a license its profile's name."""

    def verify(self, numbers: tuple[str, ...]) -> Instructions:
        """Look at the states of licenses that the agent cannot see."""

    def repoint(self, host: str) -> Instructions:
        """Point the applications at the new server."""

    def find(self, number: str, host: str) -> Instructions:
        """Find out on a host whether a license is active there."""

    def emergency(self, number: str) -> Instructions:
        """Have a license that is active nowhere activated for the time being."""
