# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan finds what the engine would be kept from, in its words, and writes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.transfers import Declaration, Leg
from seatkeeper_agent.operations.legs import LegRequest

from .hosts import ACTOR, Crash, Host, Pair


def seats(pair: Pair, name: str) -> Declaration:
    """One seat from the old host to the new one."""
    return pair.declare(name, "201", "licenses", quantity=1)


def head(host: Host) -> tuple[int, str]:
    """How far the audit has come."""
    with host.journal.reading() as unit:
        return unit.audit.head()


def refused_alike(pair: Pair, declared: Declaration, leg: Leg, **values: Any) -> Problem:
    """The problem that plan and run both have; the plan writes nothing."""
    host = pair.host_of(declared, leg.side)
    request = LegRequest(leg, declared, ACTOR, **values)
    before = head(host)
    with pytest.raises(Problem) as planned:
        host.transfers.plan(request)
    assert head(host) == before
    with pytest.raises(Problem) as done:
        host.transfers.run(request)
    assert (planned.value.code, planned.value.detail) == (done.value.code, done.value.detail)
    return planned.value


def interrupted(pair: Pair, declared: Declaration, point: str) -> None:
    """The source's agent ends in the middle of its debit, and is started again."""
    document = pair.leg(declared, Leg.REQUEST)["document"]

    def die(reached: str) -> None:
        if reached == point:
            raise Crash

    pair.old.at_point = die
    with pytest.raises(Crash):
        pair.leg(declared, Leg.ISSUE, document=document)
    pair.old.crash()


def test_what_other_work_holds_is_not_planned(pair: Pair) -> None:
    """Whoever debits from the container meanwhile would be in the way of the run."""
    other = seats(pair, "other")
    request = pair.leg(other, Leg.REQUEST)["document"]
    interrupted(pair, seats(pair, "under way"), "do_transfer.before")
    problem = refused_alike(pair, other, Leg.ISSUE, document=request)
    assert problem.code is ProblemCode.CONTAINER_BUSY


def test_what_was_begun_is_planned_to_be_gone_on_with(pair: Pair) -> None:
    """It is held by itself, and the product tells what came of it."""
    declared = seats(pair, "begun")
    interrupted(pair, declared, "do_transfer.after")
    assert pair.old.transfers.plan(LegRequest(Leg.ISSUE, declared, ACTOR))["changed"] is True
    assert pair.leg(declared, Leg.ISSUE)["changed"] is True
