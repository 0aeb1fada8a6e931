# SPDX-License-Identifier: GPL-3.0-or-later
"""The seeds: what the vendor knows, and what a machine starts with.

The vendor's:

{"licenses": {"15.90.10.1": {"product": "PROServer", "code": "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE"}}}

A machine's, every member optional:

{"installed": true, "version": "1.4.0", "licman": "bare" or "fuller", "exit_codes": true,
 "licenses": {"15.90.10.1": ["ProLicense"]},     active here, with the names of its profiles
 "license_files": ["15.90.10.1"],                put into the folder Licenses
 "jobs_running": 0, "jobs_queued": 0, "restart_seconds": 0.3}
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any

from seatkeeper_twins.aimms.models import (
    LICMAN_PROFILES,
    License,
    ServerState,
    VendorLicense,
    VendorState,
)
from seatkeeper_twins.parts.seed import SeedError, flag, seconds, table, text

NUMBER = re.compile(r"\d{1,6}(\.\d{1,6}){3}")
CODE = re.compile(r"[A-Z0-9]{5}(-[A-Z0-9]{5}){4}")
VERSION = "1.4.0"
RESTART_SECONDS = 0.3
_COUNT_MAX = 1_000_000


@dataclass(frozen=True)
class MachineSeed:
    """The state of a new machine, the files in its folder Licenses, and what is active on it."""

    state: ServerState
    license_files: list[str]
    active: list[str]


def vendor_state(seed: object) -> VendorState:
    """The state of a new activation service; SeedError says what is wrong with the seed."""
    root = table(seed, "the seed", {"licenses"})
    licenses = table(root.get("licenses", {}), "licenses", None)
    return VendorState(
        clock_offset=0,
        used_requests=[],
        licenses={number: _license(number, entry) for number, entry in licenses.items()},
    )


def _license(number: str, entry: object) -> VendorLicense:
    where = f"licenses[{check_number(number, 'licenses')!r}]"
    found = table(entry, where, {"product", "code"})
    code = text(found.get("code"), f"{where}.code")
    if not CODE.fullmatch(code):
        raise SeedError(f"{where}.code must be five groups of five letters and digits")
    product = text(found.get("product"), f"{where}.product")
    return VendorLicense(product=product, code=code, machine=None, emergency=None)


def machine_seed(seed: object, ports: tuple[int, int]) -> MachineSeed:
    """The state of a new machine; SeedError says what is wrong with the seed."""
    known = {
        "installed", "version", "licman", "exit_codes", "licenses", "license_files",
        "jobs_running", "jobs_queued", "restart_seconds",
    }  # fmt: skip
    root = table(seed, "the seed", known)
    profiles = _profiles(root.get("licenses", {}))
    active = sorted(set(profiles.values()) | set(root.get("licenses", {})))
    installed = flag(root.get("installed", True), "installed")
    if active and not installed:
        raise SeedError("licenses cannot be active where the server is not installed")
    state = ServerState(
        clock_offset=0, machine=secrets.token_hex(8), installed=installed,
        version=text(root.get("version", VERSION), "version"),
        licman=licman_profile(root.get("licman", "bare"), "licman"),
        exit_codes=flag(root.get("exit_codes", True), "exit_codes"),
        maintenance=False, profiles=profiles, ports=list(ports),
        licenses={n: License(state="active", until=None, request=None, in_files=False)
                  for n in active},
        jobs_running=count(root.get("jobs_running", 0), "jobs_running"),
        jobs_queued=count(root.get("jobs_queued", 0), "jobs_queued"),
        jobs_killed=0, restarts=0, closed_until=0,
        restart_seconds=seconds(root.get("restart_seconds", RESTART_SECONDS), "restart_seconds"),
    )  # fmt: skip
    files = root.get("license_files", active)
    if not isinstance(files, list):
        raise SeedError("license_files must be a list")
    return MachineSeed(state, [check_number(each, "license_files") for each in files], active)


def _profiles(entry: object) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, names in table(entry, "licenses", None).items():
        where = f"licenses[{check_number(number, 'licenses')!r}]"
        if not isinstance(names, list):
            raise SeedError(f"{where} must be a list of profile names")
        for name in names:
            if text(name, where) in found:
                raise SeedError(f"{where}: {name!r} is the profile of another license already")
            found[name] = number
    return found


def check_number(value: Any, where: str) -> str:
    """A license number; SeedError otherwise."""
    if not isinstance(value, str) or not NUMBER.fullmatch(value):
        raise SeedError(f"{where} must hold numbers like 15.90.10.1")
    return value


def licman_profile(value: Any, where: str) -> Any:
    """One of the profiles of licman; SeedError otherwise."""
    if value not in LICMAN_PROFILES:
        raise SeedError(f"{where} must be one of {', '.join(LICMAN_PROFILES)}")
    return value


def count(value: Any, where: str) -> int:
    """A count of jobs; SeedError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _COUNT_MAX:
        raise SeedError(f"{where} must be a number from 0 to {_COUNT_MAX}")
    return value
