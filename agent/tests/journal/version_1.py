# SPDX-License-Identifier: GPL-3.0-or-later
"""Journals as agents of version 1 left them: work in every state, open transfers, an audit."""

from __future__ import annotations

from contextlib import closing
from importlib import resources
from pathlib import Path
from typing import Any

import apsw

from seatkeeper_agent.domain.records import Account, DocumentKind, Event
from seatkeeper_agent.domain.transfers import Side, State
from seatkeeper_agent.journal.audit import Audit
from seatkeeper_agent.journal.borrows import Borrows
from seatkeeper_agent.journal.counters import Counters
from seatkeeper_agent.journal.ledger import Ledger
from seatkeeper_agent.journal.transfers import Transfers

from .units import DECLARATION, DOCUMENT, SERIAL, posting

NOW = 1_700_000_000
PROBLEM = '{"code":"in-doubt","detail":"Nobody can tell."}'
OPERATIONS = (
    # Id, container, state, problem, and the state of each of its steps.
    ("running", SERIAL, "running", None, ("done", "intended", "planned")),
    ("begun", "130-3", "running", None, ("planned",)),
    ("done", SERIAL, "done", None, ("done", "done")),
    ("failed", SERIAL, "failed", PROBLEM, ("planned",)),
    ("in-doubt", "130-4", "in_doubt", PROBLEM, ("intended",)),
)
OPEN = ("begun", "in-doubt", "running")


def make_version_1(path: Path, audit_entries: int = 20) -> None:
    """A journal of version 1 that holds something of everything."""
    script = resources.files("seatkeeper_agent.journal").joinpath("schema/1.sql").read_text("utf-8")
    with closing(apsw.Connection(str(path))) as connection:
        connection.pragma("journal_mode", "wal")
        connection.pragma("foreign_keys", "on")
        with connection:
            connection.execute(script)
            connection.pragma("user_version", 1)
        with connection:
            _fill(connection, audit_entries)


def tables(connection: apsw.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    names = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
    ).fetchall()
    return {
        str(name): connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()  # noqa: S608
        for (name,) in names
    }


def _fill(connection: apsw.Connection, audit_entries: int) -> None:
    for operation in OPERATIONS:
        _add_operation(connection, *operation)
    transfers, ledger = Transfers(connection, NOW), Ledger(connection, NOW)
    transfers.insert(DECLARATION, Side.SOURCE, State.CREATED)
    transfers.put_document(DECLARATION.id, Side.SOURCE, DocumentKind.REQUEST, DOCUMENT)
    for state in (State.DEBITING, State.IN_TRANSIT):
        transfers.advance(DECLARATION.id, Side.SOURCE, state)
    transfers.insert(DECLARATION, Side.TARGET, State.REQUESTED)
    transfers.supersede_request(DECLARATION.id, DOCUMENT, "0" * 64)
    seen = [posting(Account.CONTAINER, SERIAL, 25), posting(Account.VENDOR, "codemeter", -25)]
    ledger.post(Event.OBSERVED, seen)
    sent = [posting(Account.CONTAINER, SERIAL, -10), posting(Account.ESCROW, DECLARATION.id, 10)]
    ledger.post(Event.DEBIT, sent, DECLARATION.id, "running")
    Borrows(connection, NOW).put("borrow", {"seats": 1}, [DECLARATION.id])
    Counters(connection).raise_to(SERIAL, "6000010", 7)
    audit = Audit(connection, NOW)
    for number in range(audit_entries):
        audit.append("tester", "observed", SERIAL, {"number": number, "text": "x" * 500})


def _add_operation(
    connection: apsw.Connection,
    name: str,
    container: str,
    state: str,
    problem: str | None,
    steps: tuple[str, ...],
) -> None:
    connection.execute(
        "INSERT INTO operations (id, kind, subject, side, container, state, problem, actor,"
        " created_at, updated_at) VALUES (?, 'debit', 'ten', 'source', ?, ?, ?, 'tester', ?, ?)",
        (name, container, state, problem, NOW, NOW + 1),
    )
    for position, step in enumerate(steps):
        connection.execute(
            "INSERT INTO steps VALUES (?, ?, 'debit', 'debiting', ?, ?, ?, ?, ?)",
            (
                name,
                position,
                position % 2,
                step,
                position,
                '{"seen":25}',
                None if step == "planned" else NOW + 0.5,
            ),
        )
