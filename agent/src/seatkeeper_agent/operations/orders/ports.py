# SPDX-License-Identifier: GPL-3.0-or-later
"""What operations need of a vendor whose staff moves licenses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from seatkeeper_agent.domain.orders import Order
from seatkeeper_agent.domain.plans import Instructions
from seatkeeper_agent.domain.policies import Policy
from seatkeeper_agent.domain.quotes import Quote
from seatkeeper_agent.operations.ports import Description


@dataclass(frozen=True, slots=True)
class OrderDocument:
    """One file that is made for an order."""

    name: str
    media_type: str
    content: bytes


class OrderDesk(Protocol):
    """One vendor's rules, papers and mail. ``send`` raises the DriverErrors of ``ports``."""

    vendor: str
    sends_mail: bool
    """Whether mail goes out by itself; a person sends it otherwise."""

    def describe(self) -> Description:
        """What is done by whom; never raises."""

    def policy(self) -> Policy:
        """The vendor's own rules."""

    def documents(
        self, order: Order, quote: Quote, case_number: str | None, at: datetime
    ) -> list[OrderDocument]:
        """The papers; with a case number also the cover mail. The same input, the same bytes."""

    def send(self, mail: bytes) -> None:
        """EFFECT, irreversible: returns when the mail server has taken the mail."""

    def case(self, order: Order) -> Instructions:
        """Open a support case."""

    def mail(self, order: Order) -> Instructions:
        """Send the papers."""

    def authorize(self, order: Order) -> Instructions:
        """Send by hand what a mail that was sent by itself cannot hold."""

    def move(self, order: Order) -> Instructions:
        """The vendor's staff moves the licenses."""

    def register_old(self, order: Order) -> Instructions:
        """Register the systems that the licenses left."""

    def register_new(self, order: Order) -> Instructions:
        """Register the systems that got them, with the keys."""
