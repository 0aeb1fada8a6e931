# SPDX-License-Identifier: GPL-3.0-or-later
"""What one host answers is refused where the inventory does not declare it, in one sentence."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import transfer_id
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.claims import (
    Claim,
    Lots,
    refusal,
    why_not_open,
)

from .reading import declared_of

Record = dict[str, t.Any]

HONEST, HOSTILE, THIRD = "old-server", "new-server", "third-server"
CONTAINERS = {HONEST: "130-1", HOSTILE: "130-2", THIRD: "130-3"}
UNTIL = "2099-01-31T00:00:00Z"
LATER = "2099-12-31T00:00:00Z"
ITEMS = ("6000010:204", "6000010:201")
(BORROW,) = declared_of(
    HONEST,
    HOSTILE,
    license_borrows=[
        {
            "name": "cad",
            "item": ITEMS[0],
            "seats": 2,
            "until": "2099-01-31",
            "source": HONEST,
            "source_container": CONTAINERS[HONEST],
            "target": HOSTILE,
        }
    ],
)


def end(agent: str, container: str | None = None) -> Record:
    return {"agent": agent, "container": container or CONTAINERS[agent]}


def lot(name: str, **changes: t.Any) -> Record:
    """A lot that is to be lent, as an honest borrower tells it."""
    return {
        "id": transfer_id(name),
        "name": name,
        "item": ITEMS[0],
        "type": "borrow_local",
        "mode": "push",
        "quantity": None,
        "until": UNTIL,
        "parent": None,
        "source": end(HONEST),
        "target": end(HOSTILE),
        **changes,
    }


def record(described: Record, side: str, state: str) -> Record:
    return {**described, "side": side, "state": state, "status": "", "amounts": {"seats": 1}}


def lent(number: int, state: str = "transferred_receipted", **changes: t.Any) -> Record:
    return record(lot(f"cad/lot-{number}", **changes), "source", state)


def refused(said: list[Record], journal: t.Sequence[Record] | None = ()) -> list[str]:
    """A sentence for each lot that is not carried, by what the lender's own journal has."""
    lots = Lots(BORROW, None if journal is None else list(journal))
    found = [(each, lots.why_not(each)) for each in said]
    return [refusal(Claim(each, HOSTILE, BORROW.id), why) for each, why in found if why]


RETURNED = lot(
    "cad/lot-1/return",
    mode="return",
    until=None,
    parent=transfer_id("cad/lot-1"),
    source=end(HOSTILE),
    target=end(HONEST),
)


def test_a_stolen_lot_is_told_with_who_claims_it_and_what() -> None:
    (sentence,) = refused([lot("cad/lot-1", item=ITEMS[1], type="complete")])
    assert sentence.startswith(
        "The agent of new-server claims cad/lot-1 of item 6000010:201, and it has another item,"
        " type than the declared borrow cad."
    )
    (sentence,) = refused([lot("theft", type="complete")])
    assert "declares no such borrow for this host" in sentence


@pytest.mark.parametrize(
    "changes",
    [
        {"item": ITEMS[1]},
        {"type": "licenses"},
        {"mode": "pull"},
        {"quantity": 1},
        {"until": LATER},
        {"parent": transfer_id("cad/lot-9")},
        {"source": end(THIRD)},
        {"target": end(THIRD)},
        {"source": end(HONEST, "130-9")},
        {"id": transfer_id("cad/lot-2")},
    ],
)
def test_a_lot_with_any_other_member_than_its_borrow_is_refused(changes: Record) -> None:
    assert refused([lot("cad/lot-1")]) == []
    assert len(refused([lot("cad/lot-1", **changes)])) == 1


def test_no_more_is_lent_than_is_declared_whatever_the_borrower_has_forgotten() -> None:
    assert refused([lot("cad/lot-1"), lot("cad/lot-2")]) == []
    assert "declares 2 in all" in refused([lot(f"cad/lot-{n}") for n in (1, 2, 3)])[0]
    assert "declares 2 in all" in refused([lot("cad/lot-3")], [lent(1), lent(2)])[0]
    assert refused([lot("cad/lot-3")], [lent(1), lent(2, "void")]) == []
    over = "2020-01-01T00:00:00Z"
    assert refused([lot("cad/lot-3")], [lent(1), lent(2, until=over)]) == []
    extended = record(
        lot("cad/lot-2/until-x", mode="extend", parent=transfer_id("cad/lot-2")),
        "source",
        "transferred_receipted",
    )
    assert len(refused([lot("cad/lot-3")], [lent(1), lent(2, until=over), extended])) == 1
    back = record(RETURNED, "target", "transferred")
    assert refused([lot("cad/lot-3")], [lent(1), lent(2), back]) == []


def test_what_was_lent_is_extended_and_comes_back() -> None:
    parent = transfer_id("cad/lot-1")
    extends = lot(f"cad/lot-1/until-{UNTIL}", mode="extend", parent=parent)
    assert refused([extends, RETURNED], [lent(1)]) == []
    assert len(refused([extends, RETURNED])) == 2
    # Under way since an earlier end was declared, by the lender's own word.
    earlier = lot("cad/lot-1", until="2098-01-31T00:00:00Z")
    assert refused([earlier], [record(earlier, "source", "in_transit")]) == []
    assert len(refused([earlier])) == 1


def test_of_a_lender_whose_journal_was_not_read_nothing_is_borrowed() -> None:
    assert "nobody knows what old-server has lent already" in refused([lot("cad/lot-1")], None)[0]


def test_an_open_transfer_that_is_not_declared_needs_the_word_of_the_other_host() -> None:
    claimed = record(lot("undeclared"), "target", "accepted")
    claim = Claim(claimed, HOSTILE, None)
    why = why_not_open(claim, None)
    assert why is not None
    assert refusal(claim, why) == (
        "The agent of new-server claims the open transfer undeclared, and neither the inventory"
        " nor old-server knows it. No other host was asked for it: correct the inventory, or find"
        " out who answers in the agent's place."
    )
    begun = record(lot("undeclared"), "source", "in_transit")
    assert why_not_open(claim, begun) is None
    assert "has not begun" in str(why_not_open(claim, {**begun, "state": "created"}))
    other = record(lot("undeclared", item=ITEMS[1]), "source", "in_transit")
    assert "another item" in str(why_not_open(claim, other))
    foreign = record(lot("undeclared", target=end(THIRD)), "target", "accepted")
    assert "it is one of third-server" in str(why_not_open(Claim(foreign, HOSTILE, None), begun))
