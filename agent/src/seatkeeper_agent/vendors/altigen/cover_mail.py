# SPDX-License-Identifier: GPL-3.0-or-later
"""The mail that brings an order to the vendor's support, as a file that every mail program opens.

The case number stands in the subject, as the vendor wants it (article 799, grade D).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from string import Template

from seatkeeper_agent.domain.orders import DocumentName, Order, merged
from seatkeeper_agent.vendors.altigen.documents import (
    Applicant,
    Document,
    only_target,
    read_template,
    require_case_number,
)

_MESSAGE_ID = re.compile(r"<[A-Za-z0-9._-]{1,100}@[A-Za-z0-9.-]{1,150}>")


@dataclass(frozen=True, slots=True)
class MailHead:
    """What a mail needs beside its order; the addresses are plain ones such as a@b.example.

    ``recipient`` None leaves the line To out, for a person to fill in. ``date`` knows its time
    zone. ``message_id`` stays the same for the same mail, so that one that was sent twice can
    be known by it.
    """

    case_number: str
    sender: str | None
    recipient: str | None
    date: datetime
    message_id: str


def cover_mail(
    order: Order, head: MailHead, applicant: Applicant, attachments: Sequence[Document]
) -> bytes:
    """The whole mail, plain ASCII; ValueError for several targets, no attachment, an odd head."""
    target = only_target(order)
    if not attachments:
        raise ValueError(f"the mail of the order {order.name} needs attachments")
    if not _MESSAGE_ID.fullmatch(head.message_id):
        raise ValueError(f"{head.message_id!r} must look like <order@host.example>")
    if head.date.tzinfo is None:
        raise ValueError("the date of a mail needs a time zone")
    number = require_case_number(head.case_number)
    mail = EmailMessage(policy=SMTP)
    if head.sender is not None:
        mail["From"] = head.sender
    if head.recipient is not None:
        mail["To"] = head.recipient
    upgrade = ", upgrade to software-only" if order.is_upgrade else ""
    mail["Subject"] = f"Case {number}: license transfer to {target.system_key}{upgrade}"
    mail["Date"] = format_datetime(head.date)
    mail["Message-ID"] = head.message_id
    mail.set_content(_text(order, number, applicant, attachments), cte="quoted-printable")
    for each in attachments:
        main, _, kind = each.content_type.partition("/")
        params = {"charset": "utf-8"} if main == "text" else {}
        mail.add_attachment(
            each.content, maintype=main, subtype=kind, filename=each.name, params=params
        )
    # By itself it would be random, and the same order would give another file each time.
    seed = hashlib.sha256(repr((head, attachments)).encode()).hexdigest()
    mail.set_boundary(f"=_{seed[:40]}")
    return mail.as_bytes()


def _text(order: Order, number: str, applicant: Applicant, attachments: Sequence[Document]) -> str:
    target = only_target(order)
    order_lines = "".join(
        f"\nFrom {order_line.source.name} (system key {order_line.source.system_key}):\n"
        + "".join(f"  - {key.key}  {key.product}\n" for key in order_line.keys)
        for order_line in merged(order.order_lines)
    )
    signed = [
        f"{name}: {value}"
        for name, value in (("Dealer id", applicant.dealer_id), ("Contact", applicant.contact))
        if value
    ]
    return Template(read_template("cover_mail.txt")).substitute(
        case_number=number,
        target_key=target.system_key,
        target_name=target.name,
        moves=order_lines,
        upgrade="This is an upgrade from an Office or Max server to software-only.\n"
        if order.is_upgrade
        else "",
        purchase_order=_purchase_order(order),
        attachments=", ".join(each.name for each in attachments),
        closing="\n".join(signed),
    )


def _purchase_order(order: Order) -> str:
    if not only_target(order).is_software_only:
        return ""
    number = order.field(DocumentName.PURCHASE_ORDER)
    number_text = f" as number {number}" if number else ""
    return (
        f"The no-charge purchase order for all of these licenses goes to your sales{number_text}.\n"
    )
