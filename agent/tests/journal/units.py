# SPDX-License-Identifier: GPL-3.0-or-later
"""The units of work of a typical leg, each of which must become durable whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from seatkeeper_agent.domain.licenses import ItemKey, Measure, TransferType
from seatkeeper_agent.domain.records import (
    Account,
    DocumentKind,
    Event,
    OperationState,
    Posting,
    StepRecord,
    StepState,
)
from seatkeeper_agent.domain.transfers import Declaration, Mode, Place, Side, State, transfer_id
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.invariants import check

SERIAL, CODES, OPERATION = "130-1", "6000010:201", "operation-1"
DECLARATION = Declaration(
    transfer_id("ten"), "ten", ItemKey.parse(CODES), TransferType.LICENSES, Mode.PUSH,
    Place("old", SERIAL), Place("new", "130-2"), quantity=10,
)  # fmt: skip
DOCUMENT = {"payload": "x" * 6000, "payloadType": "test", "signatures": []}
STEP = StepRecord(0, "debit", "debit", "debiting", reversible=True, state=StepState.PLANNED)


def posting(account: Account, reference: str, amount: int) -> Posting:
    """One row for seats of the item."""
    return Posting(account, reference, CODES, Measure.SEATS, amount)


def create(unit: Unit) -> None:
    """The request is kept."""
    unit.transfers.insert(DECLARATION, Side.SOURCE, State.CREATED)
    unit.transfers.put_document(DECLARATION.id, Side.SOURCE, DocumentKind.REQUEST, DOCUMENT)
    unit.audit.append("tester", "created", "ten", {})


def open_operation(unit: Unit) -> None:
    """The container is taken."""
    unit.operations.open(OPERATION, "debit", "ten", Side.SOURCE, SERIAL, "tester", [STEP])
    unit.audit.append("tester", "opened", "ten", {})


def intend(unit: Unit) -> None:
    """What was seen, and that it is about to happen."""
    rows = [posting(Account.CONTAINER, SERIAL, 25), posting(Account.VENDOR, "codemeter", -25)]
    unit.ledger.post(Event.OBSERVED, rows)
    unit.counters.raise_to(SERIAL, "6000010", 1)
    unit.operations.intend(OPERATION, 0, {"seen": 25}, 1.0)
    unit.transfers.advance(DECLARATION.id, Side.SOURCE, State.DEBITING)
    unit.audit.append("tester", "intent:debit", "ten", {})


def conclude(unit: Unit) -> None:
    """Escrow, document and outcome."""
    rows = [
        posting(Account.CONTAINER, SERIAL, -10),
        posting(Account.ESCROW, DECLARATION.id, 10),
    ]
    unit.ledger.post(Event.DEBIT, rows, DECLARATION.id, OPERATION)
    unit.transfers.put_document(DECLARATION.id, Side.SOURCE, DocumentKind.TRANSFER, DOCUMENT)
    unit.transfers.advance(DECLARATION.id, Side.SOURCE, State.IN_TRANSIT)
    unit.operations.set_step(OPERATION, 0, StepState.DONE)
    unit.operations.set_state(OPERATION, OperationState.DONE)
    unit.audit.append("tester", "done:debit", "ten", {})


LEG: tuple[Callable[[Unit], None], ...] = (create, open_operation, intend, conclude)


def run_leg(journal: Journal) -> int:
    """Do what is not done yet; gives how many units were committed by then."""
    for number in range(done(journal), len(LEG)):
        with journal.transaction() as unit:
            LEG[number](unit)
    return done(journal)


def done(journal: Journal) -> int:
    """How many units are there: each adds one entry to the audit."""
    with journal.reading() as unit:
        sequence, _ = unit.audit.head()
    return sequence


def assert_truthful(folder: Path, expected: set[int]) -> int:
    """A clean opening shows whole units only, in order, and nothing is broken."""
    with closing(sqlite3.connect(folder / "journal.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    journal = Journal(folder / "journal.db")
    try:
        units = done(journal)
        assert units in expected
        with journal.reading() as unit:
            assert [one for one in check(unit) if not one.holds] == []
            record = unit.transfers.get(DECLARATION.id, Side.SOURCE)
            held = unit.ledger.balance(Account.CONTAINER, SERIAL, CODES, Measure.SEATS)
            escrow = unit.ledger.balance(Account.ESCROW, DECLARATION.id, CODES, Measure.SEATS)
        states = [None, State.CREATED, State.CREATED, State.DEBITING, State.IN_TRANSIT]
        assert (record and record.state) == states[units]
        assert (held, escrow) == [(0, 0), (0, 0), (0, 0), (25, 0), (15, 10)][units]
        return units
    finally:
        journal.close()
