# SPDX-License-Identifier: GPL-3.0-or-later
"""Every refusal of a transfer at, below and above its limit, each told in one sentence."""

from __future__ import annotations

import re

import pytest

from seatkeeper_agent.domain.licenses import (
    ContainerClock,
    HistoryStatus,
    ItemKey,
    ItemStatus,
    TransferType,
)
from seatkeeper_agent.domain.preflight import (
    PeerFacts,
    Policy,
    SourceView,
    source_problems,
    target_problems,
)
from seatkeeper_agent.domain.problems import ProblemCode

from .views import (
    CODES,
    DAY,
    ITEM,
    LONGEST,
    NOW,
    SOURCE,
    declare,
    received,
    row,
    view_of,
    with_option,
)

HOUR = 3600
OLD_RUNTIME = (TransferType.LICENSES, TransferType.BORROW_LOCAL)
PULL_FORBIDDEN = with_option("licenses", pull_allowed=False)
LENT = {"history": (row(),), "parent_vendor_id": "aa"}
EXTEND = declare("borrow_local", "extend", until=NOW + 2 * DAY)
BORROW = declare("borrow_local")
OTHER = ITEM._replace(key=ItemKey.parse(f"{CODES}@2"))

ALLOWED: dict[str, SourceView] = {
    **{f"push {type_}": view_of(declare(type_)) for type_ in TransferType},
    **{f"pull {type_}": view_of(declare(type_, "pull")) for type_ in ("complete", "units")},
    "firm code just above": view_of(declare(item="6000001:201")),
    "all there is": view_of(declare(quantity=5)),
    "all units": view_of(declare("units", quantity=100)),
    "one": view_of(declare(quantity=1)),
    "old runtime, old type": view_of(declare(), runtime_types=OLD_RUNTIME),
    "push what may not be pulled": view_of(declare(), PULL_FORBIDDEN),
    "last level": view_of(declare(), with_option("licenses", transfer_depth=1)),
    "longest": view_of(declare("borrow_local", until=NOW + LONGEST)),
    "shortest": view_of(declare("borrow_local", until=NOW + 1)),
    "the administrator's longest": view_of(
        declare("borrow_local", until=NOW + HOUR), policy=Policy(borrow_seconds_max=HOUR)
    ),
    "an administrator's longer maximum extends nothing": view_of(
        declare("borrow_local", until=NOW + LONGEST), policy=Policy(borrow_seconds_max=2 * LONGEST)
    ),
    "clock at its limit": view_of(BORROW, clock=ContainerClock(None, NOW + HOUR, NOW)),
    "target clock at its limit": view_of(BORROW, peer=PeerFacts(True, NOW - HOUR)),
    "clocks do not matter for a move": view_of(declare(), clock=ContainerClock(None, 1, 1)),
    "firm item there": view_of(declare(), with_option("licenses", firm_item_required=True)),
    "firm item not asked yet": view_of(
        declare(), with_option("licenses", firm_item_required=True), peer=PeerFacts(None, None)
    ),
    "firm item and clock told": view_of(
        BORROW,
        with_option("borrow_local", firm_item_required=True),
        peer=PeerFacts(True, NOW, True),
    ),
    "firm item not needed": view_of(declare(), peer=PeerFacts(False, NOW)),
    "unreceipted, not required": view_of(
        declare(), history=(row("licenses", status=HistoryStatus.IN_TRANSIT_PUSH),)
    ),
    "receipt required and there": view_of(
        declare(), policy=Policy(receipt_required=True), history=(row("licenses"),)
    ),
    "whole, lent before": view_of(declare("complete"), history=(row(borrow_expires_at=NOW),)),
    "whole, lent and back": view_of(declare("complete"), history=(row(returned_quantity=1),)),
    "whole, extended and back": view_of(
        declare("complete"),
        history=(row(returned_quantity=1), row(transfer_id="bb")),
        lending_nothing=frozenset({"bb"}),
    ),
    "whole, while another item of the same codes is lent": view_of(
        declare("complete"), history=(row(item=OTHER.key),)
    ),
    "whole, while a lot that was here went back before its end": view_of(
        declare("complete"),
        history=(
            row(item=OTHER.key, is_arrival=True),
            row(item=OTHER.key, transfer_id="bb"),
        ),
    ),
    "whole, what came back by a row of its own": view_of(
        declare("complete"),
        history=(row(returned_quantity=1), row(transfer_id="bb")),
        lending_nothing=frozenset({"bb"}),
    ),
    "whole, back as the journal knows": view_of(
        declare("complete"), history=(row(),), lending_nothing=frozenset({"aa"})
    ),
    "return of a whole item beside a lot that went back": view_of(
        declare("complete", "return"),
        received("complete"),
        history=(row("complete", is_arrival=True), row(item=OTHER.key, transfer_id="bb")),
    ),
    "early return of a whole item that was prolonged": view_of(
        declare("borrow_complete", "return"),
        received("borrow_complete"),
        history=(
            row("borrow_complete", is_arrival=True),
            row("borrow_complete", transfer_id="bb", borrow_expires_at=NOW + 2 * DAY),
        ),
    ),
    "early return beside a lot that went back": view_of(
        declare("borrow_complete", "return"),
        received("borrow_complete"),
        history=(
            row("borrow_complete", is_arrival=True),
            row(transfer_id="bb"),
            row(item=OTHER.key, transfer_id="cc"),
        ),
    ),
    "unreceipted, of another item of the same codes": view_of(
        declare(),
        policy=Policy(receipt_required=True),
        history=(row("licenses", item=OTHER.key, status=HistoryStatus.IN_TRANSIT_PUSH),),
    ),
    "part while others are lent": view_of(declare(), history=(row(),)),
    "return": view_of(declare(mode="return"), received(), history=(row("licenses"),)),
    "return of a part": view_of(declare(mode="return", quantity=1), received()),
    "return at depth zero": view_of(
        declare(mode="return"), received()._replace(options=with_option(
            "licenses", transfer_depth=0).options)
    ),
    "early return of a borrow, whatever the option": view_of(
        declare("borrow_local", "return"),
        received("borrow_local")._replace(options=()),
        history=(row(),),
    ),
    "extension": view_of(EXTEND, **LENT),
    "extension of what is lent whole": view_of(
        declare("borrow_complete", "extend", until=NOW + 2 * DAY),
        ITEM._replace(status=ItemStatus.DISABLED),
        history=(row("borrow_complete"),),
        parent_vendor_id="aa",
    ),
}  # fmt: skip

REFUSED: list[tuple[ProblemCode, str, SourceView]] = [
    (ProblemCode.FIRM_CODE_NOT_UNIVERSAL, "6000000", view_of(declare(item="6000000:201"))),
    (ProblemCode.FIRM_CODE_NOT_UNIVERSAL, "6000000", view_of(declare(item="10:201"))),
    (
        ProblemCode.TYPE_NOT_OFFERED_BY_RUNTIME,
        "licenses, borrow_local",
        view_of(declare("complete"), runtime_types=OLD_RUNTIME),
    ),
    (
        ProblemCode.TYPE_NOT_OFFERED_BY_RUNTIME,
        "none",
        view_of(declare("complete"), runtime_types=()),
    ),
    (
        ProblemCode.TYPE_NOT_OFFERED_BY_ITEM,
        "these types only: licenses",
        view_of(declare("units"), with_option("licenses")),
    ),
    (
        ProblemCode.TYPE_NOT_OFFERED_BY_ITEM,
        "received as units",
        view_of(declare(mode="return"), received(), history=(row("units"),)),
    ),
    (ProblemCode.PULL_NOT_ALLOWED, "pull", view_of(declare(mode="pull"), PULL_FORBIDDEN)),
    (ProblemCode.PULL_NOT_ALLOWED, "pull", view_of(declare("borrow_local", "pull"))),
    (
        ProblemCode.RETURN_NOT_ALLOWED,
        "does not allow returning",
        view_of(
            declare(mode="return"),
            received()._replace(options=with_option("licenses", return_allowed=False).options),
        ),
    ),
    (
        ProblemCode.NOT_FROM_ORIGIN,
        "not received from any",
        view_of(declare(mode="return")),
    ),
    (
        ProblemCode.NOT_FROM_ORIGIN,
        "is from 130-9",
        view_of(declare(mode="return"), received(origin_serial="130-9")),
    ),
    (
        ProblemCode.DEPTH_EXHAUSTED,
        "levels",
        view_of(declare(), with_option("licenses", transfer_depth=0)),
    ),
    (ProblemCode.ITEM_BORROWED, "borrowed from", view_of(declare(), received("borrow_local"))),
    (
        ProblemCode.ITEM_BORROWED,
        "is disabled",
        view_of(declare("complete"), ITEM._replace(status=ItemStatus.DISABLED)),
    ),
    (
        ProblemCode.ITEM_BORROWED,
        "1 of its seats are lent",
        view_of(declare("complete"), history=(row(),)),
    ),
    (
        ProblemCode.ITEM_BORROWED,
        "1 of its seats are lent",
        view_of(
            declare("complete", "return"),
            received(),
            history=(row("complete"), row(transfer_id="bb", container="130-9")),
        ),
    ),
    (
        ProblemCode.ITEM_BORROWED,
        "1 of its seats are lent",
        view_of(
            declare("complete"),
            history=(row(), row(transfer_id="bb"), row(item=OTHER.key, transfer_id="cc")),
            lending_nothing=frozenset({"bb"}),
        ),
    ),
    (
        ProblemCode.BORROW_UNKNOWN,
        "is not lent",
        view_of(EXTEND, history=(row(item=OTHER.key),), parent_vendor_id="aa"),
    ),
    (
        ProblemCode.FIRM_ITEM_MISSING,
        "Firm Item 6000010",
        view_of(
            declare(),
            with_option("licenses", firm_item_required=True),
            peer=PeerFacts(False, NOW),
        ),
    ),
    (
        ProblemCode.FIRM_ITEM_MISSING,
        "does not tell whether it holds it",
        view_of(
            declare(),
            with_option("licenses", firm_item_required=True),
            peer=PeerFacts(None, NOW, True),
        ),
    ),
    (
        ProblemCode.CLOCKS_APART,
        "has not told the clock",
        view_of(BORROW, peer=PeerFacts(True, None, True)),
    ),
    (ProblemCode.NOT_ENOUGH, "5 licenses, 6", view_of(declare(quantity=6))),
    (ProblemCode.NOT_ENOUGH, "100 units, 101", view_of(declare("units", quantity=101))),
    (
        ProblemCode.NOT_ENOUGH,
        "0 licenses, 1",
        view_of(BORROW, ITEM._replace(license_quantity=0)),
    ),
    (ProblemCode.AMOUNT_INVALID, "at least 1", view_of(declare(quantity=0))),
    (ProblemCode.AMOUNT_INVALID, "at least 1", view_of(declare(quantity=-1))),
    (ProblemCode.AMOUNT_INVALID, "at least 1", view_of(declare("units", quantity=None))),
    (ProblemCode.AMOUNT_INVALID, "does not take", view_of(declare("complete", quantity=1))),
    (ProblemCode.AMOUNT_INVALID, "does not take", view_of(declare("borrow_local", quantity=1))),
    (ProblemCode.REQUEST_INVALID, "only a borrow has", view_of(declare(until=NOW + DAY))),
    (
        ProblemCode.REQUEST_INVALID,
        "which borrow",
        view_of(declare("borrow_local", "return", parent=None), received("borrow_local")),
    ),
    (ProblemCode.PERIOD_IN_THE_PAST, "no end", view_of(declare("borrow_local", until=None))),
    (ProblemCode.PERIOD_IN_THE_PAST, "the end", view_of(declare("borrow_local", until=NOW))),
    (
        ProblemCode.PERIOD_TOO_LONG,
        "the licensor's maximum is 2592000",
        view_of(declare("borrow_local", until=NOW + LONGEST + 1)),
    ),
    (
        ProblemCode.PERIOD_TOO_LONG,
        "the administrator's maximum is 3600",
        view_of(
            declare("borrow_local", until=NOW + HOUR + 1), policy=Policy(borrow_seconds_max=HOUR)
        ),
    ),
    (
        ProblemCode.PERIOD_TOO_LONG,
        "the administrator's maximum is 0",
        view_of(declare("borrow_local", until=NOW + 1), policy=Policy(borrow_seconds_max=0)),
    ),
    (
        ProblemCode.PERIOD_TOO_LONG,
        "the licensor's",
        view_of(declare("borrow_local", "extend", until=NOW + LONGEST + 1), **LENT),
    ),
    (
        ProblemCode.CLOCKS_APART,
        "the container shows",
        view_of(BORROW, clock=ContainerClock(None, NOW + HOUR + 1, NOW)),
    ),
    (
        ProblemCode.CLOCKS_APART,
        "the target container shows",
        view_of(BORROW, peer=PeerFacts(True, NOW - HOUR - 1)),
    ),
    (
        ProblemCode.CLOCKS_APART,
        "that of the target container",
        view_of(
            BORROW,
            clock=ContainerClock(None, NOW + HOUR, NOW),
            peer=PeerFacts(True, NOW - 1),
        ),
    ),
    (
        ProblemCode.UNRECEIPTED_TRANSFER,
        "not receipted yet",
        view_of(
            declare(),
            policy=Policy(receipt_required=True),
            history=(row("licenses", status=HistoryStatus.IN_TRANSIT_PULL),),
        ),
    ),
    (
        ProblemCode.CAPABILITY_REFUSED,
        "the administrator",
        view_of(declare(), policy=Policy(transfer_blocked=True)),
    ),
    (ProblemCode.BORROW_UNKNOWN, "is not lent", view_of(EXTEND)),
    (
        ProblemCode.BORROW_UNKNOWN,
        "is not lent",
        view_of(EXTEND, history=(row(returned_quantity=1),), parent_vendor_id="aa"),
    ),
    (
        ProblemCode.BORROW_UNKNOWN,
        "is not lent",
        view_of(EXTEND, history=(row(container="130-9"),), parent_vendor_id="aa"),
    ),
    (
        ProblemCode.BORROW_UNKNOWN,
        "ends",
        view_of(declare("borrow_local", "extend", until=NOW + DAY), **LENT),
    ),
]


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed(name: str) -> None:
    """On the allowed side of every limit nothing is refused."""
    assert source_problems(ALLOWED[name]) == []


@pytest.mark.parametrize(
    ("code", "rule", "view"), REFUSED, ids=[f"{code.value}: {rule}" for code, rule, _ in REFUSED]
)
def test_what_is_refused(code: ProblemCode, rule: str, view: SourceView) -> None:
    """One step beyond each limit; the sentence names the item, the rule and what to do."""
    found = source_problems(view)
    assert found, "nothing was refused"
    problem = found[0]
    assert problem.code is code
    assert str(view.declaration.item) in problem.detail
    assert repr(view.declaration.name) in problem.detail
    assert rule in problem.detail
    # One sentence that says what is the matter, one that says what to do.
    assert re.fullmatch(r"The [^\n]+\.", problem.detail)
    assert re.fullmatch(r"[A-Z][a-z]+ [^\n]+\.", problem.next_action)
    assert "None" not in str(problem) or "not None" in str(problem)


def test_the_target_can_tell_some_of_it_at_once() -> None:
    """Before the source is asked."""
    policy = Policy(transfer_blocked=True)
    found = target_problems(declare("complete", item="5:1", quantity=1), OLD_RUNTIME, policy)
    assert [problem.code for problem in found] == [
        ProblemCode.FIRM_CODE_NOT_UNIVERSAL,
        ProblemCode.TYPE_NOT_OFFERED_BY_RUNTIME,
        ProblemCode.CAPABILITY_REFUSED,
        ProblemCode.AMOUNT_INVALID,
    ]
    assert target_problems(declare(), OLD_RUNTIME, Policy()) == []


def test_every_rule_of_a_transfer_has_a_case_here() -> None:
    """A new code among the refusals needs its limits shown."""
    rules = list(ProblemCode)[: list(ProblemCode).index(ProblemCode.CONTAINER_UNKNOWN)]
    assert set(rules) <= {code for code, _, _ in REFUSED}
    assert (CODES, SOURCE) == ("6000010:201", "130-1")
