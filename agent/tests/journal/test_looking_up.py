# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs together is looked up by an index, however much else there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.domain.records import DeclarationKey
from seatkeeper_agent.journal import Journal, Unit

ROWS = 40


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Operations of many declarations."""
    made = Journal(tmp_path / "journal.db")
    with made.transaction() as unit:
        for number in range(ROWS):
            fill(unit, number)
    yield made
    made.close()


def fill(unit: Unit, number: int) -> None:
    """A declaration and its operation."""
    key = DeclarationKey("order" if number % 2 else "move", f"{number:02}")
    state = "finished" if number % 10 else "releasing"
    unit.declarations.put(key.kind, key.id, {"state": state, "product": f"product {number % 4}"})
    unit.operations.open(f"{number}", "work", "x", None, f"{number}", "tester", [], key)


def asked_in(unit: Unit) -> list[tuple[str, Any]]:
    """The statements from now on."""
    statements: list[tuple[str, Any]] = []

    def trace(_cursor: Any, statement: str, bindings: Any) -> bool:
        if not statement.startswith("EXPLAIN"):
            statements.append((statement, bindings))
        return True

    unit.operations._connection.exec_trace = trace
    return statements


LOOK_UPS: dict[str, Any] = {
    "open_for": lambda unit: unit.operations.open_for("order"),
    "holding": lambda unit: unit.operations.holding("7"),
    "get": lambda unit: unit.operations.get("7"),
    "in_states": lambda unit: unit.declarations.in_states("move", ["releasing", "released"]),
    "of_product": lambda unit: unit.declarations.of_product("move", "product 2"),
}


@pytest.mark.parametrize("name", LOOK_UPS)
def test_it_is_looked_up_by_an_index(journal: Journal, name: str) -> None:
    """By more than the kind of what is declared, and never row by row."""
    with journal.reading() as unit:
        connection = unit.operations._connection
        statements = asked_in(unit)
        assert LOOK_UPS[name](unit)
        for statement, bindings in statements:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", bindings).fetchall()
            reported = [str(row[-1]) for row in plan if "TEMP B-TREE" not in str(row[-1])]
            assert all(row.startswith("SEARCH") for row in reported), reported
            assert not any("PRIMARY KEY (kind=?)" in row for row in reported), reported


def test_what_is_looked_up_is_what_is_there(journal: Journal) -> None:
    with journal.reading() as unit:
        open_ones = unit.operations.open_for("order")
        releasing = unit.declarations.in_states("move", ["releasing", "released"])
        of_product = unit.declarations.of_product("move", "product 2")
    assert [record.id for record in releasing] == ["00", "10", "20", "30"]
    assert [record.id for record in of_product] == [f"{n:02}" for n in range(2, ROWS, 4)]
    assert {record.declaration.id for record in open_ones if record.declaration} == {
        f"{number:02}" for number in range(1, ROWS, 2)
    }
