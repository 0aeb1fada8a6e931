# SPDX-License-Identifier: GPL-3.0-or-later
"""What the two processes keep in their state.json; times are seconds since 1970 by their clock."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from seatkeeper_twins.parts.store import State

Seats = dict[str, int]
"""Seats by the product's own keys: "1" interface, "2" render, "4" network (grade T)."""

Method = Literal["online", "offline"]
SEAT_KEYS = {"interface": "1", "render": "2", "network": "4"}
BORROW_SECONDS = 14 * 86_400
"""At most two weeks (grade T); the page offers no shorter time."""


class Held(TypedDict):
    """One license of an account or a dongle; perpetual when it never expires."""

    product: str
    version: str
    seats: Seats
    expires: str | None


class Product(TypedDict):
    """Seats of one product that an account has free."""

    product: str
    seats: Seats


class User(TypedDict):
    """Somebody who can log in; the password is salted and hashed."""

    company: str
    password: str


class CloudDongle(TypedDict):
    """What the vendor knows of a dongle."""

    company: str
    licenses: list[Held]
    vendor_refuses: bool
    dead: bool


class Workstation(TypedDict):
    """A server that is activated by files, and its answer file as text."""

    id: str
    name: str
    company: str
    nonce: str
    visible_at: float
    answer: str


class Migration(TypedDict):
    """A dongle's licenses on their way to a company's account."""

    id: str
    machine: str
    serial: str
    company: str
    target: str
    began_at: float
    ended_at: float | None
    state: Literal["running", "done", "interrupted"]
    arrived: bool
    licenses: list[Held]


class Borrow(TypedDict):
    """Seats of one kind taken out of an account for offline use on one machine."""

    id: str
    machine: str
    company: str
    product: str
    key: str
    seats: int
    until: float
    auto_renew: bool


class CloudState(State):
    """state.json of the cloud."""

    users: dict[str, User]
    licenses: dict[str, list[Held]]
    dongles: dict[str, CloudDongle]
    workstations: list[Workstation]
    migrations: list[Migration]
    borrows: list[Borrow]
    migration_seconds: float
    arrival_seconds: float
    workstation_seconds: float
    interrupt_on_unplug: bool


class Transfer(TypedDict):
    """What the server knows of a migration that its page shows until CLOSE."""

    id: str
    serial: str
    target: str
    state: Literal["running", "done", "interrupted"]


class ServerState(State):
    """state.json of a license server."""

    machine: str
    version: str
    wibukey_version: str
    dongle_local: bool
    activation_method: Method | None
    user: str | None
    logged_in: bool
    licenses: list[Product]
    borrows: list[Borrow]
    request_nonce: str | None
    dongle_enabled_at: float | None
    transfer: Transfer | None
    closed_transfer: str | None
    dead_dongles: list[str]
    config: dict[str, Any]
    sessions: list[Product]
    visible_seconds: float
    start_seconds: float
