# SPDX-License-Identifier: GPL-3.0-or-later
"""The process: mail by SMTP, faults at every point of it, and what is there after a death."""

from __future__ import annotations

import smtplib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatkeeper_twins.altigen import people
from seatkeeper_twins.altigen.__main__ import main
from seatkeeper_twins.altigen.models import CARD
from seatkeeper_twins.parts import control

from .running import HOUR, NEW, OLD, TEN, Twin, letter, running

SECONDS_MAX = 120


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Twin]:
    """A running twin of the demo's systems."""
    with running(tmp_path / "twin") as found:
        yield found


def send(twin: Twin, raw: bytes) -> None:
    """Send a mail as any program would."""
    with smtplib.SMTP("127.0.0.1", twin.smtp_port, "tester.invalid", SECONDS_MAX) as client:
        client.sendmail("licenses@studio.example", ["support@vendor.example"], raw)


def test_an_order_from_the_mail_to_the_new_system(twin: Twin) -> None:
    case = people.open_case(twin.at, NEW)
    send(twin, letter(f"Case {case}", TEN))
    people.fax(twin.at, case, [CARD])
    control.advance(5 * HOUR, twin.at)
    assert twin.describe()["cases"][case]["state"] == "moved"
    with pytest.raises(control.TwinRefused, match="register it first"):
        people.register(twin.at, NEW, [TEN])
    people.register(twin.at, OLD)
    assert TEN in people.register(twin.at, NEW, [TEN])


@pytest.mark.parametrize(
    ("point", "arrives"),
    [("greeting.before", 0), ("recipient.before", 0), ("mail.before", 0), ("mail.after", 1)],
)
def test_a_lost_answer_looks_the_same_whether_the_mail_arrived(
    twin: Twin, point: str, arrives: int
) -> None:
    control.set_fault(twin.at, point, "lose")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(twin, letter("Case 1"))
    assert len(twin.describe()["mails"]) == arrives
    send(twin, letter("Case 1"))
    assert len(twin.describe()["mails"]) == arrives + 1


def test_the_mailbox_can_refuse_and_be_slow(twin: Twin) -> None:
    control.set_fault(twin.at, "recipient.before", "refuse", 550)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(twin, letter("Case 1"))
    control.set_fault(twin.at, "mail.before", "refuse", 452)
    with pytest.raises(smtplib.SMTPDataError) as caught:
        send(twin, letter("Case 1"))
    assert caught.value.smtp_code == 452
    control.set_fault(twin.at, "mail.before", "slow", 10)
    send(twin, letter("Case 1"))
    assert len(twin.describe()["mails"]) == 1


@pytest.mark.parametrize(("point", "arrives"), [("mail.during", 0), ("mail.after", 1)])
def test_a_killed_twin_comes_back_at_its_ports_with_what_it_had(
    twin: Twin, point: str, arrives: int
) -> None:
    case = people.open_case(twin.at, NEW)
    places = (twin.at, twin.smtp_port)
    control.set_fault(twin.at, point, "die")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(twin, letter(f"Case {case}", TEN))
    assert twin.process.wait() == -9
    twin.process.start()
    assert (twin.at, twin.smtp_port) == places
    assert len(twin.describe()["mails"]) == arrives
    assert not twin.describe()["faults"]


def test_a_death_while_licenses_are_moved_leaves_them_whole(twin: Twin) -> None:
    case = people.open_case(twin.at, NEW)
    send(twin, letter(f"Case {case}", TEN, ("form.html", "card.html")))
    control.set_fault(twin.at, "answer.during", "die")
    with pytest.raises(ConnectionError):
        control.advance(5 * HOUR, twin.at)
    twin.process.wait()
    twin.process.start()
    assert twin.describe()["cases"][case]["state"] == "moved"
    assert [key for key, entry in twin.describe()["keys"].items() if entry["system"] == NEW].count(
        TEN
    ) == 1


def test_commands_stand_in_for_people(twin: Twin) -> None:
    def run(*words: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "seatkeeper_twins.altigen", *words, "--at", twin.at]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
        )
        assert done.returncode == code, done.stderr
        return (done.stdout or done.stderr).strip()

    case = run("case", NEW)
    run("fax", case, "license_transfer_form", CARD, "--key", TEN)
    run("advance", str(5 * HOUR))
    assert run("register", NEW, TEN, code=1) == f"Front desk old still has {TEN}: register it first"
    assert '"state": "moved"' in run("show")
    run("set", "conduct=late")
    assert twin.describe()["conduct"] == "late"
    assert "mail.during" in run("points").split()


def test_a_host_without_the_extra_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "seatkeeper_twins.altigen.mailbox", raising=False)
    monkeypatch.setitem(sys.modules, "aiosmtpd", None)
    monkeypatch.setitem(sys.modules, "aiosmtpd.smtp", None)
    assert main(["serve", "--dir", str(tmp_path / "twin")]) == 1
    assert "install seatkeeper-agent with its extra twins" in capsys.readouterr().err
