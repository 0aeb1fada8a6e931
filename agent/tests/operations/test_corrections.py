# SPDX-License-Identifier: GPL-3.0-or-later
"""What never began is corrected or dropped under its own name; what may have begun is not.

The source decides whether it began: it serves one declaration, and a target that corrected its
own still takes what the source had debited for an earlier one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from seatkeeper_agent.domain.licenses import ItemKey
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import DocumentKind
from seatkeeper_agent.domain.transfers import Declaration, Leg, Side, State
from seatkeeper_agent.operations.documents import unseal
from seatkeeper_agent.operations.invariants import check
from seatkeeper_agent.operations.legs import LegRequest
from seatkeeper_agent.operations.recovery import MARGIN_SECONDS
from seatkeeper_agent.operations.views import declaration_from_view

from .hosts import ACTOR, DAY, FIRM, Crash, Host, Pair
from .test_borrows import borrow_request, held, owned, until_after
from .test_transfers import actions, crash_at, holder, seats


def wanted(pair: Pair, quantity: int, **values: Any) -> Declaration:
    """The same name, with a number that may have to be corrected."""
    return pair.declare("ten", "201", "licenses", quantity=quantity, **values)


def state_of(host: Host, declared: Declaration) -> State | None:
    """Where a transfer stands on a host."""
    record = host.record(declared)
    return None if record is None else record.state


def assert_sound(pair: Pair) -> None:
    """The invariants hold on both hosts, and nothing is held."""
    for host in pair:
        with host.journal.reading() as unit:
            assert [found for found in check(unit) if not found.holds] == []
        assert holder(host) is None


def refused(pair: Pair, declared: Declaration, leg: Leg, **values: Any) -> ProblemCode:
    """The code with which a leg is refused."""
    with pytest.raises(Problem) as caught:
        pair.leg(declared, leg, **values)
    return caught.value.code


def test_the_source_can_be_asked_before_the_target_is_touched(pair: Pair) -> None:
    """A dry run of the source's leg needs nothing from the target, and leaves nothing behind."""
    with pytest.raises(Problem, match="25 licenses, 26 were asked for"):
        pair.old.transfers.plan(LegRequest(Leg.ISSUE, wanted(pair, 26), ACTOR))
    assert [state_of(host, wanted(pair, 26)) for host in pair] == [None, None]


def test_a_wrong_quantity_is_corrected_under_its_own_name(pair: Pair) -> None:
    """On both sides; a request that is out is answered no more."""
    wrong, right = wanted(pair, 26), wanted(pair, 10)
    old_request = pair.leg(wrong, Leg.REQUEST)["document"]
    assert refused(pair, wrong, Leg.ISSUE, document=old_request) is ProblemCode.NOT_ENOUGH
    for host, leg in ((pair.new, Leg.REQUEST), (pair.old, Leg.ISSUE)):
        assert host.transfers.plan(LegRequest(leg, right, ACTOR))["changed"]
    assert pair.new.record(right).declaration == wrong
    pair.carry(right)
    assert (seats(pair.old), seats(pair.new)) == (15, 10)
    assert "corrected" in actions(pair.new)
    assert refused(pair, wrong, Leg.ISSUE, document=old_request) is ProblemCode.DECLARATION_DIFFERS
    assert_sound(pair)


@pytest.mark.parametrize("nth", [1, 2])
def test_what_was_created_at_the_source_is_corrected_there(pair: Pair, nth: int) -> None:
    """Also where the agent died with the container taken; to another item and type as well."""
    wrong, right = wanted(pair, 3), pair.declare("ten", "203", "units", quantity=2)
    document = pair.leg(wrong, Leg.REQUEST)["document"]
    crash_at(pair.old, "commit.after", nth)
    with pytest.raises(Crash):
        pair.leg(wrong, Leg.ISSUE, document=document)
    pair.old.crash()
    assert state_of(pair.old, wrong) is State.CREATED
    pair.carry(right)
    assert (seats(pair.old), seats(pair.new)) == (25, 0)
    assert [entry["unit_counter"] for entry in pair.new.twin.items(203)] == [2]
    assert_sound(pair)


def test_what_the_product_refused_is_corrected(pair: Pair) -> None:
    """The debit was tried, refused by the product, and seen not to have happened."""
    wrong, right = wanted(pair, 3), wanted(pair, 2)
    document = pair.leg(wrong, Leg.REQUEST)["document"]
    pair.old.twin.ask("_twin.fault", point="debit.before", action="refuse", value=234)
    assert refused(pair, wrong, Leg.ISSUE, document=document) is ProblemCode.RUNTIME_REFUSED
    pair.carry(right)
    assert (seats(pair.old), seats(pair.new)) == (23, 2)
    assert_sound(pair)


@pytest.mark.parametrize("leg", [Leg.ISSUE, Leg.INSTALL, Leg.CONFIRM, Leg.ACKNOWLEDGE])
def test_what_has_begun_is_not_corrected(pair: Pair, leg: Leg) -> None:
    """From the debit on the declaration stands, and the sentence says so."""
    wrong, right, document = wanted(pair, 3), wanted(pair, 2), None
    for each in Leg:
        document = pair.leg(wrong, each, document=document)["document"]
        if each is leg:
            break
    assert refused(pair, right, Leg.ISSUE, document=document) is ProblemCode.DECLARATION_DIFFERS
    if leg is not Leg.ISSUE:
        assert refused(pair, right, Leg.REQUEST) is ProblemCode.DECLARATION_DIFFERS


def test_a_debit_in_doubt_is_not_corrected(pair: Pair) -> None:
    """Nobody knows whether seats have left, so nothing takes its place."""
    wrong, right = wanted(pair, 3), wanted(pair, 2)
    document = pair.leg(wrong, Leg.REQUEST)["document"]
    crash_at(pair.old, "do_transfer.before")
    with pytest.raises(Crash):
        pair.leg(wrong, Leg.ISSUE, document=document)
    pair.old.crash()
    request = pair.leg(right, Leg.REQUEST)["document"]
    assert refused(pair, right, Leg.ISSUE, document=request) is ProblemCode.DECLARATION_DIFFERS
    assert state_of(pair.old, wrong) is State.DEBITING
    assert pair.old.recovery.resume_all(ACTOR)[1] == []
    sent = pair.old.record(wrong).documents["transfer"]
    document = pair.leg(wrong, Leg.INSTALL, document=sent)["document"]
    document = pair.leg(wrong, Leg.CONFIRM, document=document)["document"]
    pair.leg(wrong, Leg.ACKNOWLEDGE, document=document)
    assert (seats(pair.old), seats(pair.new)) == (22, 3)
    assert_sound(pair)


@pytest.mark.parametrize("gives_up", [False, True])
def test_what_left_before_a_correction_arrives_as_it_left(pair: Pair, gives_up: bool) -> None:
    """The target corrected, or gave up, without knowing that the source had served it already."""
    wrong, right = wanted(pair, 3), wanted(pair, 2)
    document = pair.leg(wrong, Leg.REQUEST)["document"]
    sent = pair.leg(wrong, Leg.ISSUE, document=document)["document"]
    pair.leg(right, Leg.REQUEST)
    if gives_up:
        pair.new.transfers.void(right.id, ACTOR, dry_run=False)
    document = pair.leg(wrong, Leg.INSTALL, document=sent)["document"]
    document = pair.leg(wrong, Leg.CONFIRM, document=document)["document"]
    pair.leg(wrong, Leg.ACKNOWLEDGE, document=document)
    assert (seats(pair.old), seats(pair.new)) == (22, 3)
    assert pair.new.record(wrong).declaration == wrong
    assert_sound(pair)


def test_what_was_never_declared_here_does_not_arrive(pair: Pair) -> None:
    """A document for a declaration that this host never had is refused as before."""
    declared, other = wanted(pair, 3), wanted(pair, 2)
    sent = pair.leg(declared, Leg.REQUEST)["document"]
    sent = pair.leg(declared, Leg.ISSUE, document=sent)["document"]
    assert refused(pair, other, Leg.INSTALL, document=sent) is ProblemCode.DECLARATION_DIFFERS
    assert seats(pair.new) == 0


def test_another_host_is_another_transfer(pair: Pair) -> None:
    """Nothing tells what became of it at the first one."""
    pair.leg(wanted(pair, 3), Leg.REQUEST)
    other = wanted(pair, 3)
    other = replace(other, source=replace(other.source, agent="elsewhere"))
    assert refused(pair, other, Leg.REQUEST) is ProblemCode.DECLARATION_DIFFERS


def test_what_was_dropped_may_be_asked_for_again(pair: Pair) -> None:
    """Given up at the target before anything left, then declared again, with another number."""
    pair.leg(wanted(pair, 3), Leg.REQUEST)
    assert pair.new.transfers.void(wanted(pair, 3).id, ACTOR, dry_run=False)["changed"]
    pair.carry(wanted(pair, 2))
    assert (seats(pair.old), seats(pair.new)) == (23, 2)
    assert_sound(pair)


POINTS = [
    *((Side.TARGET, point) for point in ("create_request.before", "create_request.after")),
    *((side, point) for side in Side for point in ("commit.before", "commit.after")),
]


@pytest.mark.parametrize(("side", "point"), POINTS)
def test_a_correction_is_there_whole_or_not_at_all(pair: Pair, side: Side, point: str) -> None:
    """The agent dies at every moment of it, on either host; declared again it comes to its end."""
    wrong, right = wanted(pair, 26), wanted(pair, 10)
    document = pair.leg(wrong, Leg.REQUEST)["document"]
    assert refused(pair, wrong, Leg.ISSUE, document=document) is ProblemCode.NOT_ENOUGH
    if side is Side.SOURCE:
        document = pair.leg(right, Leg.REQUEST)["document"]
    leg = Leg.REQUEST if side is Side.TARGET else Leg.ISSUE
    host = pair.host_of(right, side)
    crash_at(host, point)
    with pytest.raises(Crash):
        pair.leg(right, leg, document=document if leg is Leg.ISSUE else None)
    host.crash()
    record = host.record(right)
    if record is not None:
        assert record.documents["request"]
        assert (record.declaration == right) == (point == "commit.after" or side is Side.SOURCE)
    pair.carry(right)
    assert (seats(pair.old), seats(pair.new)) == (15, 10)
    assert_sound(pair)


# Borrows ---------------------------------------------------------------------------------


def carry_all(pair: Pair, answer: dict[str, Any]) -> list[ProblemCode]:
    """Carry what a borrow asks for; gives what was refused, as the others go on."""
    problems = []
    for view in answer["transfers"]:
        try:
            pair.carry(declaration_from_view(view["id"], view))
        except Problem as problem:
            problems.append(problem.code)
    return problems


def put(pair: Pair, count: int, until: int, **changes: Any) -> dict[str, Any]:
    """Declare the borrow; a dry run says the same before."""
    wanted_borrow = borrow_request(pair, count, until, **changes)
    planned = pair.new.borrows.put(wanted_borrow, ACTOR, dry_run=True)
    answer = pair.new.borrows.put(wanted_borrow, ACTOR, dry_run=False)
    assert (planned["changed"], planned["transfers"]) == (answer["changed"], answer["transfers"])
    return answer


def settled(pair: Pair, count: int, until: int, **changes: Any) -> None:
    """Nothing is left to do, and nothing is open anywhere."""
    again = put(pair, count, until, **changes)
    assert (again["changed"], again["transfers"]) == (False, [])
    for host in pair:
        with host.journal.reading() as unit:
            assert unit.transfers.page(only_open=True, after="", limit=100) == []
    assert_sound(pair)


def test_six_of_five_corrected_to_five(pair: Pair) -> None:
    """The sixth was asked for and never lent: it is dropped, and nothing is returned for it."""
    until = until_after(pair, DAY)
    assert carry_all(pair, put(pair, 6, until)) == [ProblemCode.NOT_ENOUGH]
    assert carry_all(pair, put(pair, 6, until)) == [ProblemCode.NOT_ENOUGH]
    corrected = put(pair, 5, until)
    assert (corrected["changed"], corrected["transfers"]) == (True, [])
    assert (held(pair.old), held(pair.new)) == (0, 5)
    settled(pair, 5, until)


def test_what_never_began_is_given_up_before_anything_is_returned(pair: Pair) -> None:
    """The first lot was asked for and never lent; one fewer is wanted."""
    until = until_after(pair, DAY)
    answer = put(pair, 3, until)
    first, *others = answer["transfers"]
    pair.leg(declaration_from_view(first["id"], first), Leg.REQUEST)
    assert carry_all(pair, {"transfers": others}) == []
    assert put(pair, 2, until)["transfers"] == []
    assert (held(pair.old), held(pair.new)) == (3, 2)
    settled(pair, 2, until)


def test_an_end_that_is_too_far_is_corrected(pair: Pair) -> None:
    """Of a borrow that never began, and of an extension."""
    far, near, later = (until_after(pair, days * DAY) for days in (40, 5, 6))
    assert carry_all(pair, put(pair, 1, far)) == [ProblemCode.PERIOD_TOO_LONG]
    assert carry_all(pair, put(pair, 1, near)) == []
    settled(pair, 1, near)
    assert carry_all(pair, put(pair, 1, far)) == [ProblemCode.PERIOD_TOO_LONG]
    assert carry_all(pair, put(pair, 1, later)) == []
    settled(pair, 1, later)
    # The end that was too far is not by now, and is declared again.
    pair.later(int(5.5 * DAY))
    far_again = until_after(pair, 29 * DAY)
    assert carry_all(pair, put(pair, 1, far_again)) == []
    settled(pair, 1, far_again)


def test_a_wrong_item_is_corrected_before_anything_was_lent(pair: Pair) -> None:
    """Under the borrow's own name; afterwards it is another borrow."""
    until, other = until_after(pair, DAY), ItemKey(FIRM, 205)
    assert carry_all(pair, put(pair, 2, until, item=other)) == [ProblemCode.ITEM_UNKNOWN] * 2
    assert carry_all(pair, put(pair, 2, until)) == []
    settled(pair, 2, until)
    with pytest.raises(Problem, match="is known here with another item"):
        pair.new.borrows.put(borrow_request(pair, 2, until, item=other), ACTOR, dry_run=True)


def test_an_extension_whose_lot_ended_is_dropped(pair: Pair) -> None:
    """It was asked for in time and served too late; a new borrow takes its place."""
    until, later = until_after(pair, DAY), until_after(pair, 3 * DAY)
    carry_all(pair, put(pair, 1, until))
    (view,) = put(pair, 1, later)["transfers"]
    extension = declaration_from_view(view["id"], view)
    document = pair.leg(extension, Leg.REQUEST)["document"]
    pair.later(DAY + 2 * MARGIN_SECONDS)
    assert refused(pair, extension, Leg.ISSUE, document=document) is ProblemCode.BORROW_UNKNOWN
    pair.old.recovery.resume_all(ACTOR)
    assert carry_all(pair, put(pair, 1, later)) == []
    assert state_of(pair.new, extension) is State.VOID
    assert (held(pair.old), held(pair.new)) == (4, 1)
    settled(pair, 1, later)


@pytest.mark.parametrize("accepted", [False, True])
def test_a_borrow_that_ended_on_its_way_closes_itself(pair: Pair, accepted: bool) -> None:
    """The target says no by itself, and the source posts that the seat fell back."""
    until = until_after(pair, DAY)
    (view,) = put(pair, 1, until)["transfers"]
    lot = declaration_from_view(view["id"], view)
    document = pair.leg(lot, Leg.REQUEST)["document"]
    sent = pair.leg(lot, Leg.ISSUE, document=document)["document"]
    if accepted:
        pair.new.twin.ask("_twin.fault", point="import.before", action="refuse", value=234)
        assert refused(pair, lot, Leg.INSTALL, document=sent) is ProblemCode.RUNTIME_REFUSED
    pair.later(DAY + 2 * MARGIN_SECONDS)
    planned = pair.new.transfers.plan(LegRequest(Leg.INSTALL, lot, ACTOR, document=sent))
    done = pair.leg(lot, Leg.INSTALL, document=sent)
    for answer in (planned, done):
        assert [step["name"] for step in answer["steps"]] == ["refuse"]
        assert answer["before"] == answer["after"]
    closed = pair.leg(lot, Leg.CONFIRM, document=done["document"])
    assert closed["record"].state is State.VOID
    assert not pair.leg(lot, Leg.ACKNOWLEDGE, document=closed["document"])["changed"]
    assert (held(pair.old), owned(pair.old), held(pair.new)) == (5, 5, 0)
    assert pair.old.recovery.resume_all(ACTOR) == ([], [])
    settled(pair, 1, until)


def test_an_extension_that_ended_on_its_way_closes_itself(pair: Pair) -> None:
    """The lot and its extension are both over; each gives back what it has, which is one seat."""
    until, later = until_after(pair, DAY), until_after(pair, 2 * DAY)
    carry_all(pair, put(pair, 1, until))
    (view,) = put(pair, 1, later)["transfers"]
    extension = declaration_from_view(view["id"], view)
    document = pair.leg(extension, Leg.REQUEST)["document"]
    sent = pair.leg(extension, Leg.ISSUE, document=document)["document"]
    pair.later(2 * DAY + 2 * MARGIN_SECONDS)
    document = pair.leg(extension, Leg.INSTALL, document=sent)["document"]
    pair.leg(extension, Leg.CONFIRM, document=document)
    assert pair.old.recovery.resume_all(ACTOR)[1] == []
    assert held(pair.old) == 5
    settled(pair, 1, later)


def test_what_was_imported_by_hand_is_not_refused_when_its_end_comes(pair: Pair) -> None:
    """The container shows it, so the target says installed, whatever the time."""
    until = until_after(pair, DAY)
    (view,) = put(pair, 1, until)["transfers"]
    lot = declaration_from_view(view["id"], view)
    document = pair.leg(lot, Leg.REQUEST)["document"]
    sent = pair.leg(lot, Leg.ISSUE, document=document)["document"]
    document = unseal(pair.new.identity, DocumentKind.TRANSFER, lot, sent)
    pair.new.driver.import_update(pair.new.serial, document.artefact)
    pair.later(DAY + 2 * MARGIN_SECONDS)
    done = pair.leg(lot, Leg.INSTALL, document=sent)
    assert done["record"].state is State.TRANSFERRED


def test_a_request_whose_end_came_is_given_up(pair: Pair) -> None:
    """Nobody declares the borrow any more: the next start closes what was only asked for."""
    until = until_after(pair, DAY)
    (view,) = put(pair, 1, until)["transfers"]
    lot = declaration_from_view(view["id"], view)
    pair.leg(lot, Leg.REQUEST)
    pair.new.recovery.resume_all(ACTOR)
    assert state_of(pair.new, lot) is State.REQUESTED
    pair.later(DAY + 2 * MARGIN_SECONDS)
    pair.new.recovery.resume_all(ACTOR)
    assert state_of(pair.new, lot) is State.VOID
