# SPDX-License-Identifier: GPL-3.0-or-later
"""A journal with as many rows of every sort as a test asks for, written by the journal itself."""

from __future__ import annotations

import uuid
from typing import Any

from seatkeeper_agent.domain.licenses import ItemKey, Measure, TransferType
from seatkeeper_agent.domain.planned_steps import Instructions, Performer
from seatkeeper_agent.domain.records import (
    Account,
    Event,
    OperationState,
    Posting,
    StepRecord,
    StepState,
)
from seatkeeper_agent.domain.server_move_legs import MoveDeclaration, MoveState
from seatkeeper_agent.domain.server_moves import ServerBackup
from seatkeeper_agent.domain.servers import Dongle
from seatkeeper_agent.domain.transfers import (
    NAMESPACE,
    Declaration,
    Mode,
    Place,
    Side,
    State,
    transfer_id,
)
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.borrows import BorrowRequest
from seatkeeper_agent.operations.dongles import requests as migrations
from seatkeeper_agent.operations.orders import requests as orders
from seatkeeper_agent.operations.server_moves import records as moves

SERIAL, ITEM = "130-1000000001", ItemKey(6_000_010, 201)
SOURCE, TARGET = Place("old-server", SERIAL), Place("new-server", "130-2000000002")
REPORTED = Instructions(("Open the page.", "Click TRANSFER >>."), "The status shows it.")
STEP = StepRecord(
    0, "transfer", "transfer", "clicking TRANSFER >>", True, StepState.PLANNED,
    performer=Performer.PERSON, instructions=REPORTED,
)  # fmt: skip
BACKUP = ServerBackup("aimms", "old-server", "2026-11-22T10:00:00Z", None, (), ())


def fill(journal: Journal, first: int, end: int) -> None:
    """One row more of every sort for each number, each in a unit of work of its own."""
    for number in range(first, end):
        with journal.transaction() as unit:
            for write in (_transfer, _borrow, _migration, _order, _move):
                write(unit, number)
            unit.audit.append("tester", "filled", f"row {number}", {"number": number})


def _operation(unit: Unit, operation: str, kind: str, number: int) -> None:
    """One that waits for a person, and of which something was noticed."""
    holder = f"{kind} {number}"
    unit.operations.open(operation, kind, f"subject {number}", None, holder, "tester", [STEP])
    unit.operations.intend(operation, 0, {}, float(unit.now), unit.now + 3600)
    unit.operations.set_state(operation, OperationState.WAITING)
    unit.operations.note(operation, "The dongle was unplugged.")


def _transfer(unit: Unit, number: int) -> None:
    declared = Declaration(
        transfer_id(f"seats {number}"), f"seats {number}", ITEM, TransferType.LICENSES, Mode.PUSH,
        SOURCE, TARGET, quantity=1,
    )  # fmt: skip
    unit.transfers.insert(declared, Side.SOURCE, State.CREATED)
    _operation(unit, str(uuid.uuid5(NAMESPACE, f"debit {number}")), "debit", number)
    rows = (
        (Account.CONTAINER, f"130-{number}", 25),
        (Account.VENDOR, "codemeter", -25),
    )
    postings = [Posting(account, of, str(ITEM), Measure.SEATS, n) for account, of, n in rows]
    unit.ledger.post(Event.OBSERVED, postings)


def _borrow(unit: Unit, number: int) -> None:
    identity = str(uuid.uuid5(NAMESPACE, f"borrow/{number}"))
    order = BorrowRequest(
        identity, f"cad {number}", ITEM, TransferType.BORROW_LOCAL, SOURCE, TARGET, 2, unit.now
    )
    unit.borrows.put(identity, order.as_document(), [transfer_id(f"cad {number}/lot-1")])


def _migration(unit: Unit, number: int) -> None:
    dongle = Dongle("1-1", 0x064F, 0x0BD7, "wibukey", "WibuBox", f"{number:08}", True)
    identity = migrations.migration_id("chaos", dongle.id)
    order = migrations.MigrationRequest(dongle.id, "artist@studio-a.example")
    document = migrations.declaration_of(order, dongle, dongle.id, [], None)
    unit.declarations.put("migration", identity, document)
    _operation(unit, migrations.operation_id(identity, 1), migrations.KIND, number)


def _order(unit: Unit, number: int) -> None:
    name = f"front desk {number}"
    identity = orders.order_id(name)
    declaration: dict[str, Any] = {
        "name": name,
        "source": {"name": "old", "system_key": "0012-3456-7890"},
        "target": {"name": "new", "system_key": "0012-9999-0001"},
        "keys": [{"key": "LK10-AAAA-0001", "product": "ALTI-STATION-10"}],
    }
    document = {"declaration": declaration, "case_number": None, "attempt": 1}
    unit.declarations.put("order", identity, document)
    _operation(unit, orders.operation_id(identity, 1), orders.KIND, number)


def _move(unit: Unit, number: int) -> None:
    """Given up, so that nobody looks at the server for it."""
    declared = MoveDeclaration(f"move {number}", "aimms", "old-server", "new-server", "new.example")
    moves.put(unit, moves.MoveRecord(declared, Side.SOURCE, MoveState.VOID, BACKUP, attempt=1))
