# SPDX-License-Identifier: GPL-3.0-or-later
"""What operations need of a vendor whose staff moves licenses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from seatkeeper_agent.domain.orders import LicenseKey, Order
from seatkeeper_agent.domain.planned_steps import Instructions
from seatkeeper_agent.domain.policies import Policy
from seatkeeper_agent.operations.ports import Description


@dataclass(frozen=True, slots=True)
class OrderDocument:
    """One file that is made for an order."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order that was placed, with what people need to act on it.

    ``folder`` has its papers. ``case_number`` is None until a person has opened the support case,
    ``new_keys`` are empty until the vendor has issued some. ``fee_of`` is the order in whose
    support case, and for whose fee, this one goes out.
    """

    order: Order
    folder: Path
    case_number: str | None = None
    new_keys: tuple[LicenseKey, ...] = ()
    fee_of: str | None = None


class OrderDesk(Protocol):
    """One vendor's rules, papers and mail. ``send`` raises the DriverErrors of ``ports``."""

    vendor: str
    sends_mail: bool
    """Whether mail goes out by itself; a person sends it otherwise."""

    def describe(self) -> Description:
        """What is done by whom; never raises."""

    def policy(self) -> Policy:
        """The vendor's own rules."""

    def documents(self, order: Order, case_number: str | None, at: datetime) -> list[OrderDocument]:
        """The papers; with a case number also the cover mail. The same input, the same bytes."""

    def send(self, mail: bytes) -> None:
        """EFFECT, irreversible: returns when the mail server has taken the mail."""

    def case(self, placed: PlacedOrder) -> Instructions:
        """Open a support case."""

    def purchase_order(self, placed: PlacedOrder) -> Instructions:
        """Send the purchase order for licenses that the vendor issues anew."""

    def mail(self, placed: PlacedOrder) -> Instructions:
        """Send the papers."""

    def authorize(self, placed: PlacedOrder) -> Instructions:
        """Send by hand what a mail that was sent by itself cannot hold."""

    def processing(self, placed: PlacedOrder) -> Instructions:
        """The vendor's staff moves the licenses."""

    def new_keys(self, placed: PlacedOrder) -> Instructions:
        """Record the license keys that the vendor issues in place of the old ones."""

    def register_old(self, placed: PlacedOrder) -> Instructions:
        """Register the systems that the licenses left."""

    def register_new(self, placed: PlacedOrder) -> Instructions:
        """Register the systems that got them, with the keys."""
