# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ledger, the audit and the operations' index refuse, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatkeeper_agent.domain.records import Account, Event, OperationState
from seatkeeper_agent.domain.transfers import Side, State
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.journal.ledger import Unbalanced
from seatkeeper_agent.journal.transfers import ForbiddenTransition
from seatkeeper_agent.operations.invariants import check

from .units import DECLARATION, LEG, OPERATION, SERIAL, STEP, posting, run_leg

SECOND_DEBIT = (
    "INSERT INTO entries (transfer_id, event, operation_id, at)"
    " SELECT transfer_id, event, operation_id, at FROM entries WHERE event = 'debit'"
)
NEVER_ARRIVED = (
    "INSERT INTO transfers SELECT id, 'target', 'transferred', declaration, amounts, NULL, NULL,"
    " 1, 1 FROM transfers"
)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal with a leg that is done."""
    opened = Journal(tmp_path / "journal.db")
    run_leg(opened)
    yield opened
    opened.close()


def tamper(journal: Journal, *statements: str) -> None:
    """Change the file behind the agent's back."""
    journal.close()
    connection = apsw.Connection(str(journal.path))
    for statement in statements:
        connection.execute(statement)
    connection.close()


def complaints(journal: Journal) -> dict[str, str]:
    """The invariants that do not hold."""
    with journal.reading() as unit:
        return {one.name: one.detail for one in check(unit) if not one.holds}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE postings SET amount = amount + 1",
        "DELETE FROM postings",
        "UPDATE entries SET event = 'credit' WHERE event = 'debit'",
        "DELETE FROM entries",
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit WHERE sequence = 4",
        "INSERT INTO entries (transfer_id, event, operation_id, at) VALUES ('x', 'debit', 'x', 1)",
        SECOND_DEBIT,
        "UPDATE transfers SET state = 'crediting'",
        "UPDATE operations SET state = 'failed'",
        "UPDATE steps SET intended_at = NULL, state = 'intended'",
        "INSERT INTO transfers VALUES ('y', 'source', 'accepted', '{}', '{}', NULL, NULL, 1, 1)",
    ],
)
def test_what_the_schema_itself_forbids(journal: Journal, statement: str) -> None:
    """Rows of the past, a second debit, an entry without intent, impossible states."""
    with pytest.raises(apsw.ConstraintError):
        tamper(journal, statement)
    assert complaints(journal) == {}


AMOUNTS = st.lists(st.integers(-5, 5).filter(bool), min_size=1, max_size=6)


@settings(max_examples=100, deadline=None)
@given(amounts=AMOUNTS)
def test_only_entries_that_sum_to_zero(journal_of: Journal, amounts: list[int]) -> None:
    """Anything else is a defect and writes nothing."""
    rows = [posting(Account.CONTAINER, f"130-{n}", amount) for n, amount in enumerate(amounts)]
    with journal_of.reading() as unit:
        before = unit.ledger.balances()
    if sum(amounts):
        with pytest.raises(Unbalanced), journal_of.transaction() as unit:
            unit.ledger.post(Event.OBSERVED, rows)
        with journal_of.reading() as unit:
            assert unit.ledger.balances() == before
    else:
        with journal_of.transaction() as unit:
            unit.ledger.post(Event.OBSERVED, rows)
    assert complaints(journal_of) == {}


@pytest.fixture(scope="module")
def journal_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    """A journal that many examples write into."""
    opened = Journal(tmp_path_factory.mktemp("ledger") / "journal.db")
    yield opened
    opened.close()


def test_a_unit_that_raises_leaves_nothing(tmp_path: Path) -> None:
    """All of a unit of work or none of it."""
    journal = Journal(tmp_path / "journal.db")

    def fail_at_the_end() -> None:
        with journal.transaction() as unit:
            LEG[0](unit)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_at_the_end()
    with journal.reading() as unit:
        assert unit.transfers.get(DECLARATION.id, Side.SOURCE) is None
        assert unit.audit.head()[0] == 0
    journal.close()


def test_one_open_operation_per_container(journal: Journal) -> None:
    """The index is the lock: running and in doubt both hold it."""
    with journal.transaction() as unit:
        unit.operations.open("second", "credit", "x", None, SERIAL, "tester", [STEP])
    for state in (OperationState.RUNNING, OperationState.IN_DOUBT):
        with journal.transaction() as unit:
            problem = {"code": "in-doubt"} if state is OperationState.IN_DOUBT else None
            unit.operations.set_state("second", state, problem)
        with pytest.raises(apsw.ConstraintError), journal.transaction() as unit:
            unit.operations.open("third", "credit", "x", None, SERIAL, "tester", [STEP])
        with journal.reading() as unit:
            holder = unit.operations.holding(SERIAL)
            assert holder is not None
            assert (holder.id, unit.operations.count_open()) == ("second", 1)
    with journal.transaction() as unit:
        unit.operations.open("other", "credit", "x", None, "130-9", "tester", [STEP])


def test_a_state_changes_along_the_table_only(journal: Journal) -> None:
    """The journal enforces the protocol's table."""
    for state in (State.VOID, State.CREATED, State.ACCEPTED):
        with pytest.raises(ForbiddenTransition), journal.transaction() as unit:
            unit.transfers.advance(DECLARATION.id, Side.SOURCE, state)
    with pytest.raises(ForbiddenTransition), journal.transaction() as unit:
        unit.transfers.advance("unknown", Side.TARGET, State.ACCEPTED)


def test_a_transfer_has_each_event_once(journal: Journal) -> None:
    """A second debit is refused by the index, whatever the code believes."""
    rows = [posting(Account.CONTAINER, SERIAL, -1), posting(Account.ESCROW, DECLARATION.id, 1)]
    with pytest.raises(apsw.ConstraintError), journal.transaction() as unit:
        unit.ledger.post(Event.DEBIT, rows, DECLARATION.id, OPERATION)


@pytest.mark.parametrize(
    ("statement", "link"),
    [
        ("UPDATE audit SET actor = 'nobody' WHERE sequence = 2", 2),
        ("UPDATE audit SET detail = '{\"a\":1}' WHERE sequence = 3", 3),
        ("UPDATE audit SET at = at + 1 WHERE sequence = 4", 4),
        ("DELETE FROM audit WHERE sequence = 1", 2),
        ("DELETE FROM audit WHERE sequence = 3", 4),
        ("UPDATE audit SET hash = (SELECT hash FROM audit WHERE sequence = 1)", 2),
    ],
)
def test_a_chain_that_was_tampered_with(journal: Journal, statement: str, link: int) -> None:
    """Whoever removes the triggers and edits is seen, and where."""
    tamper(journal, "DROP TRIGGER audit_stays", "DROP TRIGGER audit_remains", statement)
    with journal.reading() as unit:
        assert unit.audit.first_broken_link() == link
    assert complaints(journal) == {"audit": f"1 links that do not fit the chain: {link}"}


@pytest.mark.parametrize("table", ["audit", "entries", "postings"])
def test_what_is_never_changed_is_not_replaced_either(journal: Journal, table: str) -> None:
    """To replace a row is to delete it, of which no trigger would hear by default."""
    with journal.reading() as unit:
        before = unit.audit._connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
    assert before
    replace = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"  # noqa: S608
    with pytest.raises(apsw.ConstraintError, match="never"), journal.transaction() as unit:
        unit.audit._connection.execute(replace)
    with journal.reading() as unit:
        after = unit.audit._connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
    assert after == before


TAMPERED: list[tuple[str, list[str]]] = [
    ("I2", ["DROP TRIGGER postings_stay", "UPDATE postings SET amount = amount + 1"]),
    ("I2", ["UPDATE transfers SET state = 'created'"]),
    ("I3", ["UPDATE steps SET intended_at = NULL"]),
    (
        "I4",
        [
            "DROP INDEX one_entry_per_event",
            SECOND_DEBIT,
        ],
    ),
    (
        "I1",
        [
            NEVER_ARRIVED,
        ],
    ),
]


@pytest.mark.parametrize(("name", "statements"), TAMPERED)
def test_each_invariant_sees_what_breaks_it(
    journal: Journal, name: str, statements: list[str]
) -> None:
    """An invariant that can never fail would promise nothing."""
    tamper(journal, *statements)
    assert name in complaints(journal)


def test_balances_after_the_leg(journal: Journal) -> None:
    """Fifteen here, ten on their way, twenty-five from the vendor."""
    with journal.reading() as unit:
        found: dict[Any, int] = {row.account: row.amount for row in unit.ledger.balances()}
    expected = {Account.CONTAINER: 15, Account.ESCROW: 10, Account.VENDOR: -25}
    assert found == expected
