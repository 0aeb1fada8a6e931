# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail is accepted, refused, never sent, or nobody knows; each is told apart, and in time."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from twins.altigen.running import Twin, running

from seatkeeper_agent.operations.ports import (
    DriverError,
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
)
from seatkeeper_agent.operations.server_ports import CredentialsRefused
from seatkeeper_agent.vendors.altigen.mail import PASSWORD_BYTES_MAX, MailRefused, send
from seatkeeper_agent.vendors.altigen.settings import AltiGenSettings
from seatkeeper_twins.altigen import people
from seatkeeper_twins.parts import control

from .scripted_server import CLOSE, DRIP, SILENT, answering

PASSWORD = "canary-7fd1"  # noqa: S105 - a mark to look for in texts
SHORT = 0.5
LONG_SECONDS = 20


def mail(text: str = "Please look at what is attached.\n") -> bytes:
    """A whole mail."""
    message = EmailMessage()
    message["From"] = "licenses@studio.example"
    message["To"] = "support@vendor.example"
    message["Subject"] = "Case 1"
    message.set_content(text)
    return message.as_bytes()


def settings_of(port: int, **values: Any) -> AltiGenSettings:
    """Settings for a server on this host, without TLS unless it is asked for."""
    return AltiGenSettings(
        **{
            "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_starttls": False,
            "sender": "licenses@studio.example", "recipient": "support@vendor.example",
            "mail_seconds_max": 30.0, **values,
        }
    )  # fmt: skip


def outcome(answers: dict[str, str], **values: Any) -> tuple[DriverError | None, list[str]]:
    """What sending came to, and what the server was told."""
    with answering(**answers) as server:
        try:
            send(mail(), settings_of(server.port, **values))
        except DriverError as error:
            return error, server.commands
        return None, server.commands


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Twin]:
    """A running twin without a login."""
    with running(tmp_path / "twin") as found:
        yield found


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Twin]:
    """A running twin that wants TLS and a login."""
    mailbox = {"starttls": True, "user": "licenses", "password": PASSWORD}
    with running(tmp_path / "twin", mailbox=mailbox) as found:
        yield found


def password_file(folder: Path, content: bytes = PASSWORD.encode() + b"\n") -> str:
    """A password's file with mode 0600."""
    path = folder / "password"
    path.touch(mode=0o600)
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize(
    "text",
    [
        "one line\n", "\n", ".\n", "..\n.\n.a\n", "no end", "a\n\n\n.\n",
        "x" * 900 + "\n", "äöü €\n",
    ],
)  # fmt: skip
def test_every_text_arrives_as_it_is(text: str) -> None:
    with answering() as server:
        send(mail(text), settings_of(server.port))
        assert server.text == mail(text).replace(b"\n", b"\r\n")


def test_an_accepted_mail_is_in_the_mailbox(twin: Twin) -> None:
    send(mail(), settings_of(twin.smtp_port))
    (found,) = twin.describe()["mails"]
    assert (found["sender"], found["recipients"]) == (
        "licenses@studio.example", ["support@vendor.example"],
    )  # fmt: skip
    assert people.mail(twin.at, 0) == mail().replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    ("answers", "kind", "reported"),
    [
        ({"greeting": "554 go away"}, MailRefused, "refuses the connection: 554 go away."),
        ({"greeting": "421 busy"}, DriverUnavailable, "for now: 421 busy."),
        ({"greeting": CLOSE}, DriverUnavailable, "before it had the mail."),
        ({"greeting": "hello"}, DriverUnavailable, "does not take the connection for now: -1"),
        ({"EHLO": CLOSE}, DriverUnavailable, "before it had the mail."),
        ({"EHLO": "550 no", "HELO": "550 no"}, MailRefused, "refuses the connection: 550 no."),
        ({"MAIL": "550 unknown"}, MailRefused, "refuses the sender licenses@studio.example: 550"),
        ({"RCPT": "550 unknown."}, MailRefused, "the recipient support@vendor.example: 550"),
        ({"RCPT": "451 later"}, DriverUnavailable, "the recipient support@vendor.example for now"),
        ({"RCPT": CLOSE}, DriverUnavailable, "before it had the mail."),
        ({"DATA": "554 no"}, MailRefused, "refuses the mail: 554 no."),
        ({"DATA": "250 yes?"}, DriverUnavailable, "does not take the mail for now: 250 yes?."),
        ({"DATA": CLOSE}, DriverUnavailable, "before it had the mail."),
        ({"text": "554 spam"}, MailRefused, "refuses the mail: 554 spam."),
        ({"text": "452 full"}, DriverUnavailable, "does not take the mail for now: 452 full."),
        ({"text": CLOSE}, DriverUnfinished, "so it may have it."),
        ({"text": "what"}, DriverUnfinished, "answered the mail with -1"),
        ({"text": "354 more"}, DriverUnfinished, "answered the mail with 354 more."),
        ({"text": "250…"}, DriverUnfinished, "so it may have it."),
        ({"text": "250-one\r\n250 two…"}, DriverUnfinished, "so it may have it."),
        ({"RCPT": "250…"}, DriverUnavailable, "before it had the mail."),
        ({"text": "2" * 9000}, DriverUnfinished, "so it may have it."),
    ],
)
def test_each_answer_of_a_server_has_its_meaning(
    answers: dict[str, str], kind: type[DriverError], reported: str
) -> None:
    error, _ = outcome(answers)
    assert type(error) is kind
    assert reported in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize("answer", [CLOSE, "500 what?", SILENT])
def test_what_a_server_says_to_a_farewell_does_not_matter(answer: str) -> None:
    error, commands = outcome({"QUIT": answer}, mail_seconds_max=1.0 if answer == SILENT else 30.0)
    assert error is None
    assert commands[-1].upper() == "QUIT"


@pytest.mark.parametrize("answer", [SILENT, DRIP])
@pytest.mark.parametrize(
    ("stage", "kind"),
    [
        ("greeting", DriverUnavailable), ("EHLO", DriverUnavailable), ("RCPT", DriverUnavailable),
        ("DATA", DriverUnavailable), ("text", DriverUnfinished),
    ],
)  # fmt: skip
def test_a_slow_server_is_not_waited_for_longer_than_allowed(
    stage: str, kind: type[DriverError], answer: str
) -> None:
    began = time.monotonic()
    error, _ = outcome({stage: answer}, mail_seconds_max=SHORT)
    assert type(error) is kind
    assert time.monotonic() - began < LONG_SECONDS


def test_a_server_that_is_not_there_had_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(DriverUnavailable, match="cannot be reached: Connection refused"):
        send(mail(), settings_of(port))
    with pytest.raises(DriverUnavailable, match="cannot be reached: "):
        send(mail(), settings_of(port, smtp_host="no-such-host.invalid"))


@pytest.mark.parametrize(
    ("point", "action", "value", "kind", "arrives"),
    [
        ("recipient.before", "lose", 0, DriverUnavailable, 0),
        ("mail.before", "lose", 0, DriverUnfinished, 0),
        ("mail.before", "refuse", 554, MailRefused, 0),
        ("mail.before", "refuse", 451, DriverUnavailable, 0),
        ("mail.during", "die", 0, DriverUnfinished, 0),
        ("mail.after", "die", 0, DriverUnfinished, 1),
        ("mail.after", "lose", 0, DriverUnfinished, 1),
    ],
)
def test_only_what_is_known_is_said_of_a_disturbed_mailbox(
    twin: Twin, point: str, action: str, value: int, kind: type[DriverError], arrives: int
) -> None:
    control.set_fault(twin.at, point, action, value)
    with pytest.raises(DriverError) as caught:
        send(mail(), settings_of(twin.smtp_port))
    assert type(caught.value) is kind
    if action == "die":
        twin.process.wait()
        twin.process.start()
    assert len(twin.describe()["mails"]) == arrives


def test_login_and_tls_as_a_relay_wants_them(guarded: Twin, tmp_path: Path) -> None:
    certificate = str(guarded.folder / "mailbox-certificate.pem")
    given = {
        "smtp_starttls": True, "smtp_ca_file": certificate, "smtp_user": "licenses",
        "smtp_password_file": password_file(tmp_path),
    }  # fmt: skip
    send(mail(), settings_of(guarded.smtp_port, **given))
    send(mail(), settings_of(guarded.smtp_port, **given, smtp_host="localhost"))
    assert len(guarded.describe()["mails"]) == 2
    password_file(tmp_path, b"another")
    with pytest.raises(CredentialsRefused, match="refuses licenses's password") as caught:
        send(mail(), settings_of(guarded.smtp_port, **given))
    assert caught.value.number == 535
    without = {**given, "smtp_ca_file": None}
    with pytest.raises(MailRefused, match=r"is not trusted: .*smtp_ca_file"):
        send(mail(), settings_of(guarded.smtp_port, **without))
    with pytest.raises(MailRefused, match=r"refuses the sender .*: 530"):
        send(mail(), settings_of(guarded.smtp_port))
    assert len(guarded.describe()["mails"]) == 2
    assert PASSWORD not in (guarded.folder / "log").read_text()


def test_a_server_without_tls_or_login_gets_no_password(tmp_path: Path) -> None:
    login = {"smtp_user": "licenses", "smtp_password_file": password_file(tmp_path)}
    for values in ({"smtp_starttls": True}, login, {**login, "smtp_starttls": True}):
        error, commands = outcome({}, **values)
        assert isinstance(error, MailRefused)
        assert "offers too little" in str(error)
        assert not [line for line in commands if line.startswith(("AUTH", "MAIL"))]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("535 canary-7fd1 is wrong", CredentialsRefused),
        ("454 later", DriverUnavailable),
        ("334 !not base64!", DriverUnavailable),
        (CLOSE, DriverUnavailable),
    ],
)
def test_no_answer_to_a_login_brings_the_password_into_a_text(
    tmp_path: Path, answer: str, kind: type[DriverError]
) -> None:
    offers = {"EHLO": "250-odd.invalid\r\n250 AUTH CRAM-MD5", "AUTH": answer}
    error, _ = outcome(offers, smtp_user="licenses", smtp_password_file=password_file(tmp_path))
    assert type(error) is kind
    assert PASSWORD not in str(error)


def test_a_password_file_is_for_the_agent_alone(tmp_path: Path) -> None:
    def reported(path: str) -> str:
        values = {"smtp_user": "licenses", "smtp_password_file": path}
        with pytest.raises(MailRefused, match=r"^The password file [^\n]+$") as caught:
            send(mail(), settings_of(1, **values))
        assert PASSWORD not in str(caught.value)
        return str(caught.value)

    path = password_file(tmp_path)
    for mode in (0o640, 0o604, 0o660):
        Path(path).chmod(mode)
        assert "must be a file with mode 0600" in reported(path)
    Path(path).chmod(0o600)
    for content in (b"", b"\n", b"a\nb", b"\xff", b"a" * (PASSWORD_BYTES_MAX + 1)):
        password_file(tmp_path, content)
        assert "must hold one line of ASCII" in reported(path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "must be a file" in reported(str(tmp_path / "pipe"))
    assert "cannot be read: No such file" in reported(str(tmp_path / "nothing"))


def test_certificates_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", Path(password_file(tmp_path))):
        with pytest.raises(MailRefused, match=f"The certificates {path} cannot be used"):
            send(mail(), settings_of(1, smtp_starttls=True, smtp_ca_file=str(path)))


@pytest.mark.parametrize(
    "head",
    [
        b"From: a@b.example\n\n", b"To: a@b.example\n\n",
        b"From: a@b.example\nTo: c@d.example, e@f.example\n\n",
        b"From: a@b.example\nTo: \xc3\xa4@d.example\n\n", b"",
    ],
)  # fmt: skip
def test_a_mail_says_from_whom_and_to_whom(head: bytes) -> None:
    with pytest.raises(DriverRefused, match="needs exactly one plain address in its line"):
        send(head, settings_of(1))
