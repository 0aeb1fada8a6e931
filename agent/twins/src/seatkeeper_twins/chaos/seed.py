# SPDX-License-Identifier: GPL-3.0-or-later
"""The seeds: what the cloud knows, and what a server starts with.

The cloud's:

{"companies": {"Studio A": {
    "users": {"admin@studio-a.example": "their password"},
    "licenses": [LICENSE],                       what the company's account holds
    "dongles": {"90000001": {                    by serial number
        "licenses": [LICENSE], "vendor_refuses": false}}}},
 "migration_seconds": 2, "arrival_seconds": 1,   how long a migration takes, and its licenses then
 "workstation_seconds": 1,                       until a new workstation appears on its page
 "interrupt_on_unplug": false}
LICENSE = {"product": "V-Ray", "version": "6.1", "expires": null or "2027-01-31",
           "seats": {"interface": 1, "render": 5, "network": 2}}

A server's, every member optional:

{"activated_as": null or a user's name,          as if this user had enabled online licensing
 "dongle_service": false, "dongle_local": true, "wibukey_version": "6.40",
 "visible_seconds": 1, "start_seconds": 0,       until a dongle is seen, until the port is open
 "config": {"proxy": {"host": ""}}}              laid over the default tree
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import date
from typing import Any

from seatkeeper_twins.chaos.models import (
    SEAT_KEYS,
    CloudDongle,
    CloudState,
    Held,
    Seats,
    ServerState,
    User,
)
from seatkeeper_twins.parts.seed import SeedError, flag, seconds, table, text

PROFILES = {"4.0": "4.0.3", "4.5": "4.5.0", "5.5": "5.5.5", "6": "6.0.1"}
"""A profile's full version; 5.5.5 and 6.0.1 were seen (grade T), the others are the twin's."""

CONFIG: dict[str, dict[str, str]] = {
    "proxy": {"host": ""},
    "diagnostics": {"level": "info"},
    "local": {"vrlPort": "30305", "vrolPort": "30306"},
    "_twin": {"more": "a product's tree has keys that no driver knows"},
}


def cloud_state(seed: object) -> CloudState:
    """The state of a new cloud; SeedError says what is wrong with the seed."""
    known = {"migration_seconds", "arrival_seconds", "workstation_seconds", "interrupt_on_unplug"}
    root = table(seed, "the seed", {"companies", *known})
    state = CloudState(
        clock_offset=0, users={}, licenses={}, dongles={}, workstations=[], migrations=[],
        borrows=[],
        migration_seconds=seconds(root.get("migration_seconds", 2), "migration_seconds"),
        arrival_seconds=seconds(root.get("arrival_seconds", 1), "arrival_seconds"),
        workstation_seconds=seconds(root.get("workstation_seconds", 1), "workstation_seconds"),
        interrupt_on_unplug=flag(root.get("interrupt_on_unplug", False), "interrupt_on_unplug"),
    )  # fmt: skip
    for name, entry in table(root.get("companies", {}), "companies", None).items():
        _add_company(state, name, entry)
    return state


def _add_company(state: CloudState, name: str, entry: object) -> None:
    where = f"companies[{name!r}]"
    company = table(entry, where, {"users", "licenses", "dongles"})
    state["licenses"][name] = licenses(company.get("licenses", []), f"{where}.licenses")
    for user, password in table(company.get("users", {}), f"{where}.users", None).items():
        if user in state["users"]:
            raise SeedError(f"{where}.users: {user!r} is a user of another company already")
        state["users"][user] = make_user(name, text(password, f"{where}.users[{user!r}]"))
    for serial, held in table(company.get("dongles", {}), f"{where}.dongles", None).items():
        if serial in state["dongles"]:
            raise SeedError(f"{where}.dongles: {serial!r} belongs to another company already")
        state["dongles"][serial] = _dongle(name, held, f"{where}.dongles[{serial!r}]")


def _dongle(company: str, entry: object, where: str) -> CloudDongle:
    found = table(entry, where, {"licenses", "vendor_refuses"})
    return CloudDongle(
        company=company,
        licenses=licenses(found.get("licenses", []), f"{where}.licenses"),
        vendor_refuses=flag(found.get("vendor_refuses", False), f"{where}.vendor_refuses"),
        dead=False,
    )


def server_state(seed: object, profile: str) -> ServerState:
    """The state of a new server; SeedError says what is wrong with seed or profile."""
    if profile not in PROFILES:
        raise SeedError(f"the profile must be one of {', '.join(PROFILES)}")
    known = {
        "activated_as", "dongle_service", "dongle_local", "wibukey_version", "visible_seconds",
        "start_seconds", "config",
    }  # fmt: skip
    root = table(seed, "the seed", known)
    user = root.get("activated_as")
    enabled = flag(root.get("dongle_service", False), "dongle_service")
    return ServerState(
        clock_offset=0, machine=secrets.token_hex(8), version=PROFILES[profile],
        wibukey_version=text(root.get("wibukey_version", "6.40"), "wibukey_version"),
        dongle_local=flag(root.get("dongle_local", True), "dongle_local"),
        activation_method=None if user is None else "online",
        user=None if user is None else text(user, "activated_as"), logged_in=user is not None,
        licenses=[], borrows=[], request_nonce=None, dongle_enabled_at=0 if enabled else None,
        transfer=None, closed_transfer=None, dead_dongles=[], sessions=[],
        config=_config(root.get("config", {})),
        visible_seconds=seconds(root.get("visible_seconds", 1), "visible_seconds"),
        start_seconds=seconds(root.get("start_seconds", 0), "start_seconds"),
    )  # fmt: skip


def _config(entry: object) -> dict[str, Any]:
    given = table(entry, "config", None)
    tree = {section: {**CONFIG.get(section, {}), **given.get(section, {})} for section in CONFIG}
    tree |= {section: values for section, values in given.items() if section not in CONFIG}
    check_config(tree)
    return tree


def check_config(tree: object) -> None:
    """Sections of texts (grade T: values are strings) with unequal ports; SeedError otherwise."""
    for section, values in table(tree, "config", None).items():
        for key, value in table(values, f"config.{section}", None).items():
            if not isinstance(value, str):
                raise SeedError(f"config.{section}.{key} must be a text")
    ports = tree.get("local", {}) if isinstance(tree, dict) else {}
    if ports.get("vrlPort") is not None and ports.get("vrlPort") == ports.get("vrolPort"):
        raise SeedError("config.local.vrlPort and config.local.vrolPort must differ")


def make_user(company: str, password: str) -> User:
    """A user whose password cannot be read back."""
    return User(company=company, password=_salted(secrets.token_hex(8), password))


def is_password(user: User, password: str) -> bool:
    """Whether this is the user's password."""
    salt = user["password"].partition("$")[0]
    return hmac.compare_digest(user["password"], _salted(salt, password))


def _salted(salt: str, password: str) -> str:
    digest = hashlib.scrypt(password.encode(), salt=salt.encode(), n=1024, r=8, p=1)
    return f"{salt}${digest.hex()}"


def licenses(entry: object, where: str) -> list[Held]:
    """Licenses of an account or a dongle."""
    if not isinstance(entry, list):
        raise SeedError(f"{where} must be a list")
    return [_license(held, f"{where}[{number}]") for number, held in enumerate(entry)]


def _license(entry: object, where: str) -> Held:
    found = table(entry, where, {"product", "version", "seats", "expires"})
    return Held(
        product=text(found.get("product"), f"{where}.product"),
        version=text(found.get("version"), f"{where}.version"),
        seats=_seats(found.get("seats"), f"{where}.seats"),
        expires=_day(found.get("expires"), f"{where}.expires"),
    )


def _seats(entry: object, where: str) -> Seats:
    found = table(entry, where, {*SEAT_KEYS, *SEAT_KEYS.values()})
    for kind, count in found.items():
        if isinstance(count, bool) or not isinstance(count, int) or not 0 < count < 1_000_000:
            raise SeedError(f"{where}.{kind} must be a number from 1 to 999999")
    return {SEAT_KEYS.get(kind, kind): count for kind, count in found.items()}


def _day(value: object, where: str) -> str | None:
    try:
        return None if value is None else date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise SeedError(f"{where} must be null or a day like 2027-01-31") from error
