# SPDX-License-Identifier: GPL-3.0-or-later
"""The mail goes out once: refused, lost, killed on the way, and with other settings afterwards."""

from __future__ import annotations

import threading

import pytest

from operations.hosts import Crash
from seatkeeper_agent.domain.problems import Problem, ProblemCode

from .bench import Bench, known_of
from .support import Support

NOT_TAKEN: dict[str, tuple[str, str, int, ProblemCode]] = {
    "for good": ("recipient.before", "refuse", 550, ProblemCode.RUNTIME_REFUSED),
    "for now": ("recipient.before", "refuse", 451, ProblemCode.RUNTIME_UNAVAILABLE),
    "with its text": ("mail.before", "refuse", 554, ProblemCode.RUNTIME_REFUSED),
    "by hanging up": ("greeting.before", "lose", 0, ProblemCode.RUNTIME_UNAVAILABLE),
}
LOST = {"before it had it": ("mail.before", 0), "after it had it": ("mail.after", 1)}


@pytest.mark.parametrize("fault", NOT_TAKEN)
def test_what_is_seen_not_to_be_taken_is_sent_again_by_the_next_run(
    mailing: Bench, support: Support, fault: str
) -> None:
    """With the same confirmation, since the vendor has heard of nothing."""
    *how, code = NOT_TAKEN[fault]
    case = support.open_case()
    said = mailing.confirmed(case_number=case)
    support.fault(*how)
    assert mailing.refused(**said).code is code
    assert (mailing.view()["state"], mailing.steps()["send"]) == ("failed", "planned")
    assert support.mails() == []
    assert mailing.orders.resume("agent") == []
    assert support.mails() == []
    assert mailing.put(**said)["order"]["state"] == "waiting"
    assert [mail["case"] for mail in support.mails()] == [case]


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("restarted", [True, False])
def test_a_lost_answer_leaves_it_in_doubt_until_a_person_has_looked(
    mailing: Bench, support: Support, fault: str, restarted: bool
) -> None:
    """Nothing sends it again; what the person says decides."""
    point, arrived = LOST[fault]
    case = support.open_case()
    said = mailing.confirmed(case_number=case)
    support.fault(point, "lose")
    refused = mailing.refused(**said)
    assert refused.code is ProblemCode.IN_DOUBT
    assert "look into the mailbox" in refused.detail
    for _run in range(3):
        if restarted:
            mailing.restart()
        assert mailing.orders.resume("agent") == []
        assert mailing.refused(**said).code is ProblemCode.IN_DOUBT
        assert mailing.view()["state"] == "in_doubt"
    assert len(support.mails()) == arrived
    mailing.attest(happened=bool(arrived), statement="Looked into the mailbox.")
    if not arrived:
        assert mailing.view()["state"] == "failed"
        mailing.put(**said)
    assert mailing.awaits() == [("person", "authorize")]
    assert len(support.mails()) == 1


@pytest.mark.parametrize(("point", "arrived"), [("mail.before", 0), ("mail.after", 1)])
def test_an_agent_that_ends_while_it_sends_never_sends_again(
    mailing: Bench, support: Support, point: str, arrived: int
) -> None:
    """Nothing tells the next one whether it was taken."""
    said = mailing.confirmed(case_number=support.open_case())
    mailing.point.end_at_name = point
    with pytest.raises(Crash):
        mailing.put(**said)
    mailing.restart()
    with pytest.raises(Problem) as caught:
        mailing.orders.resume("agent")
    assert caught.value.code is ProblemCode.IN_DOUBT
    assert mailing.orders.resume("agent") == []
    assert len(support.mails()) == arrived


def test_others_that_looked_before_it_was_sent_do_not_send_it_again(
    mailing: Bench, support: Support
) -> None:
    """Their work was put together when nothing was intended yet."""
    mailing.go()
    early = mailing.orders._spec(known_of(mailing), "early")
    support.fault("mail.after", "lose")
    assert mailing.refused(case_number=support.open_case()).code is ProblemCode.IN_DOUBT
    with pytest.raises(Problem) as caught:
        mailing.orders._engine.run(early)
    assert caught.value.code is ProblemCode.IN_DOUBT
    assert len(support.mails()) == 1


def test_two_runs_at_once_send_one_mail(mailing: Bench, support: Support) -> None:
    """And the watcher beside them."""
    mailing.go()
    case = support.open_case()
    support.fault("mail.before", "slow", 300)
    runs = [
        threading.Thread(target=mailing.put, kwargs={"case_number": case}),
        threading.Thread(target=mailing.put, kwargs={"case_number": case}),
        threading.Thread(target=mailing.orders.resume, args=("agent",)),
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join(120)
    assert [mail["case"] for mail in support.mails()] == [case]
    assert mailing.awaits() == [("person", "authorize")]


def test_an_open_order_keeps_its_steps_when_the_agent_may_send_mail_from_now_on(
    bench: Bench, support: Support
) -> None:
    """A person was asked to send it, and so it stays; the next order is mailed."""
    bench.go(case_number="CAS-1")
    assert bench.awaits() == [("person", "send")]
    bench.restart(support)
    assert bench.put()["changed"] is False
    bench.attest(statement="By post.")
    assert bench.awaits() == [("vendor", "move")]
    assert "authorize" not in bench.steps()
    bench.go(name="another", case_number=support.open_case())
    assert len(support.mails()) == 1


def test_an_open_order_that_can_be_mailed_no_more_is_given_to_a_person_anew(
    mailing: Bench, support: Support
) -> None:
    """With another confirmation, since others do it now."""
    said = mailing.confirmed()
    mailing.put(**said)
    case = support.open_case()
    mailing.without_mail()
    assert mailing.refused(**{**said, "case_number": case}).code in (
        ProblemCode.RUNTIME_REFUSED,
        ProblemCode.RUNTIME_UNAVAILABLE,
    )
    assert mailing.refused(**said).code is ProblemCode.CONFIRMATION_REQUIRED
    mailing.go()
    assert mailing.awaits() == [("person", "send")]
    assert support.mails() == []


def test_a_mail_in_doubt_stays_so_when_a_person_is_to_send_mail_from_now_on(
    mailing: Bench, support: Support
) -> None:
    """Whoever does it now did not do it then."""
    said = mailing.confirmed(case_number=support.open_case())
    support.fault("mail.after", "lose")
    mailing.refused(**said)
    mailing.without_mail()
    assert mailing.refused(**said).code is ProblemCode.IN_DOUBT
    mailing.attest(statement="It is in the mailbox.")
    assert mailing.awaits() == [("person", "authorize")]
