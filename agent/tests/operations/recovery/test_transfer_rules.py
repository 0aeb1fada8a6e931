# SPDX-License-Identifier: GPL-3.0-or-later
"""Refused before anything was touched: what the rules of a transfer advise leads to a transfer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from operations.conftest import MakePair
from operations.hosts import DAY, FIRM, ITEMS, Host, Pair, make_pair, make_twins, option
from seatkeeper_agent.domain.licenses import ItemKey
from seatkeeper_agent.domain.preflight import Policy
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.transfers import Declaration, Leg, Place, State, transfer_id
from seatkeeper_twins.codemeter.constants import TYPE_NAMES

from .table import recovers, refused


def requested(pair: Pair, declared: Declaration) -> Any:
    """The document that the target gives first."""
    return pair.leg(declared, Leg.REQUEST)["document"]


def refused_at_source(
    pair: Pair, declared: Declaration, code: ProblemCode, advice: str
) -> dict[str, Any]:
    """The source says no to what the target has asked for; what it tells beside."""
    document = requested(pair, declared)
    return refused(code, advice, pair.leg, declared, Leg.ISSUE, document=document).facts


def arrived(pair: Pair, declared: Declaration, **issue: Any) -> None:
    """The transfer runs to its end, whether it was asked for before or not."""
    pair.carry(declared, **issue)
    record = pair.host_of(declared, Leg.REQUEST.side).record(declared)
    assert record is not None
    assert record.state is State.RECEIPTED


def program(host: Host, product_code: int, *options: dict[str, Any]) -> None:
    """The licensor programs an item anew."""
    stored = [{**entry, "type": int(TYPE_NAMES[entry["type"]])} for entry in options]
    host.twin.write(
        "UPDATE item SET options = ? WHERE product_code = ?", json.dumps(stored), product_code
    )
    host.driver._options.clear()


def in_days(pair: Pair, days: int) -> int:
    """A date ahead."""
    return int(pair.clock()) + days * DAY


@recovers(ProblemCode.FIRM_CODE_NOT_UNIVERSAL)
def test_the_licensor_reissues_what_has_an_old_firm_code(pair: Pair) -> None:
    reissued = pair.declare("job", "201", "licenses", quantity=1)
    old = replace(reissued, item=ItemKey.parse("100010:201"))
    code = ProblemCode.FIRM_CODE_NOT_UNIVERSAL
    refused(code, "Ask the licensor to convert or reissue", pair.leg, old, Leg.REQUEST)
    arrived(pair, reissued)


@recovers(ProblemCode.TYPE_NOT_OFFERED_BY_RUNTIME)
def test_an_old_runtime_is_asked_for_a_type_that_it_offers(tmp_path: Path) -> None:
    pair = make_pair(tmp_path / "hosts", make_twins(tmp_path / "twins", ITEMS, profile="6.10"))
    try:
        code, units = ProblemCode.TYPE_NOT_OFFERED_BY_RUNTIME, pair.declare("u", "203", "units")
        refused(code, "or declare another type", pair.leg, units, Leg.REQUEST)
        arrived(pair, pair.declare("l", "201", "licenses", quantity=1))
    finally:
        for host in pair:
            host.close()
            host.twin.stop()


@recovers(ProblemCode.TYPE_NOT_OFFERED_BY_ITEM)
def test_a_type_that_the_licensor_allows_is_declared(pair: Pair) -> None:
    declared = pair.declare("units", "201", "units", quantity=1)
    code = ProblemCode.TYPE_NOT_OFFERED_BY_ITEM
    refused_at_source(pair, declared, code, "Declare one of them")
    arrived(pair, pair.declare("licenses", "201", "licenses", quantity=1))


@recovers(ProblemCode.PULL_NOT_ALLOWED)
def test_what_cannot_be_pulled_is_pushed(pair: Pair) -> None:
    until = in_days(pair, 1)
    pulled = pair.declare("pulled", "204", "borrow_local", mode="pull", until=until)
    refused_at_source(pair, pulled, ProblemCode.PULL_NOT_ALLOWED, "Declare mode push")
    arrived(pair, pair.declare("pushed", "204", "borrow_local", until=until))


@recovers(ProblemCode.RETURN_NOT_ALLOWED)
def test_the_licensor_is_asked_to_allow_a_return(pair: Pair) -> None:
    allowed, forbidden = option("licenses"), option("licenses", return_allowed=False)
    program(pair.old, 201, forbidden)
    arrived_at_new(pair)
    back = pair.declare("back", "201", "licenses", mode="return", source="new", quantity=1)
    refused_at_source(pair, back, ProblemCode.RETURN_NOT_ALLOWED, "ask the licensor")
    program(pair.new, 201, allowed)
    arrived(pair, back)


def arrived_at_new(pair: Pair) -> None:
    """Two seats move, confirmed where that cannot be undone."""
    there = pair.declare("there", "201", "licenses", quantity=2)
    document = requested(pair, there)
    try:
        pair.leg(there, Leg.ISSUE, document=document)
    except Problem as problem:
        arrived(pair, there, confirmation=problem.facts["digest"])
    else:
        arrived(pair, there)


@recovers(ProblemCode.DEPTH_EXHAUSTED)
def test_what_cannot_be_passed_on_is_returned_and_moved_from_its_origin(pair: Pair) -> None:
    program(pair.old, 201, option("licenses", transfer_depth=1))
    arrived_at_new(pair)
    on = pair.declare("on", "201", "licenses", source="new", quantity=1)
    refused_at_source(pair, on, ProblemCode.DEPTH_EXHAUSTED, "Return it to its origin")
    arrived(pair, pair.declare("back", "201", "licenses", "return", "new", quantity=2))
    arrived(pair, pair.declare("again", "201", "licenses", quantity=1))


@recovers(ProblemCode.ITEM_BORROWED)
def test_what_is_borrowed_is_returned_first(pair: Pair) -> None:
    lent = pair.declare("lent", "202", "borrow_complete", until=in_days(pair, 1))
    arrived(pair, lent)
    whole = pair.declare("whole", "202", "complete")
    refused_at_source(pair, whole, ProblemCode.ITEM_BORROWED, "Have it returned to its origin")
    back = pair.declare("back", "202", "borrow_complete", "return", "new", parent=lent.id)
    arrived(pair, back)
    arrived(pair, whole)


@recovers(ProblemCode.FIRM_ITEM_MISSING)
def test_the_firm_item_is_installed_at_the_target_first(pair: Pair) -> None:
    program(pair.old, 201, option("licenses", firm_item_required=True))
    declared = pair.declare("job", "201", "licenses", quantity=1)
    code = ProblemCode.FIRM_ITEM_MISSING
    refused_at_source(pair, declared, code, "Firm Item installed on the target first")
    pair.new.twin.write("INSERT INTO firm_item VALUES (1, ?, 'Example Software', 1)", FIRM)
    arrived(pair, declared)


@recovers(ProblemCode.NOT_ENOUGH)
def test_no_more_is_declared_than_is_there(pair: Pair) -> None:
    many = pair.declare("job", "201", "licenses", quantity=26)
    reported = refused_at_source(pair, many, ProblemCode.NOT_ENOUGH, "Declare at most 25")
    arrived(pair, pair.declare("job", "201", "licenses", quantity=reported["available"]))


@recovers(ProblemCode.AMOUNT_INVALID)
def test_how_many_is_declared(pair: Pair) -> None:
    none = pair.declare("job", "201", "licenses")
    refused_at_source(pair, none, ProblemCode.AMOUNT_INVALID, "Declare how many")
    arrived(pair, pair.declare("job", "201", "licenses", quantity=1))


@recovers(ProblemCode.PERIOD_TOO_LONG)
def test_a_borrow_ends_no_later_than_the_problem_says(pair: Pair) -> None:
    long = pair.declare("job", "204", "borrow_local", until=in_days(pair, 31))
    code = ProblemCode.PERIOD_TOO_LONG
    refused_at_source(pair, long, code, "Declare an end no later than")
    arrived(pair, pair.declare("job", "204", "borrow_local", until=in_days(pair, 29)))


@recovers(ProblemCode.PERIOD_IN_THE_PAST)
def test_a_borrow_ends_at_a_date_ahead(pair: Pair) -> None:
    past = pair.declare("job", "204", "borrow_local", until=in_days(pair, -1))
    refused_at_source(pair, past, ProblemCode.PERIOD_IN_THE_PAST, "Declare until as a date ahead")
    arrived(pair, pair.declare("job", "204", "borrow_local", until=in_days(pair, 1)))


@recovers(ProblemCode.CLOCKS_APART)
def test_a_borrow_waits_for_clocks_that_agree(pair: Pair) -> None:
    until = in_days(pair, 1)
    for twin in (pair.old.twin, pair.new.twin):
        declared = pair.declare(twin.directory.name, "204", "borrow_local", until=until)
        twin.ask("_twin.set", clock_offset_seconds=pair.clock.offset_seconds + 7_200)
        code, advice = ProblemCode.CLOCKS_APART, "Set the host's clock right or update the"
        refused_at_source(pair, declared, code, advice)
        pair.later(7_200)
        arrived(pair, declared)


def test_a_request_needs_no_product_to_be_given_again(pair: Pair) -> None:
    """What is in the journal is answered from there, whatever it told of its target."""
    declared = pair.declare("job", "204", "borrow_local", until=in_days(pair, 1))
    document = requested(pair, declared)
    pair.new.twin.stop()
    try:
        again = pair.leg(declared, Leg.REQUEST)
        assert (again["changed"], again["document"]) == (False, document)
    finally:
        pair.new.twin.start()


@recovers(ProblemCode.UNRECEIPTED_TRANSFER)
def test_the_older_receipt_is_brought_back_first(pair_of: MakePair) -> None:
    pair = pair_of(policy=Policy(receipt_required=True))
    older, newer = (pair.declare(name, "201", "licenses", quantity=1) for name in ("a", "b"))
    pair.leg(older, Leg.ISSUE, document=requested(pair, older))
    code = ProblemCode.UNRECEIPTED_TRANSFER
    refused_at_source(pair, newer, code, "Run the playbook again so that its receipt")
    arrived(pair, older)
    arrived(pair, newer)


@recovers(ProblemCode.NOT_FROM_ORIGIN)
def test_what_was_received_is_returned_to_where_it_came_from(pair: Pair) -> None:
    pair.old.twin.write("INSERT INTO container VALUES (NULL, 130, 1000000009, 'Second', 3, 10)")
    arrived_at_new(pair)
    there = transfer_id("there")
    back = pair.declare("back", "201", "licenses", "return", "new", quantity=2, parent=there)
    second = replace(back, target=Place("old", "130-1000000009"))
    code = ProblemCode.NOT_FROM_ORIGIN
    refused_at_source(pair, second, code, "Declare the container it came from as target")
    arrived(pair, back)


@recovers(ProblemCode.CAPABILITY_REFUSED)
def test_the_administrator_allows_transfers_again(pair_of: MakePair) -> None:
    pair = pair_of(policy=Policy(transfer_blocked=True))
    declared = pair.declare("job", "201", "licenses", quantity=1)
    code, advice = ProblemCode.CAPABILITY_REFUSED, "Set transfer_blocked to false"
    refused(code, advice, pair.leg, declared, Leg.REQUEST)
    for host in pair:
        host.policy = Policy()
        host.crash()
    arrived(pair, declared)
