# SPDX-License-Identifier: GPL-3.0-or-later
"""What the twin keeps in its state.json; times are seconds since 1970 by its own clock."""

from __future__ import annotations

from typing import Literal, TypedDict

from seatkeeper_twins.parts.store import State as ClockedState

Conduct = Literal["in_time", "late", "wrongly", "never"]
"""How the desk works: within 24 hours, after them, one key short, or not at all."""

CONDUCTS = ("in_time", "late", "wrongly", "never")

FORM, CARD, WORKSHEET = (
    "license_transfer_form",
    "credit_card_authorization",
    "software_only_worksheet",
)
DOCUMENTS = (FORM, CARD, WORKSHEET)


class System(TypedDict):
    """One phone system; ``licenses`` are the keys in the machine since its last registration."""

    name: str
    owner: str
    chassis: str
    registered: bool
    assurance_until: str
    licenses: list[str]


class Key(TypedDict):
    """What the vendor's books say of a license key: ``system`` is the key of its system.

    ``instead_of`` is the key that it was issued for when that went to software-only.
    """

    product: str
    system: str
    instead_of: str | None


class Answer(TypedDict):
    """What the desk wrote into a case."""

    at: float
    text: str


class Case(TypedDict):
    """One support case; ``moved`` leads from each key that was moved to what it is now."""

    system: str
    opened_at: float
    says_upgrade: bool
    state: Literal["open", "received", "moved", "refused"]
    received_at: float | None
    complete_at: float | None
    told_missing: bool
    documents: list[str]
    keys: list[str]
    complaints: list[Answer]
    answers: list[Answer]
    moved: dict[str, str]


class Mail(TypedDict):
    """One mail that arrived; ``raw`` is base64, ``case`` None when its subject names none."""

    at: float
    sender: str
    recipients: list[str]
    subject: str
    message_id: str
    case: str | None
    documents: list[str]
    raw: str


class Mailbox(TypedDict):
    """What the mailbox asks of those who send."""

    starttls: bool
    user: str | None
    password: str | None


class State(ClockedState):
    """Everything."""

    systems: dict[str, System]
    keys: dict[str, Key]
    cases: dict[str, Case]
    mails: list[Mail]
    purchase_orders: list[str]
    conduct: Conduct
    answer_seconds: float
    late_seconds: float
    card_required: bool
    mailbox: Mailbox
