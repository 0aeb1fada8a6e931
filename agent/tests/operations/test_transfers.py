# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole transfers between two hosts: fences, confirmations, refusals, doubts and snapshots."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from seatkeeper_agent.domain.licenses import Measure
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import Account, OperationState
from seatkeeper_agent.domain.transfers import Declaration, Leg, Side, State, transfer_id
from seatkeeper_agent.operations.legs import LegRequest

from .conftest import MakePair
from .hosts import ACTOR, DAY, FIRM, Crash, Host, Pair, option

CODES = f"{FIRM}:201"
RETURN_FORBIDDEN = {"return_allowed": False}


def problem_of(pair: Pair, declared: Declaration, leg: Leg, **values: Any) -> Problem:
    """The refusal that a leg must meet."""
    with pytest.raises(Problem) as caught:
        pair.leg(declared, leg, **values)
    return caught.value


def actions(host: Host) -> list[str]:
    """What the audit of a host says, in order."""
    with host.journal.reading() as unit:
        assert unit.audit.first_broken_link() is None
        return [entry.action for entry in unit.audit.page(0, 1000)]


def seats(host: Host, product: int = 201) -> int:
    """Usable seats in a twin, borrowed ones included."""
    found = host.twin.items(product)
    return sum(entry["license_quantity"] or 0 for entry in found if entry["status"] == "enabled")


def holder(host: Host) -> Any:
    """The open operation of the host's container."""
    with host.journal.reading() as unit:
        return unit.operations.holding(host.serial)


def crash_at(host: Host, point: str, nth: int = 1) -> None:
    """Let the agent end at the n-th passage of a point."""
    left = nth

    def at_point(reached: str) -> None:
        nonlocal left
        left -= reached == point
        if left == 0 and reached == point:
            raise Crash(point)

    host.at_point = at_point


def ten(pair: Pair, **values: Any) -> Declaration:
    """The main job."""
    return pair.declare("ten", "201", "licenses", quantity=10, **values)


# Each leg, again and out of order ------------------------------------------------------


def test_each_leg_again_changes_nothing(pair: Pair) -> None:
    """The same document, changed is false, and the seats stay where they are."""
    declared, document = ten(pair), None
    for leg in Leg:
        first = pair.leg(declared, leg, document=document)
        again = pair.leg(declared, leg, document=document)
        assert (first["changed"], again["changed"]) == (True, False)
        assert again["document"] == first["document"]
        document = first["document"]
    assert (seats(pair.old), seats(pair.new)) == (15, 10)
    for host in pair:
        assert host.recovery.resume_all(ACTOR) == ([], [])


def test_plans_come_true(pair: Pair) -> None:
    """What a dry run predicts is what the leg then does, and planning touches nothing."""
    declared, document, facts = ten(pair), None, {}
    for leg in Leg:
        host = pair.host_of(declared, leg.side)
        before = actions(host)
        wanted = LegRequest(leg, declared, ACTOR, document=document, facts=facts)
        planned = host.transfers.plan(wanted)
        assert actions(host) == before
        done = host.transfers.run(wanted)
        assert (planned["before"], planned["after"]) == (done["before"], done["after"])
        strip = [{**step, "state": None} for step in planned["steps"]]
        assert strip == [{**step, "state": None} for step in done["steps"]]
        document = done["document"]
        facts = {"amounts": {"seats": 10}}


def test_a_leg_before_its_turn(pair: Pair) -> None:
    """Every leg says what it waits for, and does nothing."""
    declared = ten(pair)
    for leg in (Leg.ISSUE, Leg.INSTALL, Leg.CONFIRM, Leg.ACKNOWLEDGE):
        assert problem_of(pair, declared, leg).code is ProblemCode.LEG_OUT_OF_ORDER
    pair.leg(declared, Leg.REQUEST)
    assert problem_of(pair, declared, Leg.INSTALL).code is ProblemCode.LEG_OUT_OF_ORDER
    assert (seats(pair.old), seats(pair.new)) == (25, 0)


def test_a_leg_on_the_wrong_host(pair: Pair) -> None:
    """Told which host it belongs to."""
    wanted = LegRequest(Leg.ISSUE, ten(pair), ACTOR)
    with pytest.raises(Problem, match="belongs to the agent 'old', this one is 'new'"):
        pair.new.transfers.run(wanted)


def test_a_transfer_never_changes(pair: Pair) -> None:
    """The same name with another quantity is refused on both sides."""
    declared = ten(pair)
    pair.carry(declared)
    other = pair.declare("ten", "201", "licenses", quantity=11)
    for leg in Leg:
        problem = problem_of(pair, other, leg)
        assert problem.code is ProblemCode.DECLARATION_DIFFERS
        assert "another quantity" in problem.detail


# Documents in the wrong place ----------------------------------------------------------


def test_documents_that_are_refused_are_audited(pair: Pair) -> None:
    """Altered, of another transfer, replayed: nothing moves, and the audit tells."""
    declared, other = ten(pair), pair.declare("other", "201", "licenses", quantity=1)
    given = pair.carry(other)
    request = pair.leg(declared, Leg.REQUEST)["document"]
    altered = copy.deepcopy(request)
    altered["signatures"][0]["sig"] = request["signatures"][0]["sig"][::-1]
    for document, code in (
        (altered, ProblemCode.DOCUMENT_ALTERED),
        (given[Leg.REQUEST], ProblemCode.DOCUMENT_MISADDRESSED),
        (given[Leg.INSTALL], ProblemCode.DOCUMENT_INVALID),
    ):
        assert problem_of(pair, declared, Leg.ISSUE, document=document).code is code
    assert actions(pair.old).count("refused:issue") == 3
    assert seats(pair.old) == 24
    pair.leg(declared, Leg.ISSUE, document=request)
    problem = problem_of(pair, declared, Leg.INSTALL, document=given[Leg.ISSUE])
    assert problem.code is ProblemCode.DOCUMENT_MISADDRESSED
    assert actions(pair.new).count("refused:install") == 1


def test_a_leg_that_is_past_takes_no_other_document(pair: Pair) -> None:
    """Replayed or mixed up: said, audited, and the answer of the leg is not given."""
    declared = ten(pair)
    given = pair.carry(declared)
    for leg, document in (
        (Leg.INSTALL, given[Leg.REQUEST]),
        (Leg.CONFIRM, given[Leg.ISSUE]),
        (Leg.ACKNOWLEDGE, given[Leg.ISSUE]),
    ):
        problem = problem_of(pair, declared, leg, document=document)
        assert problem.code is ProblemCode.DOCUMENT_REPLAYED
    assert actions(pair.new).count("refused:install") == 1


def test_a_request_that_was_made_anew(pair: Pair) -> None:
    """A borrow's request becomes stale; what was issued for the older one answers both."""
    declared = pair.declare("seat", "204", "borrow_local", until=int(pair.clock()) + DAY)
    first = pair.leg(declared, Leg.REQUEST)["document"]
    issued = pair.leg(declared, Leg.ISSUE, document=first)["document"]
    pair.later(3600)
    second = pair.leg(declared, Leg.REQUEST)
    assert second["changed"]
    assert second["document"] != first
    again = pair.leg(declared, Leg.ISSUE, document=second["document"])
    assert (again["changed"], again["document"]) == (False, issued)
    altered = {**second["document"], "signatures": first["signatures"]}
    problem = problem_of(pair, declared, Leg.ISSUE, document=altered)
    assert problem.code is ProblemCode.DOCUMENT_ALTERED
    assert actions(pair.old).count("refused:issue") == 1
    pair.leg(declared, Leg.INSTALL, document=issued)
    assert (seats(pair.old, 204), seats(pair.new, 204)) == (4, 1)


def test_an_untrusted_host(pair: Pair) -> None:
    """Its documents are foreign, and the way out is named."""
    (pair.old.folder / "trust" / "new.pem").unlink()
    request = pair.leg(ten(pair), Leg.REQUEST)["document"]
    problem = problem_of(pair, ten(pair), Leg.ISSUE, document=request)
    assert problem.code is ProblemCode.DOCUMENT_FOREIGN
    assert "new.pem" in problem.next_action
    assert seats(pair.old) == 25


# Fences --------------------------------------------------------------------------------


def test_a_stale_update_counter(pair: Pair) -> None:
    """If-Match: the item moved on since the plan was made, so it is refused with the new one."""
    declared = ten(pair)
    request = pair.leg(declared, Leg.REQUEST)["document"]
    counter = pair.old.driver.items(pair.old.serial)[0].update_counter
    pair.carry(pair.declare("other", "201", "licenses", quantity=1))
    problem = problem_of(pair, declared, Leg.ISSUE, document=request, update_counter=counter)
    assert problem.code is ProblemCode.UPDATE_COUNTER_STALE
    current = problem.facts["update_counter"]
    assert current > counter
    assert problem.retryable
    pair.leg(declared, Leg.ISSUE, document=request, update_counter=current)
    # What is done is not held against a counter any more.
    pair.leg(declared, Leg.ISSUE, document=request, update_counter=counter)


def test_an_irreversible_plan_needs_its_own_confirmation(pair: Pair) -> None:
    """Bound to exactly this plan, and void as soon as the item has changed."""
    options = [option("licenses", **RETURN_FORBIDDEN)]
    forbid_return(pair.old, options)
    declared = ten(pair)
    document = pair.leg(declared, Leg.REQUEST)["document"]
    plan = pair.old.transfers.plan(LegRequest(Leg.ISSUE, declared, ACTOR))
    assert plan["confirmation_required"]
    assert plan["steps"][0]["reversible"] is False
    problem = problem_of(pair, declared, Leg.ISSUE, document=document)
    assert problem.code is ProblemCode.CONFIRMATION_REQUIRED
    assert plan["digest"] in problem.next_action
    wrong = problem_of(pair, declared, Leg.ISSUE, document=document, confirmation="0" * 64)
    assert wrong.code is ProblemCode.CONFIRMATION_REQUIRED
    # Drift: another transfer of the same item happens in between.
    other = pair.declare("other", "203", "units", quantity=1)
    pair.carry(other)
    void = problem_of(pair, declared, Leg.ISSUE, document=document, confirmation=plan["digest"])
    assert void.code is ProblemCode.CONFIRMATION_REQUIRED
    assert void.facts["digest"] != plan["digest"]
    assert seats(pair.old) == 25
    pair.carry(declared, confirmation=void.facts["digest"])
    assert (seats(pair.old), seats(pair.new)) == (15, 10)


def forbid_return(host: Host, options: list[dict[str, Any]]) -> None:
    """Program the first item anew, as its licensor might."""
    stored = [{**entry, "type": 3} for entry in options]
    host.twin.write("UPDATE item SET options = ? WHERE reference = 1", json.dumps(stored))
    host.driver._options.clear()


# Refusals by the target and giving up --------------------------------------------------


def test_a_refused_transfer_waits_for_the_licensor(pair: Pair) -> None:
    """Nothing is credited back because time passed; the vendor's correction is observed."""
    declared = ten(pair)
    document = pair.leg(declared, Leg.REQUEST)["document"]
    document = pair.leg(declared, Leg.ISSUE, document=document)["document"]
    receipt = pair.leg(declared, Leg.INSTALL, document=document, decision="refuse")["document"]
    # A refusal is for good.
    again = pair.leg(declared, Leg.INSTALL, document=document)
    assert (again["changed"], again["document"]) == (False, receipt)
    assert seats(pair.new) == 0
    pair.later(400 * DAY)
    for _ in range(2):
        problem = problem_of(pair, declared, Leg.CONFIRM, document=receipt)
        assert problem.code in (
            ProblemCode.CREDIT_BACK_NOT_DOCUMENTED, ProblemCode.CAPABILITY_REFUSED
        )  # fmt: skip
    assert seats(pair.old) == 15
    assert holder(pair.old) is None
    pair.carry(pair.declare("other", "201", "licenses", quantity=1))
    record = pair.old.record(declared)
    assert record is not None
    vendor_id = record.vendor_transfer_id
    pair.old.twin.ask("_twin.restore", serial=pair.old.serial, transfer_id=vendor_id)
    pair.leg(declared, Leg.CONFIRM, document=receipt)
    record = pair.old.record(declared)
    assert record is not None
    assert record.state is State.VOID
    assert seats(pair.old) == 24
    with pair.old.journal.reading() as unit:
        held = unit.ledger.balance(Account.CONTAINER, pair.old.serial, CODES, Measure.SEATS)
    assert held == 24


def test_giving_up_before_anything_left(pair: Pair) -> None:
    """Once; afterwards nothing more can be issued."""
    declared = ten(pair)
    document = pair.leg(declared, Leg.REQUEST)["document"]
    crash_at(pair.old, "commit.after")
    with pytest.raises(Crash):
        pair.leg(declared, Leg.ISSUE, document=document)
    pair.old.crash()
    assert pair.old.transfers.void(declared.id, ACTOR, dry_run=True)["changed"]
    assert pair.old.transfers.void(declared.id, ACTOR, dry_run=False)["changed"]
    assert not pair.old.transfers.void(declared.id, ACTOR, dry_run=False)["changed"]
    problem = problem_of(pair, declared, Leg.ISSUE, document=document)
    assert problem.code is ProblemCode.LEG_OUT_OF_ORDER


@pytest.mark.parametrize("nth", [2, 3])
def test_giving_up_what_was_opened_frees_the_container(pair: Pair, nth: int) -> None:
    """A death between opening the operation and its intent leaves no lock behind."""
    declared = ten(pair)
    document = pair.leg(declared, Leg.REQUEST)["document"]
    crash_at(pair.old, "commit.before" if nth == 3 else "commit.after", nth)
    with pytest.raises(Crash):
        pair.leg(declared, Leg.ISSUE, document=document)
    pair.old.crash()
    assert holder(pair.old).state is OperationState.RUNNING
    pair.old.transfers.void(declared.id, ACTOR, dry_run=False)
    assert holder(pair.old) is None
    pair.carry(pair.declare("other", "201", "licenses", quantity=1))


def test_refusing_what_was_opened_frees_the_container(pair: Pair) -> None:
    """The same at the target."""
    declared = ten(pair)
    document = pair.leg(declared, Leg.REQUEST)["document"]
    document = pair.leg(declared, Leg.ISSUE, document=document)["document"]
    crash_at(pair.new, "commit.after", 2)
    with pytest.raises(Crash):
        pair.leg(declared, Leg.INSTALL, document=document)
    pair.new.crash()
    assert holder(pair.new).state is OperationState.RUNNING
    pair.leg(declared, Leg.INSTALL, decision="refuse")
    assert holder(pair.new) is None


def test_a_debit_cannot_be_given_up(pair: Pair) -> None:
    """From then on only the target decides."""
    declared = ten(pair)
    document = pair.leg(declared, Leg.REQUEST)["document"]
    pair.leg(declared, Leg.ISSUE, document=document)
    with pytest.raises(Problem, match="can no longer be given up"):
        pair.old.transfers.void(declared.id, ACTOR, dry_run=False)
    with pytest.raises(Problem, match="knows no transfer"):
        pair.old.transfers.void(transfer_id("unknown"), ACTOR, dry_run=False)


# Doubt ---------------------------------------------------------------------------------


def test_an_update_that_may_not_be_asked_for_again(pair_of: MakePair) -> None:
    """The answer is lost after the debit: frozen and explained, until the operator allows it."""
    pair = pair_of(repeatable=False)
    declared = ten(pair)
    document = pair.leg(declared, Leg.REQUEST)["document"]
    pair.old.twin.ask("_twin.fault", point="debit.after", action="lose")
    problem = problem_of(pair, declared, Leg.ISSUE, document=document)
    assert problem.code is ProblemCode.UPDATE_NOT_REPEATABLE
    assert holder(pair.old).state is OperationState.IN_DOUBT
    assert seats(pair.old) == 15
    other = pair.declare("other", "201", "licenses", quantity=1)
    request = pair.leg(other, Leg.REQUEST)["document"]
    assert problem_of(pair, other, Leg.ISSUE, document=request).code is ProblemCode.IN_DOUBT
    # Asked again it stays as it is, debited once.
    assert problem_of(pair, declared, Leg.ISSUE).code is ProblemCode.UPDATE_NOT_REPEATABLE
    pair.old.driver.update_is_repeatable = True
    done = pair.leg(declared, Leg.ISSUE)
    assert done["record"].state is State.IN_TRANSIT
    assert seats(pair.old) == 15
    pair.leg(declared, Leg.INSTALL, document=done["document"])
    assert seats(pair.new) == 10


@pytest.mark.parametrize("point", ["debit.before", "debit.after"])
@pytest.mark.parametrize("action", ["lose", "pending"])
def test_a_lost_answer_is_looked_for(pair: Pair, point: str, action: str) -> None:
    """With or without its effect, the debit happens once."""
    pair.old.twin.ask("_twin.fault", point=point, action=action)
    pair.carry(ten(pair))
    assert (seats(pair.old), seats(pair.new)) == (15, 10)


def test_a_refused_import_may_be_tried_again(pair: Pair) -> None:
    """The product says no: the target is back where it accepted, and nothing is held."""
    declared = ten(pair)
    document = pair.leg(declared, Leg.REQUEST)["document"]
    document = pair.leg(declared, Leg.ISSUE, document=document)["document"]
    pair.new.twin.ask("_twin.fault", point="import.before", action="refuse", value=234)
    problem = problem_of(pair, declared, Leg.INSTALL, document=document)
    assert problem.code is ProblemCode.RUNTIME_REFUSED
    assert problem.facts["vendor_error"] == 234
    record = pair.new.record(declared)
    assert record is not None
    assert record.state is State.ACCEPTED
    assert holder(pair.new) is None
    pair.leg(declared, Leg.INSTALL, document=document)
    assert seats(pair.new) == 10


# Snapshots -----------------------------------------------------------------------------


def test_a_container_that_was_rolled_back_is_frozen(pair: Pair) -> None:
    """Licenses that moved are there again: noticed, frozen, and a person has to attest."""
    pair.old.twin.ask("_twin.snapshot", name="before")
    pair.carry(ten(pair))
    pair.old.twin.ask("_twin.rollback", name="before")
    pair.old.driver._options.clear()
    assert seats(pair.old) + seats(pair.new) == 35
    other = pair.declare("other", "201", "licenses", quantity=1)
    document = pair.leg(other, Leg.REQUEST)["document"]
    for _ in range(2):
        problem = problem_of(pair, other, Leg.ISSUE, document=document)
        assert problem.code is ProblemCode.SNAPSHOT_ROLLED_BACK
        assert holder(pair.old).state is OperationState.IN_DOUBT
    assert seats(pair.old) == 25
    with pytest.raises(Problem, match="not one that was frozen"):
        pair.old.recovery.attest("unknown", "all is well", ACTOR)
    pair.old.recovery.attest(holder(pair.old).id, "the licensor said so", ACTOR)
    assert holder(pair.old) is None
    pair.leg(other, Leg.ISSUE, document=document)
    assert "attested" in actions(pair.old)


def test_a_target_that_was_rolled_back_is_frozen(pair: Pair) -> None:
    """Its own intent notices it, before anything is imported."""
    pair.carry(ten(pair))
    pair.new.twin.ask("_twin.snapshot", name="before")
    pair.carry(pair.declare("other", "201", "licenses", quantity=1))
    pair.new.twin.ask("_twin.rollback", name="before")
    third = pair.declare("third", "201", "licenses", quantity=1)
    document = pair.leg(third, Leg.REQUEST)["document"]
    document = pair.leg(third, Leg.ISSUE, document=document)["document"]
    problem = problem_of(pair, third, Leg.INSTALL, document=document)
    assert problem.code is ProblemCode.SNAPSHOT_ROLLED_BACK
    assert seats(pair.new) == 10
    record = pair.host_of(third, Side.TARGET).record(third)
    assert record is not None
    assert record.state is State.ACCEPTED
