# SPDX-License-Identifier: GPL-3.0-or-later
"""A license server, its page and a host's bus for tests of operations, in this process.

The server is small and the test's own; the twin, the browser and the kernel have their tests
elsewhere. Every call passes a point at which the agent's process may end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from seatkeeper_agent.domain.servers import BorrowedRow, ProductSeats, Secret, ServerStatus
from seatkeeper_agent.operations.ports import (
    Description,
    DriverError,
    DriverRefused,
    DriverUnavailable,
)
from seatkeeper_agent.operations.server_ports import AboutTo, CredentialsRefused
from seatkeeper_agent.usb.isolation import Isolation

from .hosts import Crash

DAY = 86_400


class Points:
    """Counts what the agent passes; from the chosen point on it is dead and does nothing more."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.end_at: int | None = None

    def __call__(self, name: str) -> None:
        """Pass a point."""
        self.passed.append(name)
        if self.end_at is not None and len(self.passed) >= self.end_at:
            raise Crash

    def revive(self) -> None:
        """A new process: everything is passed again."""
        self.passed, self.end_at = [], None


@dataclass
class SmallServer:
    """A LicenseServerDriver and SettingsDriver for a server that is a few values.

    ``errors`` are raised by the call of that name, each once; ``lost`` do their work before.
    """

    point: Points
    plugged: Callable[[], list[str]]
    seats: dict[str, dict[str, int]] = field(default_factory=lambda: {"V-Ray": {"render": 4}})
    version: str | None = "6.0.1"
    wibukey: str | None = "6.40"
    activated: bool | None = True
    dongle_service: bool | None = False
    is_local: bool = True
    is_up: bool = True
    holds: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    offline: dict[str, int] = field(default_factory=dict)
    in_use: dict[str, dict[str, int]] | None = field(default_factory=dict)
    tree: dict[str, dict[str, str]] = field(default_factory=lambda: {"proxy": {"host": ""}})
    accounts: dict[str, str] = field(default_factory=dict)
    request_number: int = 1
    answers: dict[bytes, int] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    errors: dict[str, list[DriverError]] = field(default_factory=dict)
    lost: dict[str, list[DriverError]] = field(default_factory=dict)

    vendor = "chaos"
    call_seconds_max = 1.0
    restarts_to_apply = False

    def describe(self) -> Description:
        """Not asked here."""
        raise NotImplementedError

    def status(self) -> ServerStatus:
        """As GET /status."""
        self._require_up()
        keys = self.plugged() if self.dongle_service else []
        shown = tuple(ProductSeats(name, dict(kinds)) for name, kinds in self.seats.items())
        return ServerStatus(
            version=self.version,
            activated=self.activated,
            licenses=shown if self.activated else (),
            offline_products=tuple(self.offline),
            dongle_service=self.dongle_service,
            dongle_available=bool(keys),
            dongle_keys=tuple(f"key {number}" for number, _ in enumerate(keys)),
        )

    def seats_in_use(self) -> tuple[ProductSeats, ...] | None:
        """As GET /sessions/online."""
        if self.in_use is None:
            return None
        return tuple(ProductSeats(name, dict(kinds)) for name, kinds in self.in_use.items())

    def dongle_driver_version(self) -> str | None:
        """As the operator's command."""
        return self.wibukey

    def serves_this_host(self) -> bool:
        """Where it is."""
        return self.is_local

    def set_dongle_service(self, enabled: bool) -> None:
        """EFFECT."""
        with_name = f"dongle {'on' if enabled else 'off'}"
        self._effect("set_dongle_service", with_name, lambda: setattr(self, *_service(enabled)))

    def activate_online(self, account: str, password: Secret) -> None:
        """EFFECT."""

        def log_in() -> None:
            if self.accounts.get(account) != password.reveal():
                raise CredentialsRefused(f"The vendor knows no account {account} with it.", 5)
            self.activated = True

        self._effect("activate_online", f"login {account}", log_in)

    def deactivate(self) -> None:
        """EFFECT."""
        self._effect("deactivate", "deactivate", lambda: setattr(self, "activated", False))

    def activation_request(self) -> bytes:
        """The same until it was used."""
        self._require_up()
        self.calls.append("request")
        return f"request {self.request_number}".encode()

    def answer_to(self, request: bytes) -> bytes:
        """What the vendor's page gives for a request."""
        answer = b"answer to " + request
        self.answers[answer] = int(request.split()[-1])
        return answer

    def activate_offline(self, answer: bytes) -> None:
        """EFFECT."""

        def take() -> None:
            if self.answers.get(answer) != self.request_number:
                raise DriverRefused("The license server answered POST /crt with 400.", 400)
            self.activated = True
            self.request_number += 1

        self._effect("activate_offline", "upload", take)

    def read_settings(self) -> dict[str, dict[str, str]]:
        """The whole tree."""
        self._require_up()
        return {section: dict(keys) for section, keys in self.tree.items()}

    def check_settings(self, settings: dict[str, dict[str, str]]) -> list[str]:
        """Only sections that are there."""
        unknown = set(settings) - set(self.tree)
        if unknown:
            raise DriverRefused(f"The license server shows no {min(unknown)}.")
        return []

    def write_settings(self, settings: dict[str, dict[str, str]]) -> None:
        """EFFECT."""

        def write() -> None:
            for section, keys in settings.items():
                self.tree[section] |= keys

        self._effect("write_settings", "write", write)

    def is_running(self) -> bool:
        """Whether it answers."""
        return self.is_up

    def stop(self) -> None:
        """Nobody may."""
        raise AssertionError("the server was stopped")

    def start(self) -> None:
        """Nobody may."""
        raise AssertionError("the server was started")

    def migrate(self) -> None:
        """What the vendor does when TRANSFER >> was clicked: all at once."""
        (serial,) = self.plugged()
        self.dongle_service = False
        self.arrive(self.holds.pop(serial, {}))

    def arrive(self, licenses: dict[str, dict[str, int]]) -> None:
        """The account gets more."""
        for product, kinds in licenses.items():
            held = self.seats.setdefault(product, {})
            for kind, number in kinds.items():
                held[kind] = held.get(kind, 0) + number

    def _effect(self, method: str, call: str, effect: Callable[[], Any]) -> None:
        self._require_up()
        self.point(f"{call}.before")
        self.calls.append(call)
        if self.errors.get(method):
            raise self.errors[method].pop(0)
        effect()
        self.point(f"{call}.after")
        if self.lost.get(method):
            raise self.lost[method].pop(0)

    def _require_up(self) -> None:
        if not self.is_up:
            raise DriverUnavailable("No license server can be reached.")


def _service(enabled: bool) -> tuple[str, bool]:
    return "dongle_service", enabled


@dataclass
class SmallPage:
    """A PageDriver that clicks in the small server; ``clicks`` counts TRANSFER >>.

    ``before`` is raised before the click, ``after`` after it; ``works`` False: nothing comes of it.
    """

    server: SmallServer
    point: Points
    before: list[DriverError] = field(default_factory=list)
    after: list[DriverError] = field(default_factory=list)
    works: bool = True
    clicks: int = 0
    meanwhile: Callable[[], None] = lambda: None
    after_click: Callable[[], object] = lambda: None

    def transfer_dongle(self, target_user: str, about_to: AboutTo) -> None:
        """EFFECT, irreversible."""
        self.point("page.opened")
        self.meanwhile()
        if self.before:
            raise self.before.pop(0)
        about_to()
        self.point("click.before")
        self.clicks += 1
        if self.works:
            self.server.migrate()
        self.after_click()
        self.point("click.after")
        if self.after:
            raise self.after.pop(0)

    def borrow(self, product: str, seats: int, auto_renew: bool, about_to: AboutTo) -> None:
        """EFFECT."""
        about_to()
        self.point("borrow.before")
        self.clicks += 1
        self.server.offline[product] = self.server.offline.get(product, 0) + seats
        self.point("borrow.after")

    def release(self, product: str, about_to: AboutTo) -> None:
        """EFFECT."""
        about_to()
        self.point("release.before")
        self.server.offline.pop(product, None)
        self.point("release.after")

    def set_auto_renew(self, product: str, enabled: bool, about_to: AboutTo) -> None:
        """Not clicked here."""
        raise NotImplementedError

    def borrowed(self) -> list[BorrowedRow]:
        """The list on the page."""
        return [BorrowedRow(name, n, None, False) for name, n in self.server.offline.items()]


class PassedIsolation(Isolation):
    """The real switch on the recorded bus, whose writes are points."""

    point: Points

    def hide(self, paths: Any) -> None:
        """One after the other, as the agent may end between them."""
        for path in paths:
            self.point(f"hide {path}.before")
            super().hide([path])
            self.point(f"hide {path}.after")

    def give_back(self, paths: Any) -> None:
        """As hide."""
        for path in paths:
            self.point(f"give back {path}.before")
            super().give_back([path])
            self.point(f"give back {path}.after")
