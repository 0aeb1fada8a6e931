# SPDX-License-Identifier: GPL-3.0-or-later
"""Send one finished mail by SMTP, and tell what is known of it afterwards.

Until the text of the mail goes out nothing has happened; from then on only the server's answer
tells. It is never sent a second time here: whoever calls must first find out what became of it.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from email import message_from_bytes
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path

from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.host import host
from seatkeeper_agent.operations.ports import (
    DriverError,
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
)
from seatkeeper_agent.operations.server_ports import CredentialsRefused
from seatkeeper_agent.vendors.altigen.settings import ADDRESS, AltiGenSettings
from seatkeeper_agent.vendors.altigen.smtp_line import SmtpLine

PASSWORD_BYTES_MAX = 4096
_REPORTED_LENGTH_MAX = 200
_SEND_THE_TEXT = 354


class MailRefused(DriverRefused):
    """The mail server, or the settings for it, do not let this mail through."""

    advice = "Correct the mail settings of [altigen], or send the mail by hand."


def send(mail: bytes, settings: AltiGenSettings) -> None:
    """EFFECT: hand a mail to the server, from and to the addresses in its head.

    Returns when the server has accepted it. DriverRefused, CredentialsRefused and
    DriverUnavailable: nothing was sent. DriverUnfinished: the text went out and no answer came,
    so the mail may or may not be on its way. Takes at most ``mail_seconds_max`` to connect to
    each address of the server, and as long again for everything after that.
    """
    sender, recipient = _envelope(mail)
    talk = _Talk(settings, _password(settings))
    try:
        with SmtpLine(
            settings.smtp_host or "", settings.smtp_port, settings.mail_seconds_max
        ) as line:
            talk.introduce(line)
            talk.announce(line, sender, recipient, len(mail))
            talk.hand_over(line, mail)
    except (OSError, ValueError) as error:
        # A ValueError comes of an answer that the client cannot make sense of.
        raise talk.broken(error) from None


def _envelope(mail: bytes) -> tuple[str, str]:
    head = message_from_bytes(mail, policy=SMTP_POLICY)
    found = []
    for name in ("From", "To"):
        addresses = [each.addr_spec for each in getattr(head[name], "addresses", ())]
        if len(addresses) != 1 or not ADDRESS.fullmatch(addresses[0]):
            raise MailRefused(f"The mail needs exactly one plain address in its line {name}.")
        found += addresses
    return found[0], found[1]


def _password(settings: AltiGenSettings) -> Secret | None:
    """The content of the password's file, which nobody else may read."""
    path = settings.smtp_password_file
    if path is None:
        return None
    try:
        content = host().read_private(Path(path), PASSWORD_BYTES_MAX)
    except OSError as error:
        raise MailRefused(f"The password file {path} cannot be read: {error.strerror}.") from None
    if content is None:
        raise MailRefused(f"The password file {path} must be a file with mode 0600.")
    password = content.rstrip(b"\r\n")
    if not re.fullmatch(rb"[ -~]+", password) or len(content) > PASSWORD_BYTES_MAX:
        raise MailRefused(
            f"The password file {path} must hold one line of ASCII, at most"
            f" {PASSWORD_BYTES_MAX} bytes."
        )
    return Secret(password.decode("ascii"))


class _Talk:
    """What is said to the server, and how far it got."""

    def __init__(self, settings: AltiGenSettings, password: Secret | None) -> None:
        self._settings = settings
        self._password = password
        self._where = f"The mail server {settings.smtp_host}:{settings.smtp_port}"
        self._tls = _tls(settings) if settings.smtp_starttls else None
        self._text_goes_out = False

    def introduce(self, line: SmtpLine) -> None:
        """Greet, hide the talk from others, log in."""
        line.ehlo_or_helo_if_needed()
        if self._tls is not None:
            line.starttls(context=self._tls)
            line.ehlo_or_helo_if_needed()
        if self._settings.smtp_user is not None and self._password is not None:
            line.login(self._settings.smtp_user, self._password.reveal())

    def announce(self, line: SmtpLine, sender: str, recipient: str, size: int) -> None:
        """Say from whom and to whom; the server may refuse before it has the text."""
        options = [f"SIZE={size}"] if line.has_extn("size") else []
        self._expect(*line.mail(sender, options), f"the sender {sender}")
        self._expect(*line.rcpt(recipient), f"the recipient {recipient}")
        code, text = line.docmd("DATA")
        if code != _SEND_THE_TEXT:
            raise self._error(code, text, "the mail")

    def hand_over(self, line: SmtpLine, mail: bytes) -> None:
        """Send the text; from its first byte on, nobody but the server knows what it has."""
        self._text_goes_out = True
        lines = re.sub(rb"\r\n|\r|\n", b"\r\n", mail).removesuffix(b"\r\n")
        line.send(re.sub(rb"(?m)^\.", b"..", lines) + b"\r\n.\r\n")
        self._expect(*line.getreply(), "the mail")

    def broken(self, error: OSError | ValueError) -> DriverError:
        """What it means that the talk ended early."""
        if self._text_goes_out:
            return DriverUnfinished(
                f"{self._where} did not answer after it was sent the mail, so it may have it."
            )
        match error:
            case smtplib.SMTPAuthenticationError(smtp_code=code) if code not in range(400, 500):
                # Its text is not repeated: nobody knows what a server says about a password.
                user = self._settings.smtp_user
                return CredentialsRefused(f"{self._where} refuses {user}'s password.", code)
            case smtplib.SMTPResponseException(smtp_code=code, smtp_error=text):
                return self._error(code, text, "the connection")
            case smtplib.SMTPServerDisconnected() | TimeoutError():
                seconds = self._settings.mail_seconds_max
                return DriverUnavailable(
                    f"{self._where} ended the talk, or was cut off after {seconds:g} seconds,"
                    " before it had the mail."
                )
            case smtplib.SMTPException():
                return MailRefused(f"{self._where} offers too little: {_reported(str(error))}")
            case ssl.SSLCertVerificationError():
                return MailRefused(
                    f"{self._where} is not trusted: {_reported(error.verify_message)}."
                    " Give its certificates as smtp_ca_file."
                )
            case OSError(strerror=reason):
                return DriverUnavailable(f"{self._where} cannot be reached: {reason or error}.")
        return DriverUnavailable(f"{self._where} gives answers that are not understood: {error}.")

    def _expect(self, code: int, text: bytes, what: str) -> None:
        if code not in range(200, 300):
            raise self._error(code, text, what)

    def _error(self, code: int, text: bytes | str, what: str) -> DriverError:
        said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        if code in range(500, 600):
            return MailRefused(f"{self._where} refuses {what}: {code} {_reported(said)}.", code)
        if code in range(400, 500) or not self._text_goes_out:
            return DriverUnavailable(
                f"{self._where} does not take {what} for now: {code} {_reported(said)}."
            )
        return DriverUnfinished(f"{self._where} answered the mail with {code} {_reported(said)}.")


def _tls(settings: AltiGenSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.smtp_ca_file)
    except OSError as error:
        raise MailRefused(
            f"The certificates {settings.smtp_ca_file} cannot be used: {error.strerror or error}."
        ) from None


def _reported(text: str) -> str:
    """What a server says, for the middle of a sentence."""
    words = " ".join(text[: 4 * _REPORTED_LENGTH_MAX].split())[:_REPORTED_LENGTH_MAX]
    return "".join(letter for letter in words if letter.isprintable()).rstrip(".")
