# SPDX-License-Identifier: GPL-3.0-or-later
"""AltiGen as a desk that takes orders: rules, papers and mail, and people for everything else."""

from __future__ import annotations

import hashlib
from datetime import datetime

from seatkeeper_agent.domain.orders import Order
from seatkeeper_agent.domain.planned_steps import Instructions
from seatkeeper_agent.domain.policies import Policy
from seatkeeper_agent.operations.orders.ports import OrderDocument, PlacedOrder
from seatkeeper_agent.operations.ports import Capability, Description, Grade
from seatkeeper_agent.vendors.altigen import instructions, mail
from seatkeeper_agent.vendors.altigen.cover_mail import MailHead, cover_mail
from seatkeeper_agent.vendors.altigen.documents import (
    Applicant,
    Document,
    card_authorization,
    documents,
)
from seatkeeper_agent.vendors.altigen.policy import policy_with
from seatkeeper_agent.vendors.altigen.settings import AltiGenSettings

CARD_NAME = "credit-card-authorization.html"
MAIL_NAME = "cover-mail.eml"


class AltiGenDesk:
    """OrderDesk of a vendor without any interface; ValueError for an unusable policy file."""

    vendor = "altigen"

    def __init__(self, settings: AltiGenSettings) -> None:
        self._settings = settings
        self._policy = policy_with(settings.policy_file)
        self._applicant = Applicant(settings.dealer_id, settings.contact)
        self.sends_mail = settings.sends_mail

    def describe(self) -> Description:
        """There is no product to look at: everything is done by people and by the vendor."""
        how = "by the agent" if self.sends_mail else "by a person"
        return Description(
            vendor=self.vendor,
            product="AltiGen license moves, performed by the vendor's support",
            version=None,
            running=True,
            security_floor=None,
            security_floor_met=None,
            transfer_types=(),
            capabilities=(
                Capability(
                    "order",
                    Grade.ASSISTED,
                    f"rules, quote and papers are made here, mail is sent {how}, the vendor moves",
                ),
                Capability(
                    "observe_licenses",
                    Grade.REFUSED,
                    "no interface is documented: people say what the systems show",
                ),
            ),
        )

    def policy(self) -> Policy:
        """The vendor's rules and those of the operator's file."""
        return self._policy

    def documents(self, order: Order, case_number: str | None, at: datetime) -> list[OrderDocument]:
        """The papers; with a case number also the cover mail that has them attached."""
        papers = documents(order, case_number, self._applicant)
        made = [_order_document(paper) for paper in papers]
        made.append(OrderDocument(CARD_NAME, "text/html", card_authorization()))
        if case_number is not None:
            head = MailHead(
                case_number,
                self._settings.sender,
                self._settings.recipient,
                at,
                _message_id(order, case_number, at),
            )
            content = cover_mail(order, head, self._applicant, papers)
            made.append(OrderDocument(MAIL_NAME, "message/rfc822", content))
        return made

    def send(self, content: bytes) -> None:
        """EFFECT: by the operator's mail server."""
        mail.send(content, self._settings)

    def case(self, placed: PlacedOrder) -> Instructions:
        """Open a support case."""
        return instructions.case(placed)

    def purchase_order(self, placed: PlacedOrder) -> Instructions:
        """Send the no-charge purchase order."""
        return instructions.purchase_order(placed)

    def mail(self, placed: PlacedOrder) -> Instructions:
        """Send the papers by hand."""
        return instructions.mail(placed, self._settings.recipient)

    def authorize(self, placed: PlacedOrder) -> Instructions:
        """Send what a mail cannot hold."""
        return instructions.authorize(placed)

    def processing(self, placed: PlacedOrder) -> Instructions:
        """The vendor's part."""
        return instructions.processing(placed)

    def new_keys(self, placed: PlacedOrder) -> Instructions:
        """Record what the vendor issues."""
        return instructions.new_keys(placed)

    def register_old(self, placed: PlacedOrder) -> Instructions:
        """Register the old system."""
        return instructions.register_old(placed)

    def register_new(self, placed: PlacedOrder) -> Instructions:
        """Register the new system."""
        return instructions.register_new(placed)


def _order_document(paper: Document) -> OrderDocument:
    return OrderDocument(paper.name, paper.content_type, paper.content)


def _message_id(order: Order, case_number: str, at: datetime) -> str:
    """The same for the same mail, so that one that went out twice can be known by it."""
    text = f"{order.name} {case_number} {at.isoformat()}"
    return f"<{hashlib.sha256(text.encode()).hexdigest()[:32]}@seatkeeper.invalid>"
