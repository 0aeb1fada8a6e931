# SPDX-License-Identifier: GPL-3.0-or-later
"""What the two kinds of process keep; times are seconds since 1970 by their own clock."""

from __future__ import annotations

from typing import Literal, TypedDict

from seatkeeper_twins.parts.store import State

EMERGENCY_SECONDS = 7 * 86_400
"""How long an emergency activation works (grade D)."""

LicmanProfile = Literal["bare", "fuller"]
LICMAN_PROFILES: tuple[LicmanProfile, ...] = ("bare", "fuller")


class Emergency(TypedDict):
    """The vendor lets a machine have a license for a few days, whoever else has it."""

    machine: str
    until: float


class VendorLicense(TypedDict):
    """One license as the vendor knows it; at most one machine has it."""

    product: str
    code: str
    machine: str | None
    emergency: Emergency | None


class VendorState(State):
    """state.json of the vendor's activation service."""

    licenses: dict[str, VendorLicense]
    used_requests: list[str]


class License(TypedDict):
    """One license as its server shows it; ``until`` only of an emergency activation.

    ``request`` is that of an offline activation that waits for its response. ``in_files`` is
    whether its files were written, so that their disappearance means something.
    """

    state: Literal["active", "pending"]
    until: float | None
    request: str | None
    in_files: bool


class ServerState(State):
    """state.json of a machine with a license server."""

    machine: str
    version: str
    licman: LicmanProfile
    exit_codes: bool
    installed: bool
    maintenance: bool
    licenses: dict[str, License]
    profiles: dict[str, str]
    ports: list[int]
    jobs_running: int
    jobs_queued: int
    jobs_killed: int
    restarts: int
    restart_seconds: float
    closed_until: float
