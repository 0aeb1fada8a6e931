# SPDX-License-Identifier: GPL-3.0-or-later
"""Which dongles this host has, and what speaks for and against migrating one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from seatkeeper_agent.domain.dependencies import Dependencies
from seatkeeper_agent.domain.eligibility import DONGLE_FAMILY, HeldLicense, Sighting, rules
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.rules import RuleRow, is_refused
from seatkeeper_agent.domain.servers import Dongle, ServerStatus, UsbUnavailable
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations import dependencies
from seatkeeper_agent.operations.dongles.names import is_of
from seatkeeper_agent.operations.dongles.steps import MIGRATION
from seatkeeper_agent.operations.ports import DriverError
from seatkeeper_agent.operations.server_ports import DongleBus, LicenseServerDriver

LISTED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Stated:
    """What the operator states of a dongle, which no host can show."""

    licenses: tuple[HeldLicense, ...] | None = None
    target_user: str | None = None
    dongle_company: str | None = None
    account_company: str | None = None


NOTHING_STATED = Stated()


class DongleReports:
    """Looks only; ``driver`` is None on a host without a server that uses such dongles."""

    def __init__(
        self, journal: Journal, bus: DongleBus, driver: LicenseServerDriver | None
    ) -> None:
        self._journal = journal
        self._bus = bus
        self._driver = driver

    def once(self) -> DongleReports:
        """The same, of one look: bus, server and dongle driver are asked one time each."""
        return _OneLook(self._journal, self._bus, self._driver)

    def dongles(self) -> list[Dongle]:
        """All dongles; Problem where USB cannot be looked at."""
        try:
            return self._bus.dongles()
        except UsbUnavailable as error:
            raise Problem(
                ProblemCode.USB_UNAVAILABLE,
                f"The dongles of this host cannot be seen: {str(error).rstrip('.')}.",
                "Give the agent access to USB, then run again.",
            ) from error

    def visible(self) -> list[Dongle]:
        """Those that drivers can have."""
        return [dongle for dongle in self.dongles() if dongle.authorized is not False]

    def find(self, name: str) -> Dongle:
        """The one with this serial number, or at this path; Problem for none or several."""
        dongles = self.dongles()
        found = [entry for entry in dongles if name in (entry.serial, entry.path)]
        if len(found) == 1:
            return found[0]
        there = ", ".join(f"{entry.id} at {entry.path}" for entry in dongles) or "none"
        raise Problem(
            ProblemCode.DONGLE_UNKNOWN,
            f"{len(found) or 'No'} dongle{'s' if len(found) > 1 else ''} with the name {name!r}"
            f" {'are' if len(found) > 1 else 'is'} plugged into this host; plugged: {there}.",
            "Name one by its serial number, or by its path where that is not unique.",
        )

    def status(self) -> ServerStatus | None:
        """What the server shows; None where it does not answer."""
        try:
            return None if self._driver is None else self._driver.status()
        except DriverError:
            return None

    def dongle_driver_version(self) -> str | None:
        """The dongle driver's version; None where nobody tells."""
        return None if self._driver is None else self._driver.dongle_driver_version()

    def dependencies(self) -> Dependencies:
        """What depends on the server whose licenses are unavailable meanwhile."""
        return Dependencies() if self._driver is None else dependencies.of_dongle(self._driver)

    def rows(
        self,
        chosen: Dongle,
        hides_others: bool,
        stated: Stated = NOTHING_STATED,
        at_step: bool = False,
    ) -> tuple[RuleRow, ...]:
        """Every rule for one dongle, by what can be seen now and what the operator states."""
        if self._driver is None:
            raise Problem(
                ProblemCode.VENDOR_UNKNOWN,
                "No license server that migrates dongles is on this host.",
                "Install the server, or name it in the agent's settings.",
            )
        with self._journal.reading() as unit:
            known = unit.declarations.get("activation", self._driver.vendor)
        seen = self.dongles()
        hidden = [entry for entry in seen if entry.authorized is False]
        return rules(
            Sighting(
                status=self.status(),
                driver_version=self.dongle_driver_version(),
                serves_this_host=self._driver.serves_this_host(),
                dongles=tuple(entry for entry in seen if entry not in hidden),
                chosen=chosen,
                hides_others=hides_others,
                account=None if known is None else known.document["account"],
                licenses=stated.licenses,
                target_user=stated.target_user,
                dongle_company=stated.dongle_company,
                account_company=stated.account_company,
                hidden=sum(entry.family == DONGLE_FAMILY for entry in hidden),
            ),
            at_step,
        )

    def listing(self) -> list[dict[str, Any]]:
        """All dongles as the API shows them."""
        dongles, status = self.dongles(), self.status()
        vendor = None if self._driver is None else self._driver.vendor
        with self._journal.reading() as unit:
            done = [
                record.document
                for record in unit.declarations.page(MIGRATION, "", LISTED_MAX)
                if record.document["outcome"] is not None
            ]
        plugged = [entry for entry in dongles if entry.family == DONGLE_FAMILY]
        return [
            {
                **dongle_view(entry),
                "vendor": vendor if entry in plugged else None,
                "seen_by_service": _is_seen(entry, plugged, status),
                "migrated": any(is_of(document, entry, dongles) for document in done),
            }
            for entry in dongles
        ]


class _OneLook(DongleReports):
    """Keeps what it has seen for as long as it is, which is one decision."""

    def __init__(
        self, journal: Journal, bus: DongleBus, driver: LicenseServerDriver | None
    ) -> None:
        super().__init__(journal, bus, driver)
        self._seen = cache(super().dongles)
        self._status = cache(super().status)
        self._driver_version = cache(super().dongle_driver_version)

    def dongles(self) -> list[Dongle]:
        """As they were at the first look."""
        return self._seen()

    def status(self) -> ServerStatus | None:
        """As it was at the first look."""
        return self._status()

    def dongle_driver_version(self) -> str | None:
        """Asked once: a program is run for it."""
        return self._driver_version()


def dongle_view(dongle: Dongle) -> dict[str, Any]:
    """One dongle."""
    return {
        "id": dongle.id,
        "path": dongle.path,
        "vendor_id": f"{dongle.vendor_id:04x}",
        "product_id": f"{dongle.product_id:04x}",
        "family": dongle.family,
        "model": dongle.model,
        "serial": dongle.serial,
        "authorized": dongle.authorized,
    }


def report_view(rows: tuple[RuleRow, ...]) -> dict[str, Any]:
    """The rows and what they come to."""
    return {
        "verdict": "refused" if is_refused(rows) else "open",
        "rules": [row.as_document() for row in rows],
    }


def _is_seen(dongle: Dongle, plugged: list[Dongle], status: ServerStatus | None) -> bool | None:
    """By number only: how the server's keys relate to serial numbers is not known."""
    if dongle not in plugged or status is None or status.dongle_service is None:
        return None
    if not status.dongle_keys:
        return False
    visible = [entry for entry in plugged if entry.authorized is not False]
    if dongle not in visible:
        return None
    return True if len(visible) == len(status.dongle_keys) else None
