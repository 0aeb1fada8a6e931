# SPDX-License-Identifier: GPL-3.0-or-later
"""A desk that answers late, wrongly or not at all: the order waits, and claims nothing."""

from __future__ import annotations

import pytest

from operations.hosts import DAY
from seatkeeper_twins.altigen import people
from seatkeeper_twins.parts import control
from seatkeeper_twins.parts.control import TwinRefused

from .bench import Bench
from .support import KEYS, NEW, OLD, Support


def mailed(bench: Bench, support: Support) -> str:
    """An order up to where the vendor has everything; the case's number."""
    case = support.open_case()
    bench.go(case_number=case)
    support.fax(case)
    bench.attest(statement="Faxed.")
    assert bench.awaits() == [("vendor", "move")]
    return case


@pytest.mark.parametrize("conduct", ["late", "never"])
def test_what_does_not_come_in_time_is_overdue_until_the_vendor_was_reminded(
    mailing: Bench, support: Support, conduct: str
) -> None:
    """Nothing but a person's word ends the waiting."""
    control.set_values(support.address, conduct=conduct)
    mailing.clock.offset_seconds = -60 - DAY
    case = mailed(mailing, support)
    support.work(DAY + 60)
    assert not set(KEYS) & set(support.register(NEW))
    mailing.clock.offset_seconds = 0
    (late,) = mailing.awaited()
    assert (late["who"], late["overdue"]) == ("vendor", True)
    assert "ask in the support case" in late["instructions"][1]
    mailing.orders.resume("agent")
    assert mailing.awaited() == [late]
    control.set_values(support.address, conduct="in_time")
    people.note(support.address, case, "Where do you stand?")
    support.work()
    mailing.attest(statement="The case says so now.")
    support.register(OLD)
    mailing.attest()
    assert set(KEYS) <= set(support.register(NEW, *KEYS))


def test_what_was_moved_wrongly_is_found_when_the_new_system_is_registered(
    mailing: Bench, support: Support
) -> None:
    """The order waits at that step until the vendor has done the rest."""
    control.set_values(support.address, conduct="wrongly")
    case = mailed(mailing, support)
    support.work()
    mailing.attest(statement="The case claims both keys.")
    support.register(OLD)
    mailing.attest()
    with pytest.raises(TwinRefused, match="not associated"):
        support.register(NEW, *KEYS)
    assert mailing.awaits() == [("person", "register_new")]
    people.note(support.address, case, f"{KEYS[1]} is missing.")
    support.work()
    support.register(OLD)
    assert set(KEYS) <= set(support.register(NEW, *KEYS))
    mailing.attest()
    assert mailing.view()["state"] == "done"


def test_what_the_vendor_refuses_is_given_up_by_a_persons_word(
    mailing: Bench, support: Support
) -> None:
    """Nothing has moved, and the next attempt is another confirmation and another mail."""
    case = mailed(mailing, support)
    control.set_values(support.address, systems={NEW: {"assurance_until": "2020-01-01"}})
    support.work()
    answer = control.describe(support.address)["cases"][case]["answers"][-1]["text"]
    assert answer.startswith("Not moved: ")
    mailing.attest(happened=False, statement=answer.rstrip("."))
    shown = mailing.view()
    assert (shown["state"], "Not moved" in shown["problem"]["detail"]) == ("failed", True)
    assert mailing.orders.resume("agent") == []
    assert len(support.mails()) == 1
    assert set(KEYS) <= set(support.has(OLD))
