# SPDX-License-Identifier: GPL-3.0-or-later
"""The cover mail opens with any mail program and has the case number in its subject."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from domain.phone_systems import NEW, OLD, key, order, order_lines, system
from hypothesis import given, settings

from seatkeeper_agent.domain.orders import Order, OrderLine
from seatkeeper_agent.vendors.altigen.cover_mail import MailHead, cover_mail
from seatkeeper_agent.vendors.altigen.documents import Applicant, Document, documents

HEAD = MailHead(
    "CAS-100", "licenses@studio.example", "support@vendor.example",
    datetime(2026, 11, 22, 9, 30, tzinfo=UTC), "<order-1@studio.example>",
)  # fmt: skip
APPLICANT = Applicant("D-1000", "Telephony desk")
SOFT = system("soft", chassis="software_only")


def made(given_order: Order, head: MailHead = HEAD, *more: Document) -> bytes:
    """The mail of an order with its papers."""
    papers = documents(given_order, head.case_number, APPLICANT)
    return cover_mail(given_order, head, APPLICANT, (*papers, *more))


def opened(mail: bytes) -> EmailMessage:
    """The mail as a mail program has it."""
    return message_from_bytes(mail, _class=EmailMessage, policy=policy.default)


def body(message: EmailMessage) -> str:
    """The text that is read first."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_the_head_and_the_text_of_a_mail() -> None:
    message = opened(made(order(OrderLine(OLD, NEW, (key(1), key(2, "ALTI-TRUNK-4"))))))
    assert message["Subject"] == "Case CAS-100: license transfer to KEY-new"
    assert (message["From"], message["To"]) == (HEAD.sender, HEAD.recipient)
    assert message["Message-ID"] == HEAD.message_id
    assert message["Date"].datetime == HEAD.date
    assert not message.defects
    text = body(message)
    for expected in (
        "Support case: CAS-100", "under the system key: KEY-new",
        "From old (system key KEY-old):\n  - LK-0001  ALTI-STATION-10\n  - LK-0002  ALTI-TRUNK-4",
        "Attached: license-transfer-form.html.", "Dealer id: D-1000\nContact: Telephony desk",
        "card data is not part of this mail",
    ):  # fmt: skip
        assert expected in text, expected
    assert "upgrade" not in text
    assert "purchase order" not in text


def test_the_attachments_are_the_papers() -> None:
    found = order(OrderLine(OLD, SOFT, (key(),)))
    signed = Document("signed-form.pdf", "application/pdf", b"%PDF-1.7\n\x00\xff.\r\n.\n")
    message = opened(made(found, HEAD, signed))
    attached = list(message.iter_attachments())
    assert [part.get_filename() for part in attached] == [
        "license-transfer-form.html", "software-only-worksheet.html", "signed-form.pdf",
    ]  # fmt: skip
    for part, paper in zip(attached, documents(found, "CAS-100", APPLICANT), strict=False):
        assert part.get_content_type() == "text/html"
        assert part.get_content_charset() == "utf-8"
        assert part.get_payload(decode=True) == paper.content
    assert attached[2].get_content_type() == "application/pdf"
    assert attached[2].get_content() == signed.content


def test_an_upgrade_to_software_only_is_said() -> None:
    message = opened(made(order(OrderLine(OLD, SOFT, (key(),)), no_charge_purchase_order="PO 7")))
    assert message["Subject"].endswith(": license transfer to KEY-soft, upgrade to software-only")
    assert "This is an upgrade from an Office or Max server to software-only." in body(message)
    assert "goes to your sales as number PO 7." in body(message)
    between = opened(
        made(order(OrderLine(replace(SOFT, name="a", system_key="a"), SOFT, (key(),))))
    )
    assert "upgrade" not in str(between["Subject"])
    assert "upgrade" not in body(between)
    assert "goes to your sales.\n" in body(between)


def test_a_mail_for_a_person_leaves_out_what_is_not_known() -> None:
    message = opened(made(order(), replace(HEAD, sender=None, recipient=None)))
    assert message["From"] is message["To"] is None
    assert "CAS-100" in str(message["Subject"])


def test_the_same_order_is_the_same_file() -> None:
    found = order(OrderLine(OLD, SOFT, (key(),)))
    assert made(found) == made(found)
    assert made(found) != made(found, replace(HEAD, message_id="<order-2@studio.example>"))


def test_a_long_name_beyond_ascii_survives() -> None:
    name = "Empfang Süd, " + "sehr lang " * 15 + "Ende"
    target = system(name, system_key="Schlüssel-1")
    mail = made(order(OrderLine(OLD, target, (key(),))), replace(HEAD, case_number="Fall-ä-1"))
    assert mail.isascii()
    assert all(len(line) <= 998 for line in mail.split(b"\r\n"))
    assert b"\n" not in mail.replace(b"\r\n", b"")
    message = opened(mail)
    assert message["Subject"] == "Case Fall-ä-1: license transfer to Schlüssel-1"
    assert name in body(message)


@pytest.mark.parametrize(
    ("changes", "reported"),
    [
        ({"case_number": "1\nBcc: a@b.example"}, "a case number must be one line"),
        ({"case_number": ""}, "a case number must be one line"),
        ({"message_id": "order-1"}, "must look like <order@host.example>"),
        ({"message_id": "<a@b>\nX: y"}, "must look like"),
        ({"date": datetime(2026, 11, 22)}, "needs a time zone"),  # noqa: DTZ001 - as given
    ],
)
def test_a_head_that_cannot_be_is_refused(changes: dict[str, Any], reported: str) -> None:
    papers = documents(order(), "CAS-100", APPLICANT)
    with pytest.raises(ValueError, match=reported):
        cover_mail(order(), replace(HEAD, **changes), APPLICANT, papers)


def test_a_mail_has_papers_and_one_case() -> None:
    with pytest.raises(ValueError, match="needs attachments"):
        cover_mail(order(), HEAD, APPLICANT, ())
    both = order(OrderLine(OLD, NEW, (key(1),)), OrderLine(OLD, SOFT, (key(2),)))
    papers = documents(both.by_target()[0], "CAS-100", APPLICANT)
    with pytest.raises(ValueError, match="has 2 targets"):
        cover_mail(both, HEAD, APPLICANT, papers)


@settings(max_examples=25, deadline=None)
@given(order_lines())
def test_every_order_has_a_mail_with_its_keys(found: tuple[OrderLine, ...]) -> None:
    for part in order(*found).by_target():
        message = opened(made(part))
        assert not message.defects
        words = set(body(message).split())
        assert {each.key for order_line in part.order_lines for each in order_line.keys} <= words
