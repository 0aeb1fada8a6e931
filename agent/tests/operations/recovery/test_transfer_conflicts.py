# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that lead nowhere, fences of the protocol, doubt and documents: each has its way out."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from operations.conftest import MakePair
from operations.hosts import ACTOR, FIRM, Pair, option
from seatkeeper_agent.domain.licenses import ItemKey
from seatkeeper_agent.domain.problems import ProblemCode
from seatkeeper_agent.domain.transfers import Declaration, Leg, Place, State, transfer_id
from seatkeeper_agent.operations.legs import LegRequest

from .table import recovers, refused
from .test_transfer_rules import arrived, arrived_at_new, program, requested


def one(pair: Pair, name: str = "job") -> Declaration:
    """One seat moves."""
    return pair.declare(name, "201", "licenses", quantity=1)


def second_container(pair: Pair) -> None:
    """The target gets another container."""
    pair.new.twin.write("INSERT INTO container VALUES (NULL, 130, 2000000009, 'Second', 3, 10)")


@recovers(ProblemCode.CONTAINER_UNKNOWN)
def test_a_container_is_named_that_the_host_holds(pair: Pair) -> None:
    wrong = replace(one(pair), target=Place("new", "130-9999999999"))
    refused(ProblemCode.CONTAINER_UNKNOWN, "Name one of them", pair.leg, wrong, Leg.REQUEST)
    arrived(pair, one(pair))


@recovers(ProblemCode.CONTAINER_AMBIGUOUS)
def test_one_of_several_containers_is_named(pair: Pair) -> None:
    second_container(pair)
    unnamed = replace(one(pair), target=Place("new", ""))
    refused(ProblemCode.CONTAINER_AMBIGUOUS, "Name the container", pair.leg, unnamed, Leg.REQUEST)
    arrived(pair, one(pair))


@recovers(ProblemCode.ITEM_UNKNOWN)
def test_an_item_is_named_as_it_is_listed(pair: Pair) -> None:
    wrong = replace(one(pair), item=ItemKey.parse(f"{FIRM}:999"))
    document = requested(pair, wrong)
    code, advice = ProblemCode.ITEM_UNKNOWN, "Look at what license_info lists"
    refused(code, advice, pair.leg, wrong, Leg.ISSUE, document=document)
    listed = pair.old.driver.items(pair.old.serial)[0].key
    arrived(pair, replace(one(pair), item=listed))


@recovers(ProblemCode.ITEM_AMBIGUOUS)
def test_one_of_several_items_is_named_by_its_reference(pair: Pair) -> None:
    pair.old.twin.write("UPDATE item SET product_code = 201 WHERE product_code = 204")
    document = requested(pair, one(pair))
    code, advice = ProblemCode.ITEM_AMBIGUOUS, "Name one of them with its reference"
    refused(code, advice, pair.leg, one(pair), Leg.ISSUE, document=document)
    arrived(pair, replace(one(pair), item=ItemKey.parse(f"{FIRM}:201@1")))


@recovers(ProblemCode.TRANSFER_UNKNOWN)
def test_a_transfer_is_given_up_by_its_name(pair: Pair) -> None:
    requested(pair, one(pair))
    give_up, code = pair.new.transfers.void, ProblemCode.TRANSFER_UNKNOWN
    refused(code, "Look at the list", give_up, transfer_id("jbo"), ACTOR, dry_run=False)
    with pair.new.journal.reading() as unit:
        (listed,) = unit.transfers.page(False, "", 10)
    assert listed.declaration.name == "job"


@recovers(ProblemCode.WRONG_HOST)
def test_a_leg_runs_on_the_host_that_it_belongs_to(pair: Pair) -> None:
    document = requested(pair, one(pair))
    wanted = LegRequest(Leg.ISSUE, one(pair), ACTOR, document=document)
    refused(ProblemCode.WRONG_HOST, "Run it on that host", pair.new.transfers.run, wanted)
    assert pair.old.transfers.run(wanted)["record"].state is State.IN_TRANSIT


@recovers(ProblemCode.DECLARATION_DIFFERS)
def test_another_transfer_gets_another_name(pair: Pair) -> None:
    arrived(pair, one(pair))
    more = replace(one(pair), quantity=2)
    code, advice = ProblemCode.DECLARATION_DIFFERS, "give a new transfer a new name"
    refused(code, advice, pair.leg, more, Leg.REQUEST)
    arrived(pair, pair.declare("job two", "201", "licenses", quantity=2))


@recovers(ProblemCode.LEG_OUT_OF_ORDER)
def test_legs_run_in_their_order(pair: Pair) -> None:
    code, advice = ProblemCode.LEG_OUT_OF_ORDER, "Run the leg before it and bring its document"
    refused(code, advice, pair.leg, one(pair), Leg.ISSUE)
    arrived(pair, one(pair))


@recovers(ProblemCode.UPDATE_COUNTER_STALE)
def test_a_stale_plan_is_made_anew(pair: Pair) -> None:
    document = requested(pair, one(pair))
    counter = pair.old.driver.items(pair.old.serial)[0].update_counter
    arrived(pair, one(pair, "between"))
    values = {"document": document, "update_counter": counter}
    code, advice = ProblemCode.UPDATE_COUNTER_STALE, "Read both hosts again and plan anew"
    refused(code, advice, pair.leg, one(pair), Leg.ISSUE, **values)
    read = pair.old.driver.items(pair.old.serial)[0].update_counter
    assert pair.leg(one(pair), Leg.ISSUE, document=document, update_counter=read)["changed"]


@recovers(ProblemCode.CONFIRMATION_REQUIRED)
def test_exactly_the_plan_that_is_shown_is_confirmed(pair: Pair) -> None:
    program(pair.old, 201, option("licenses", return_allowed=False))
    document = requested(pair, one(pair))
    code, advice = ProblemCode.CONFIRMATION_REQUIRED, "Confirm exactly this plan with plan_digest"
    problem = refused(code, advice, pair.leg, one(pair), Leg.ISSUE, document=document)
    arrived(pair, one(pair), confirmation=problem.facts["digest"])


@recovers(ProblemCode.IN_DOUBT, ProblemCode.RUNTIME_UNAVAILABLE)
def test_what_is_in_doubt_is_looked_at_when_the_product_answers(pair: Pair) -> None:
    document, unavailable = requested(pair, one(pair)), ProblemCode.RUNTIME_UNAVAILABLE
    pair.old.twin.ask("_twin.fault", point="debit.after", action="die")
    advice = "make the product answer again, then run the playbook again"
    refused(ProblemCode.IN_DOUBT, advice, pair.leg, one(pair), Leg.ISSUE, document=document)
    give_up = requested(pair, one(pair, "other"))
    try:
        advice = "Start the vendor's service, then run the playbook again"
        refused(unavailable, advice, pair.leg, one(pair, "other"), Leg.ISSUE, document=give_up)
    finally:
        pair.old.twin.stop()
        pair.old.twin.start()
    arrived(pair, one(pair))
    arrived(pair, one(pair, "other"))


def lost_update(pair: Pair, declared: Declaration) -> dict[str, Any]:
    """The source debits and its answer is lost; what the next try takes."""
    document = requested(pair, declared)
    pair.old.twin.ask("_twin.fault", point="debit.after", action="lose")
    return {"document": document}


@recovers(ProblemCode.UPDATE_NOT_REPEATABLE)
def test_the_operator_says_that_the_runtime_repeats_an_update(pair_of: MakePair) -> None:
    pair = pair_of(repeatable=False)
    code, advice = ProblemCode.UPDATE_NOT_REPEATABLE, "set update_is_repeatable"
    refused(code, advice, pair.leg, one(pair), Leg.ISSUE, **lost_update(pair, one(pair)))
    pair.old.driver.update_is_repeatable = True
    arrived(pair, one(pair))


@recovers(ProblemCode.SNAPSHOT_ROLLED_BACK)
def test_the_licensor_says_which_licenses_count(pair: Pair) -> None:
    pair.old.twin.ask("_twin.snapshot", name="before")
    arrived_at_new(pair)
    pair.old.twin.ask("_twin.rollback", name="before")
    document = requested(pair, one(pair))
    code, advice = ProblemCode.SNAPSHOT_ROLLED_BACK, "seatkeeper-agent attest OPERATION settled"
    refused(code, advice, pair.leg, one(pair), Leg.ISSUE, document=document)
    # The licensor takes back what the old server shows again.
    pair.old.twin.write("UPDATE item SET license_quantity = 23 WHERE product_code = 201")
    with pair.old.journal.reading() as unit:
        frozen = unit.operations.holding(pair.old.serial)
    assert frozen is not None
    pair.old.recovery.attest(frozen.id, "The licensor took two seats back.", ACTOR)
    arrived(pair, one(pair))


@recovers(ProblemCode.CREDIT_BACK_NOT_DOCUMENTED)
def test_the_licensor_gives_back_what_the_target_refused(pair: Pair) -> None:
    issued = pair.leg(one(pair), Leg.ISSUE, document=requested(pair, one(pair)))["document"]
    said_no = pair.leg(one(pair), Leg.INSTALL, document=issued, decision="refuse")["document"]
    code, advice = ProblemCode.CREDIT_BACK_NOT_DOCUMENTED, "licensor"
    refused(code, advice, pair.leg, one(pair), Leg.CONFIRM, document=said_no)
    record = pair.old.record(one(pair))
    assert record is not None
    gone = record.vendor_transfer_id
    pair.old.twin.ask("_twin.restore", serial=pair.old.serial, transfer_id=gone)
    pair.leg(one(pair), Leg.CONFIRM, document=said_no)
    closed = pair.old.record(one(pair))
    assert closed is not None
    assert closed.state is State.VOID


@recovers(ProblemCode.RUNTIME_REFUSED)
def test_an_import_that_the_runtime_refused_is_tried_again(pair: Pair) -> None:
    issued = pair.leg(one(pair), Leg.ISSUE, document=requested(pair, one(pair)))["document"]
    pair.new.twin.ask("_twin.fault", point="import.before", action="refuse", value=234)
    code = ProblemCode.RUNTIME_REFUSED
    refused(code, "run again", pair.leg, one(pair), Leg.INSTALL, document=issued)
    arrived(pair, one(pair))


@recovers(
    ProblemCode.DOCUMENT_ALTERED, ProblemCode.DOCUMENT_INVALID, ProblemCode.DOCUMENT_MISADDRESSED
)
def test_the_right_document_is_fetched_and_brought_as_it_is(pair: Pair) -> None:
    other, request = requested(pair, one(pair, "other")), requested(pair, one(pair))
    altered = copy.deepcopy(request)
    altered["signatures"][0]["sig"] = request["signatures"][0]["sig"][::-1]
    for wrong, code, advice in (
        (altered, ProblemCode.DOCUMENT_ALTERED, "Fetch it again from the host that made it"),
        ({}, ProblemCode.DOCUMENT_INVALID, "Pass the envelope exactly as the other host's leg"),
        (other, ProblemCode.DOCUMENT_MISADDRESSED, "Bring the document that belongs to this"),
    ):
        refused(code, advice, pair.leg, one(pair), Leg.ISSUE, document=wrong)
    assert requested(pair, one(pair)) == request
    arrived(pair, one(pair))


@recovers(ProblemCode.DOCUMENT_FOREIGN)
def test_the_key_of_an_own_agent_is_trusted(pair: Pair) -> None:
    key = pair.old.folder / "trust" / "new.pem"
    key.unlink()
    document = requested(pair, one(pair))
    code, advice = ProblemCode.DOCUMENT_FOREIGN, "Put its public key into the trust folder as new"
    refused(code, advice, pair.leg, one(pair), Leg.ISSUE, document=document)
    key.write_text(pair.new.identity.public_pem)
    arrived(pair, one(pair))


@recovers(ProblemCode.DOCUMENT_REPLAYED)
def test_the_current_documents_are_carried(pair: Pair) -> None:
    given = pair.carry(one(pair))
    code, advice = ProblemCode.DOCUMENT_REPLAYED, "Do not change or mix documents"
    mixed = given[Leg.REQUEST]
    refused(code, advice, pair.leg, one(pair), Leg.INSTALL, document=mixed)
    assert pair.leg(one(pair), Leg.INSTALL, document=given[Leg.ISSUE])["changed"] is False
