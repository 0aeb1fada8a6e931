# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared borrows: lent, some returned early, prolonged, ended; each seat is back once."""

from __future__ import annotations

from typing import Any

import pytest

from seatkeeper_agent.domain.licenses import ItemKey, Measure, TransferType
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import Account
from seatkeeper_agent.domain.transfers import Declaration, Leg, transfer_id
from seatkeeper_agent.operations.borrows import BorrowRequest
from seatkeeper_agent.operations.recovery import MARGIN_SECONDS
from seatkeeper_agent.operations.views import declaration_from_view

from .hosts import ACTOR, DAY, FIRM, Host, Pair

CODES = f"{FIRM}:204"
WEEK = 7 * DAY


def borrow_request(pair: Pair, seats: int, until: int, **changes: Any) -> BorrowRequest:
    """Seats of the borrowable item for the desk at new."""
    values: dict[str, Any] = {
        "id": transfer_id("desk"), "name": "desk", "item": ItemKey.parse(CODES),
        "type": TransferType.BORROW_LOCAL, "source": pair.place("old"),
        "target": pair.place("new"), "seats": seats, "until": until,
    }  # fmt: skip
    return BorrowRequest(**{**values, **changes})


def declare(pair: Pair, seats: int, until: int, **changes: Any) -> list[Declaration]:
    """Declare, carry what it asks for, and declare again: nothing is left to do."""
    wanted = borrow_request(pair, seats, until, **changes)
    planned = pair.new.borrows.put(wanted, ACTOR, dry_run=True)
    answer = pair.new.borrows.put(wanted, ACTOR, dry_run=False)
    assert answer["transfers"] == planned["transfers"]
    assert answer["after"] == planned["after"]
    carried = [declaration_from_view(entry["id"], entry) for entry in answer["transfers"]]
    for declared in carried:
        pair.carry(declared)
    again = pair.new.borrows.put(wanted, ACTOR, dry_run=False)
    assert (again["changed"], again["transfers"]) == (False, [])
    assert again["before"]["seats"] == (seats if until > pair.clock() else 0)
    return carried


def held(host: Host, product: int = 204) -> int:
    """Usable seats in a twin, borrowed ones included."""
    found = host.twin.items(product)
    return sum(entry["license_quantity"] or 0 for entry in found if entry["status"] == "enabled")


def lent(pair: Pair, reference: str) -> int:
    """What both ledgers together have lent in a lot."""
    total = 0
    for host in pair:
        with host.journal.reading() as unit:
            total += unit.ledger.balance(Account.LENT, reference, CODES, Measure.SEATS)
    return total


def owned(host: Host) -> int:
    """What the host's ledger has in its container."""
    with host.journal.reading() as unit:
        return unit.ledger.balance(Account.CONTAINER, host.serial, CODES, Measure.SEATS)


def until_after(pair: Pair, seconds: int) -> int:
    """A moment ahead."""
    return int(pair.clock()) + seconds


def test_two_seats_and_one_comes_back_early(pair: Pair) -> None:
    """Each seat is a lot of its own; the option that forbids returning does not matter here."""
    until = until_after(pair, WEEK)
    first, second = declare(pair, 2, until)
    assert (held(pair.old), held(pair.new)) == (3, 2)
    (back,) = declare(pair, 1, until)
    assert (back.mode.value, back.parent) == ("return", second.id)
    assert (held(pair.old), held(pair.new)) == (4, 1)
    assert (lent(pair, first.id), lent(pair, second.id)) == (1, 0)
    assert owned(pair.old) == 4
    declare(pair, 2, until)
    assert (held(pair.old), held(pair.new)) == (3, 2)
    declare(pair, 0, until)
    assert (held(pair.old), held(pair.new)) == (5, 0)


def test_a_later_end_prolongs(pair: Pair) -> None:
    """The same lot; at its old end nothing falls back, at its new end it does."""
    until = until_after(pair, DAY)
    (lot,) = declare(pair, 1, until)
    (longer,) = declare(pair, 1, until + DAY)
    assert (longer.mode.value, longer.parent) == ("extend", lot.id)
    pair.later(DAY + 2 * MARGIN_SECONDS)
    assert pair.old.recovery.expire_due(ACTOR) == []
    assert (held(pair.old), held(pair.new)) == (4, 1)
    declare(pair, 1, until + DAY)
    pair.later(DAY)
    assert len(pair.old.recovery.expire_due(ACTOR)) == 1
    assert (held(pair.old), held(pair.new), lent(pair, lot.id)) == (5, 0, 0)


def test_an_end_is_posted_once(pair: Pair) -> None:
    """The holder ends first, then the lender; running again and again changes nothing."""
    first, second = declare(pair, 2, until_after(pair, DAY))
    pair.later(DAY + 10)
    assert (held(pair.old), held(pair.new)) == (5, 0)
    # Within the margin the lender does not take it for ended yet.
    assert pair.old.recovery.expire_due(ACTOR) == []
    pair.later(2 * MARGIN_SECONDS)
    assert len(pair.old.recovery.expire_due(ACTOR)) == 2
    assert pair.old.recovery.resume_all(ACTOR) == ([], [])
    assert (lent(pair, first.id), lent(pair, second.id), owned(pair.old)) == (0, 0, 5)
    view = pair.new.borrows.view(transfer_id("desk"))
    assert view is not None
    assert [lot["active"] for lot in view["lots"]] == [False, False]
    declare(pair, 2, until_after(pair, -1000))


def test_the_end_overtakes_an_early_return(pair: Pair) -> None:
    """A return that is on its way when the borrow ends credits the origin once."""
    until = until_after(pair, DAY)
    (lot,) = declare(pair, 1, until)
    answer = pair.new.borrows.put(borrow_request(pair, 0, until), ACTOR, dry_run=False)
    (view,) = answer["transfers"]
    back = declaration_from_view(view["id"], view)
    document = pair.leg(back, Leg.REQUEST)["document"]
    document = pair.leg(back, Leg.ISSUE, document=document)["document"]
    assert (held(pair.old), held(pair.new)) == (4, 0)
    pair.later(DAY + 2 * MARGIN_SECONDS)
    assert len(pair.old.recovery.expire_due(ACTOR)) == 1
    assert (held(pair.old), owned(pair.old)) == (5, 5)
    for leg in (Leg.INSTALL, Leg.CONFIRM, Leg.ACKNOWLEDGE):
        document = pair.leg(back, leg, document=document)["document"]
    assert (held(pair.old), owned(pair.old), lent(pair, lot.id)) == (5, 5, 0)


def test_an_early_return_leaves_nothing_to_end(pair: Pair) -> None:
    """The other order: returned first, then the time passes."""
    until = until_after(pair, DAY)
    (lot,) = declare(pair, 1, until)
    declare(pair, 0, until)
    pair.later(DAY + 2 * MARGIN_SECONDS)
    assert pair.old.recovery.expire_due(ACTOR) == []
    assert (held(pair.old), owned(pair.old), lent(pair, lot.id)) == (5, 5, 0)


def test_other_work_between_an_end_and_its_posting(pair: Pair) -> None:
    """A seat that fell back is not taken for a new one from the vendor."""
    first, _ = declare(pair, 2, until_after(pair, DAY))
    pair.later(DAY + 10)
    (third,) = declare(pair, 1, until_after(pair, DAY))
    pair.later(2 * MARGIN_SECONDS)
    assert len(pair.old.recovery.expire_due(ACTOR)) == 2
    assert (held(pair.old), owned(pair.old)) == (4, 4)
    assert (lent(pair, first.id), lent(pair, third.id)) == (0, 1)
    with pair.old.journal.reading() as unit:
        vendor = unit.ledger.balance(Account.VENDOR, "codemeter", CODES, Measure.SEATS)
    assert vendor == -5


def test_a_receipt_after_the_end(pair: Pair) -> None:
    """Installed in time, but its receipt came back only when all was over."""
    until = until_after(pair, DAY)
    answer = pair.new.borrows.put(borrow_request(pair, 1, until), ACTOR, dry_run=False)
    (view,) = answer["transfers"]
    lot = declaration_from_view(view["id"], view)
    document = pair.leg(lot, Leg.REQUEST)["document"]
    document = pair.leg(lot, Leg.ISSUE, document=document)["document"]
    document = pair.leg(lot, Leg.INSTALL, document=document)["document"]
    pair.later(DAY + 2 * MARGIN_SECONDS)
    assert len(pair.old.recovery.expire_due(ACTOR)) == 1
    document = pair.leg(lot, Leg.CONFIRM, document=document)["document"]
    pair.leg(lot, Leg.ACKNOWLEDGE, document=document)
    assert (held(pair.old), owned(pair.old), lent(pair, lot.id)) == (5, 5, 0)


def test_a_whole_item_is_lent_and_comes_back(pair: Pair) -> None:
    """All of its seats at once, as one lot."""
    until = until_after(pair, DAY)
    whole = {"item": ItemKey(FIRM, 202), "type": TransferType.BORROW_COMPLETE}
    declare(pair, 1, until, **whole)
    assert (held(pair.old, 202), held(pair.new, 202)) == (0, 4)
    declare(pair, 1, until + DAY, **whole)
    declare(pair, 0, until + DAY, **whole)
    assert (held(pair.old, 202), held(pair.new, 202)) == (4, 0)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type": TransferType.LICENSES}, ProblemCode.REQUEST_INVALID),
        ({"until": 1_000}, ProblemCode.PERIOD_IN_THE_PAST),
        ({"seats": 10_001}, ProblemCode.AMOUNT_INVALID),
        ({"seats": 2, "type": TransferType.BORROW_COMPLETE}, ProblemCode.AMOUNT_INVALID),
    ],
)
def test_borrows_that_cannot_be(pair: Pair, changes: dict[str, Any], code: ProblemCode) -> None:
    """Refused where they are declared; nothing is remembered of them."""
    wanted = borrow_request(pair, 1, until_after(pair, DAY))
    wanted = BorrowRequest(**{**wanted.__dict__, **changes})
    with pytest.raises(Problem) as caught:
        pair.new.borrows.put(wanted, ACTOR, dry_run=False)
    assert caught.value.code is code
    assert pair.new.borrows.view(wanted.id) is None


def test_places_that_are_wrong(pair: Pair) -> None:
    """Declared at a host that has no part in it, or without the lender's container."""
    until = until_after(pair, DAY)
    place = pair.place("old").__class__
    foreign = borrow_request(pair, 1, until, source=place("third", "130-3000000003"))
    with pytest.raises(Problem, match="is declared for the agent 'new', this one is 'old'"):
        pair.old.borrows.put(foreign, ACTOR, dry_run=False)
    nameless = borrow_request(pair, 1, until, source=place("old", ""))
    with pytest.raises(Problem, match="does not name the container that lends"):
        pair.new.borrows.put(nameless, ACTOR, dry_run=False)
    declare(pair, 1, until)
    with pytest.raises(Problem, match="is known here with another item"):
        pair.new.borrows.put(
            borrow_request(pair, 1, until, item=ItemKey(FIRM, 201)), ACTOR, dry_run=False
        )
