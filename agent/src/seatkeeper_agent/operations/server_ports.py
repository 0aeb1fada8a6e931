# SPDX-License-Identifier: GPL-3.0-or-later
"""What operations need of a license server, of its page, and of the USB behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from seatkeeper_agent.domain.problems import ProblemCode
from seatkeeper_agent.domain.servers import BorrowedRow, Dongle, ProductSeats, Secret, ServerStatus
from seatkeeper_agent.operations.ports import CommandReport, Description, DriverRefused


class CredentialsRefused(DriverRefused):
    """The account does not exist or the password is another one."""

    code = ProblemCode.CREDENTIALS_REFUSED
    advice = "Correct the account or its password."


class PageLabelMissing(DriverRefused):
    """The page does not show what the vendor documents; ``screenshot`` is a PNG."""

    code = ProblemCode.PAGE_DIFFERS
    advice = "Look at the page or its screenshot: the vendor shows only what it allows."

    def __init__(self, text: str, label: str, screenshot: bytes | None = None) -> None:
        super().__init__(text)
        self.label = label
        self.screenshot = screenshot


class LicenseServerDriver(Protocol):
    """A license server with an online account, on this host or reachable from it.

    Reads and effects raise the DriverErrors of ``ports``. An effect's return proves nothing:
    the caller looks at ``status`` afterwards. Every call is bounded by ``call_seconds_max``.
    """

    vendor: str
    call_seconds_max: float

    def describe(self) -> Description:
        """Version and capabilities; never raises."""

    def status(self) -> ServerStatus:
        """The one source of truth after every change."""

    def seats_in_use(self) -> tuple[ProductSeats, ...] | None:
        """The seats of all sessions by product; None where the server does not tell them."""

    def dongle_driver_version(self) -> str | None:
        """The dongle driver's version; None where the operator named no way to ask for it."""

    def serves_this_host(self) -> bool:
        """Whether the server's address is this host."""

    def set_dongle_service(self, enabled: bool) -> None:
        """EFFECT: switch the service for dongles."""

    def activate_online(self, account: str, password: Secret) -> CommandReport:
        """EFFECT: log the server in. CredentialsRefused, or as the other effects.

        What the program said is for people and proves nothing, as its end does.
        """

    def deactivate(self) -> None:
        """EFFECT: give the activation up."""

    def activation_request(self) -> bytes:
        """The request file of an offline activation."""

    def activate_offline(self, answer: bytes) -> None:
        """EFFECT: hand over the answer file."""


AboutTo = Callable[[], None]
"""Called once, right before the click that has the effect; errors before it did nothing."""


class PageDriver(Protocol):
    """The documented page of a license server, by its visible labels."""

    def transfer_dongle(self, target_user: str, about_to: AboutTo) -> None:
        """EFFECT, irreversible: move the plugged dongle's licenses to the user's account."""

    def borrow(self, product: str, seats: int, auto_renew: bool, about_to: AboutTo) -> None:
        """EFFECT: take seats for offline use, for the two weeks that the vendor gives."""

    def release(self, product: str, about_to: AboutTo) -> None:
        """EFFECT: give the borrowed seats of a product back."""

    def set_auto_renew(self, product: str, enabled: bool, about_to: AboutTo) -> None:
        """EFFECT: have the vendor's server borrow a product again before its end, or not."""

    def borrowed(self) -> list[BorrowedRow]:
        """What the page lists as borrowed."""


class DongleBus(Protocol):
    """The license dongles on this host's USB."""

    def dongles(self) -> list[Dongle]:
        """All known dongles in the order of their paths; UsbUnavailable if none can be seen."""


class IsolationPort(Protocol):
    """The kernel's switch that takes a device away from drivers without unplugging it."""

    def authorized(self, path: str) -> bool | None:
        """Whether drivers may have the device; None where it is gone or cannot be read."""

    def hide(self, paths: list[str]) -> None:
        """EFFECT: take devices away; IsolationError."""

    def give_back(self, paths: list[str]) -> None:
        """EFFECT: give them back; one that was unplugged meanwhile counts as given back."""
