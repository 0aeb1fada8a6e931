# SPDX-License-Identifier: GPL-3.0-or-later
"""Only what is lent from an item now keeps it: not what came in, went back, or is another item's.

The vendor's history has no direction, and rows of early returns keep the borrow's old end.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.domain.licenses import Item, ItemStatus, TransferType
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.transfers import Declaration, Leg, Mode, State
from seatkeeper_agent.operations.ports import TransferCommand

from .hosts import DAY, FIRM, Host, Pair, Twin, item, make_pair, make_twins, option, refresh

PRODUCT, SEATS = 301, 4
TYPES = ("complete", "licenses", "borrow_local", "borrow_complete")


@pytest.fixture(scope="module")
def generous(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Twin]]:
    """Two engines; the one item may go every way that takes seats."""
    seeded = item(PRODUCT, *(option(type_) for type_ in TYPES), license_quantity=SEATS)
    running = make_twins(tmp_path_factory.mktemp("generous"), [seeded])
    yield running
    for twin in running.values():
        twin.stop()


@pytest.fixture
def pair(generous: dict[str, Twin], tmp_path: Path) -> Iterator[Pair]:
    """Two hosts with new journals."""
    refresh(tmp_path / "hosts", generous)
    made = make_pair(tmp_path / "hosts", generous)
    yield made
    for host in made:
        host.close()


def move(pair: Pair, name: str, type_: str, mode: str = "push", **values: Any) -> Declaration:
    """Carry one transfer to its end."""
    if type_.startswith("borrow") and mode != "return":
        values.setdefault("until", int(pair.clock()) + 7 * DAY)
    declared = pair.declare(name, str(PRODUCT), type_, mode, **values)
    pair.carry(declared)
    return declared


def usable(pair: Pair) -> tuple[int, int]:
    """Seats of the item on either host, as the twins count them."""
    found = [host.twin.items(PRODUCT) for host in pair]
    counts = [
        sum(entry["license_quantity"] for entry in entries if entry["status"] == "enabled")
        for entries in found
    ]
    return counts[0], counts[1]


def items(host: Host) -> list[Item]:
    """What is there."""
    found = host.driver.items(host.serial)
    return [entry for entry in found if entry.status is not ItemStatus.DELETED]


def forget(pair: Pair) -> None:
    """Begin with empty journals: only the history tells what was."""
    for host in pair:
        host.close_journals()
        for path in host.folder.glob("journal.db*"):
            path.unlink()
        host.crash()


@pytest.mark.parametrize("remembers", [True, False], ids=["with journals", "with histories alone"])
@pytest.mark.parametrize("lent", ["borrow_local", "borrow_complete"])
def test_what_was_lent_and_is_back_keeps_nothing(pair: Pair, lent: str, remembers: bool) -> None:
    """Long before the borrow's old end a whole item is lent, comes back, goes, and returns."""
    lots = [move(pair, f"lot {n}", lent) for n in range(2 if lent == "borrow_local" else 1)]
    if lent == "borrow_local":
        with pytest.raises(Problem, match="2 of its seats are lent"):
            move(pair, "too early", "complete")
    for lot in lots:
        move(pair, f"{lot.name} back", lent, "return", source="new", parent=lot.id)
    assert usable(pair) == (SEATS, 0)
    if not remembers:
        forget(pair)
    whole = move(pair, "whole", "borrow_complete")
    assert usable(pair) == (0, SEATS)
    move(pair, "whole back", "borrow_complete", "return", source="new", parent=whole.id)
    move(pair, "for good", "complete")
    assert usable(pair) == (0, SEATS)
    move(pair, "and again", "complete", "return", source="new")
    assert usable(pair) == (SEATS, 0)


def test_what_is_borrowed_here_is_not_lent_from_here(pair: Pair) -> None:
    """A lot of the same codes, prolonged, beside an item that goes on whole."""
    lot = move(pair, "lot", "borrow_local")
    move(pair, "part", "licenses", quantity=2)
    until = int(pair.clock()) + 9 * DAY
    move(pair, "longer", "borrow_local", "extend", parent=lot.id, until=until)
    move(pair, "on", "complete", source="new")
    assert usable(pair) == (SEATS - 1, 1)


def test_another_items_loan_keeps_nothing_back(pair: Pair) -> None:
    """Two items of the same codes in one container: only the one that lends is kept."""
    move(pair, "out", "licenses", quantity=2)
    move(pair, "back as an item of its own", "licenses", "push", source="new", quantity=2)
    first, second = (f"{PRODUCT}@{entry.key.reference}" for entry in items(pair.old))
    lot = pair.declare("lot", first, "borrow_local", until=int(pair.clock()) + DAY)
    pair.carry(lot)
    with pytest.raises(Problem, match="1 of its seats are lent"):
        pair.carry(pair.declare("first", first, "complete"))
    pair.carry(pair.declare("second", second, "complete"))
    assert usable(pair) == (1, 3)


@pytest.mark.parametrize("action", ["refuse", "lose"])
def test_what_comes_in_is_not_taken_for_what_left(pair: Pair, action: str) -> None:
    """A return is imported by hand while a seat is to be lent to the same host, which fails."""
    lot = move(pair, "lot", "borrow_local")
    (borrowed,) = items(pair.new)
    request = pair.old.driver.create_request(pair.old.serial, FIRM, Mode.RETURN)
    wanted = TransferCommand(TransferType.BORROW_LOCAL, Mode.RETURN, None, None)
    update = pair.new.driver.do_transfer(pair.new.serial, borrowed, wanted, request)

    def by_hand(point: str) -> None:
        if point == "do_transfer.before":
            pair.old.at_point = None
            pair.old.driver.import_update(pair.old.serial, update)

    other = pair.declare("other", str(PRODUCT), "borrow_local", until=lot.until)
    document = pair.leg(other, Leg.REQUEST)["document"]
    pair.old.twin.ask("_twin.fault", point="debit.before", action=action, value=234)
    pair.old.at_point = by_hand
    if action == "refuse":
        with pytest.raises(Problem) as caught:
            pair.leg(other, Leg.ISSUE, document=document)
        assert caught.value.code is ProblemCode.RUNTIME_REFUSED
        assert usable(pair) == (SEATS, 0)
        assert pair.old.record(other).state is State.CREATED
    document = pair.leg(other, Leg.ISSUE, document=document)["document"]
    pair.leg(other, Leg.INSTALL, document=document)
    assert usable(pair) == (SEATS - 1, 1)


def test_what_leaves_by_hand_is_not_taken_for_what_arrived(pair: Pair) -> None:
    """A seat is pushed back by hand while others are to arrive, and the import fails."""
    move(pair, "first", "licenses", quantity=1)
    second = pair.declare("second", str(PRODUCT), "licenses", quantity=2)
    document = pair.leg(second, Leg.REQUEST)["document"]
    document = pair.leg(second, Leg.ISSUE, document=document)["document"]
    (first,) = items(pair.new)

    def by_hand(point: str) -> None:
        if point == "import_update.before":
            pair.new.at_point = None
            request = pair.old.driver.create_request(pair.old.serial, FIRM, Mode.PUSH)
            wanted = TransferCommand(TransferType.LICENSES, Mode.PUSH, 1, None)
            pair.new.driver.do_transfer(pair.new.serial, first, wanted, request)

    pair.new.twin.ask("_twin.fault", point="import.before", action="refuse", value=234)
    pair.new.at_point = by_hand
    with pytest.raises(Problem) as caught:
        pair.leg(second, Leg.INSTALL, document=document)
    assert caught.value.code is ProblemCode.RUNTIME_REFUSED
    assert pair.new.record(second).state is State.ACCEPTED
    pair.leg(second, Leg.INSTALL, document=document)
    assert usable(pair) == (SEATS - 3, 2)
