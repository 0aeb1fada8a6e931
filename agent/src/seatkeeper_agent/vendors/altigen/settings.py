# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator tells about license moves at AltiGen: who asks, how mail is sent, own rules."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from seatkeeper_agent.domain.card_data import ADVICE, has_card_number
from seatkeeper_agent.domain.orders import TEXT_LENGTH_MAX

VENDOR_SECONDS_MAX = 24 * 3600
"""Within this a support representative moves the licenses after receipt (article 799, grade D)."""

SUPPORT_ADDRESS, SUPPORT_FAX = "tsupport@altigen.com", "408-597-9020"
"""Where the article says that the papers go (article 799, grade D)."""

_HOST = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.){0,20}[A-Za-z0-9_-]{1,63}\.?")
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")

_MAIL_SECONDS_MAX = 600
_TEXTS = ("dealer_id", "contact", "smtp_host", "smtp_user")
_PATHS = ("policy_file", "smtp_password_file", "smtp_ca_file")


@dataclass(frozen=True, slots=True)
class AltiGenSettings:
    """Everything is optional; ValueError tells what is wrong.

    Without ``smtp_host`` a person sends the mail. ``recipient`` is the vendor's support.
    ``dealer_id`` and ``contact`` are printed on the forms.
    ``policy_file`` is JSON with rules of the operator's own, such as those of a contract.
    ``smtp_password_file`` must be readable by the agent alone; ``smtp_ca_file`` holds the
    certificates to trust instead of this host's. ``mail_seconds_max`` bounds the sending of one
    mail, in seconds.
    """

    dealer_id: str | None = None
    contact: str | None = None
    policy_file: str | None = None
    sender: str | None = None
    recipient: str = SUPPORT_ADDRESS
    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_starttls: bool = True
    smtp_ca_file: str | None = None
    smtp_user: str | None = None
    smtp_password_file: str | None = None
    mail_seconds_max: float = 60.0

    def __post_init__(self) -> None:
        for name in _TEXTS:
            text = getattr(self, name)
            usable = text is None or (text.isprintable() and 0 < len(text) <= TEXT_LENGTH_MAX)
            _require(usable, f"{name} must be one line of 1 to {TEXT_LENGTH_MAX} characters")
        held = has_card_number(self.contact or "")
        _require(not held, f"contact may hold the number of a payment card. {ADVICE}"[:-1])
        for name in _PATHS:
            path = getattr(self, name)
            _require(path is None or path.startswith("/"), f"{name} must be an absolute path")
        for name in ("sender", "recipient"):
            address = getattr(self, name)
            usable = address is None or ADDRESS.fullmatch(address) is not None
            _require(usable, f"{name} must be a mail address such as licenses@studio.example")
        _require(_is_host(self.smtp_host), "smtp_host must be a host's name or address")
        user = self.smtp_user or ""
        _require(user.isascii(), "smtp_user must be plain ASCII")
        _require(0 < self.smtp_port <= 65535, "smtp_port must be from 1 to 65535")
        _require(
            0 < self.mail_seconds_max <= _MAIL_SECONDS_MAX,
            f"mail_seconds_max must be above 0 and at most {_MAIL_SECONDS_MAX}",
        )
        self._require_whole_mail_settings()

    def _require_whole_mail_settings(self) -> None:
        addressed = self.smtp_host is None or self.sender is not None
        _require(addressed, "smtp_host needs sender as well")
        both = (self.smtp_user is None) == (self.smtp_password_file is None)
        _require(both, "smtp_user and smtp_password_file are needed together or not at all")
        hidden = self.smtp_starttls or self.smtp_user is None or _is_loopback(self.smtp_host or "")
        _require(hidden, "smtp_user needs smtp_starttls, or the password could be read on the way")

    @property
    def sends_mail(self) -> bool:
        """Whether the agent sends the mail; a person does it otherwise."""
        return self.smtp_host is not None


def _is_host(name: str | None) -> bool:
    try:
        return name is None or bool(_HOST.fullmatch(name) or ipaddress.ip_address(name))
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise ValueError(f"altigen: {rule}")
