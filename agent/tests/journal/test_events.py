# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes is told with the change, whole or not at all, in an order that only grows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from seatkeeper_agent.domain.planned_steps import Instructions, Performer
from seatkeeper_agent.domain.records import (
    DeclarationKey,
    OperationState,
    StepRecord,
    StepState,
)
from seatkeeper_agent.domain.transfers import Side, State
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.journal.events import EventsForgotten, JournalEvent

from .units import DECLARATION, SERIAL

KEPT = 10_000
KEY = DeclarationKey("order", "front-desk")
REPORTED = Instructions(("Click it.",), "It shows.", attestable=True)
STEP = StepRecord(
    0, "move", "move", "moving", True, StepState.PLANNED,
    performer=Performer.PERSON, instructions=REPORTED,
)  # fmt: skip


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A new one."""
    made = Journal(tmp_path / "journal.db")
    yield made
    made.close()


def events(journal: Journal, cursor: int = 0) -> list[JournalEvent]:
    """What came after a cursor."""
    with journal.reading() as unit:
        return unit.events.after(cursor, 1_000)


def begin(unit: Unit, operation: str = "one", holds: str = SERIAL) -> None:
    """An operation with a step of a person."""
    unit.operations.open(operation, "order", "x", None, holds, "tester", [STEP], KEY)


def open_it(unit: Unit) -> None:
    begin(unit)


def hand_out(unit: Unit) -> None:
    unit.operations.intend("one", 0, {}, 1.0, 60)


def wait(unit: Unit) -> None:
    unit.operations.set_state("one", OperationState.WAITING)


def notice(unit: Unit) -> None:
    unit.operations.note("one", "The dongle was unplugged.")


def attest(unit: Unit) -> None:
    unit.operations.attest("one", 0, "tester: it is so")


def end(unit: Unit) -> None:
    unit.operations.set_step("one", 0, StepState.DONE)
    unit.operations.set_state("one", OperationState.DONE)


def put(unit: Unit) -> None:
    unit.declarations.put("order", "front-desk", {"attempt": 1})


def put_again(unit: Unit) -> None:
    unit.declarations.put("order", "front-desk", {"attempt": 1})


def withdraw(unit: Unit) -> None:
    unit.declarations.remove("order", "front-desk")


def send(unit: Unit) -> None:
    unit.transfers.insert(DECLARATION, Side.SOURCE, State.CREATED)
    unit.transfers.advance(DECLARATION.id, Side.SOURCE, State.DEBITING)


def move(unit: Unit) -> None:
    unit.declarations.put("move", "m", {"state": "releasing", "side": "source"})
    unit.declarations.put("move", "m", {"state": "releasing", "side": "source", "attempt": 2})
    unit.declarations.put("move", "m", {"state": "released", "side": "source"})


def lend(unit: Unit) -> None:
    unit.borrows.put("desk", {"seats": 1}, [])


OF_ONE = {"operation": "one", "declaration": KEY}
TRANSFER = {"declaration": DeclarationKey("transfer", DECLARATION.id), "side": Side.SOURCE}
MOVE = {"declaration": DeclarationKey("move", "m")}
CHANGES: dict[Any, list[dict[str, Any]]] = {
    open_it: [{"what": "operation", "state": "running", **OF_ONE}],
    hand_out: [{"what": "step", "state": "intended", "position": 0, **OF_ONE}],
    wait: [{"what": "operation", "state": "waiting", **OF_ONE}],
    notice: [{"what": "note", "state": "waiting", **OF_ONE}],
    attest: [{"what": "attestation", "state": "intended", "position": 0, **OF_ONE}],
    end: [
        {"what": "step", "state": "done", "position": 0, **OF_ONE},
        {"what": "operation", "state": "done", **OF_ONE},
    ],
    put: [{"what": "declaration", "state": "put", "declaration": KEY}],
    put_again: [],
    withdraw: [{"what": "declaration", "state": "withdrawn", "declaration": KEY}],
    send: [
        {"what": "transfer", "state": "created", **TRANSFER},
        {"what": "transfer", "state": "debiting", **TRANSFER},
    ],
    move: [
        {"what": "declaration", "state": "put", **MOVE},
        {"what": "server_move", "state": "releasing", **MOVE, "side": Side.SOURCE},
        {"what": "declaration", "state": "put", **MOVE},
        {"what": "declaration", "state": "put", **MOVE},
        {"what": "server_move", "state": "released", **MOVE, "side": Side.SOURCE},
    ],
    lend: [
        {"what": "declaration", "state": "put", "declaration": DeclarationKey("borrow", "desk")}
    ],
}
"""Units of work, one after the other, and all that each of them tells."""


def reported(found: list[JournalEvent]) -> list[dict[str, Any]]:
    """What they say, without the moment; of one unit in any order."""
    shown = [
        {
            "what": event.what,
            "state": event.state,
            "operation": event.operation,
            "position": event.position,
            "declaration": event.declaration,
            "side": event.side,
        }
        for event in found
    ]
    return sorted(({k: v for k, v in row.items() if v is not None} for row in shown), key=repr)


def test_every_change_is_told_with_it(journal: Journal) -> None:
    """And what changes nothing is not told."""
    cursor = 0
    for change, expected in CHANGES.items():
        with journal.transaction() as unit:
            change(unit)
        found = events(journal, cursor)
        assert reported(found) == sorted(expected_of(expected), key=repr), change.__name__
        assert [event.cursor for event in found] == list(range(cursor + 1, cursor + 1 + len(found)))
        cursor = found[-1].cursor if found else cursor


def expected_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With the keys in the order of ``reported``."""
    order = ("what", "state", "operation", "position", "declaration", "side")
    return [{key: row[key] for key in order if key in row} for row in rows]


def test_what_did_not_become_durable_is_not_told(journal: Journal) -> None:
    def fail(unit: Unit) -> None:
        put(unit)
        raise LookupError

    with pytest.raises(LookupError), journal.transaction() as unit:
        fail(unit)
    assert events(journal) == []
    with journal.transaction() as unit:
        put(unit)
    assert [event.cursor for event in events(journal)] == [1]


def test_the_oldest_go_and_whoever_has_not_read_them_is_told(journal: Journal) -> None:
    """The number of rows is bounded; a cursor of another journal is no cursor of this one."""
    with journal.transaction() as unit:
        begin(unit)
        for number in range(KEPT + 5):
            unit.operations.note("one", f"noticed {number}")
    with journal.reading() as unit:
        newest = unit.events.newest()
        assert unit.events._connection.execute("SELECT count(*) FROM events").get == KEPT
        assert newest == KEPT + 6
        oldest = newest - KEPT + 1
        assert [event.cursor for event in unit.events.after(oldest - 1, 2)] == [oldest, oldest + 1]
        assert unit.events.after(newest, 10) == []
        for lost in (0, oldest - 2, newest + 1):
            with pytest.raises(EventsForgotten):
                unit.events.after(lost, 10)


def test_a_page_of_events_goes_on_where_the_last_one_ended(journal: Journal) -> None:
    with journal.transaction() as unit:
        begin(unit)
        for number in range(9):
            unit.operations.note("one", f"noticed {number}")
    cursors: list[int] = []
    with journal.reading() as unit:
        while page := unit.events.after(cursors[-1] if cursors else 0, 4):
            cursors += [event.cursor for event in page]
    assert cursors == list(range(1, 11))


def test_nobody_changes_what_was_told(journal: Journal) -> None:
    with journal.transaction() as unit:
        put(unit)
    with pytest.raises(apsw.ConstraintError, match="never changed"), journal.transaction() as unit:
        unit.events._connection.execute("UPDATE events SET state = 'withdrawn'")
