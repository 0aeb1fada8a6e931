# SPDX-License-Identifier: GPL-3.0-or-later
"""Borrowing seats for offline use on a server's page, and giving them back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from seatkeeper_agent.domain.planned_steps import Instructions, Performer
from seatkeeper_agent.domain.servers import BorrowedRow
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.ports import DriverRefused, DriverUnfinished
from seatkeeper_agent.operations.server_ports import LicenseServerDriver, PageDriver
from seatkeeper_agent.operations.servers.steps import wait_until
from seatkeeper_agent.operations.steps import PlainStep, Probe, Verdict

BORROW = "server_borrow"

PAGE_SECONDS = 2.0
"""How long to leave the page alone between two looks: each look starts a browser."""


@dataclass
class PageStep(PlainStep):
    """One action on the page, by a browser where one is set up, else by a person."""

    driver: LicenseServerDriver
    page: PageDriver | None
    product: str
    guidance: Instructions
    has_clicked: bool = field(default=False, init=False)

    @property
    def performer(self) -> Performer:
        """Who works on the page."""
        return Performer.PERSON if self.page is None else Performer.AGENT

    @property
    def instructions(self) -> Instructions | None:
        """What a person does on the page."""
        return self.guidance if self.page is None else None

    def is_done(self) -> bool:
        """Whether server and page show it."""
        raise NotImplementedError

    def click(self, page: PageDriver) -> None:
        """EFFECT: the action."""
        raise NotImplementedError

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Asked of the server, and of its page where a browser can."""
        row = None if self.page is None else _row(self.page, self.product)
        evidence = {} if row is None else {"seats": row.seats, "until": row.until}
        if self.is_done():
            return Probe(Verdict.DONE, evidence)
        if self.has_clicked:
            # Clicked again it could be taken twice.
            return Probe(
                Verdict.UNKNOWN, reason="it was clicked, and neither server nor page show it"
            )
        return Probe(Verdict.NOT_DONE, evidence)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Work on the page, then look for the effect."""
        if self.page is None:
            raise DriverRefused("a person does this step")
        self.click(self.page)
        if not wait_until(self.is_done, ask_again_seconds=PAGE_SECONDS):
            raise DriverUnfinished("the server does not show it yet")
        return b""

    def _about_to(self) -> None:
        self.has_clicked = True

    def _is_offline(self) -> bool:
        return self.product in self.driver.status().offline_products


@dataclass
class Borrow(PageStep):
    """Take seats for offline use; the vendor gives them for two weeks."""

    seats: int
    auto_renew: bool
    remember: Callable[[Unit, dict[str, Any]], None]

    type = "borrow"

    @property
    def arguments(self) -> dict[str, Any]:
        """How many of what."""
        return {"product": self.product, "seats": self.seats, "auto_renew": self.auto_renew}

    @property
    def title(self) -> str:
        """How many of what."""
        return f"borrowing {self.seats} seats of {self.product} for offline use"

    def is_done(self) -> bool:
        """The server lists the product as borrowed; the number shows on the page only."""
        if not self._is_offline():
            return False
        row = None if self.page is None else _row(self.page, self.product)
        return row is None or row.seats == self.seats

    def click(self, page: PageDriver) -> None:
        """The documented buttons."""
        page.borrow(self.product, self.seats, self.auto_renew, self._about_to)

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """Remember what was borrowed, and what of it was seen."""
        self.remember(unit, evidence)


@dataclass
class Release(PageStep):
    """Give the seats of a product back."""

    remember: Callable[[Unit, dict[str, Any]], None]

    type = "release"

    @property
    def arguments(self) -> dict[str, Any]:
        """Of what."""
        return {"product": self.product}

    @property
    def title(self) -> str:
        """Of what."""
        return f"returning the borrowed seats of {self.product}"

    def is_done(self) -> bool:
        """The server lists the product no more."""
        return not self._is_offline()

    def click(self, page: PageDriver) -> None:
        """The documented button."""
        page.release(self.product, self._about_to)

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """Nothing is borrowed any more."""
        self.remember(unit, evidence)


@dataclass
class AutoRenew(PageStep):
    """Have the vendor's server borrow again before the two weeks are over, or not."""

    seats: int
    enabled: bool
    remember: Callable[[Unit, dict[str, Any]], None]

    type = "auto_renew"

    @property
    def arguments(self) -> dict[str, Any]:
        """Which way, and how many seats were declared beside it."""
        return {"product": self.product, "seats": self.seats, "enabled": self.enabled}

    @property
    def title(self) -> str:
        """Which way."""
        return f"switching AUTO-RENEW of {self.product} {'on' if self.enabled else 'off'}"

    def is_done(self) -> bool:
        """Only the page shows it; where a person works there, the person's word counts."""
        row = None if self.page is None else _row(self.page, self.product)
        return row is not None and row.auto_renew is self.enabled

    def click(self, page: PageDriver) -> None:
        """The documented switch."""
        page.set_auto_renew(self.product, self.enabled, self._about_to)

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """Remember it."""
        self.remember(unit, evidence)


def _row(page: PageDriver, product: str) -> BorrowedRow | None:
    return next((row for row in page.borrowed() if row.product == product), None)
