# SPDX-License-Identifier: GPL-3.0-or-later
"""What a journaled step costs: an intent and an outcome, each one unit of work and one sync."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from costs.counting import Cost, Meter, counting
from costs.table import assert_written
from journal.units import LEG

from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.steps import OperationSpec, PlainStep, Probe, Verdict

COSTS: dict[str, Cost] = {
    "a new journal": Cost(statements=80, transactions=4, syncs=8),
    "a journal opened again": Cost(statements=7),
    "the first unit after that": Cost(statements=2, transactions=1, syncs=2),
    "1 step": Cost(statements=18, transactions=3, syncs=3),
    "1 step, done before": Cost(statements=3, transactions=1),
    "2 steps": Cost(statements=33, transactions=5, syncs=5),
    "2 steps, done before": Cost(statements=3, transactions=1),
    "5 steps": Cost(statements=78, transactions=11, syncs=11),
    "5 steps, done before": Cost(statements=3, transactions=1),
    "a transfer is created": Cost(statements=4, transactions=1, syncs=1),
    "an operation is opened": Cost(statements=4, transactions=1, syncs=1),
    "an intent": Cost(statements=10, transactions=1, syncs=1),
    "an outcome": Cost(statements=11, transactions=1, syncs=1),
}
NUMBERS_OF_STEPS = (1, 2, 5)
UNITS = ("a transfer is created", "an operation is opened", "an intent", "an outcome")


class Switch(PlainStep):
    """A step that is seen done as soon as it was performed."""

    type, title = "switch", "switching"

    def __init__(self, number: int) -> None:
        self._number = number
        self._is_on = False

    @property
    def name(self) -> str:
        """Its number."""
        return f"switch {self._number}"

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Whether it is on."""
        return Probe(Verdict.DONE if self._is_on else Verdict.NOT_DONE)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Switch it on."""
        self._is_on = True
        return b""


@pytest.fixture
def meter() -> Iterator[Meter]:
    """Counts in every journal that the test opens."""
    with counting() as made:
        yield made


def test_a_journaled_step_costs_what_is_written_down(meter: Meter, tmp_path: Path) -> None:
    """The engine's own steps by their number, and the units of a transfer's leg."""
    path, counted = tmp_path / "journal.db", {}
    journals: list[Journal] = []
    counted["a new journal"] = meter.cost_of(lambda: journals.append(Journal(path)))
    journals.pop().close()
    counted["a journal opened again"] = meter.cost_of(lambda: journals.append(Journal(path)))
    (journal,) = journals
    # The log is gone when a journal was closed: whoever writes first begins a new one.
    counted["the first unit after that"] = meter.cost_of(partial(in_a_unit, journal, one_entry))
    for number in NUMBERS_OF_STEPS:
        title = f"{number} step{'s' * (number > 1)}"
        engine, spec = Engine(journal, 0.0), spec_of(number)
        counted[title] = meter.cost_of(partial(engine.run, spec))
        counted[f"{title}, done before"] = meter.cost_of(partial(engine.run, spec))
    for title, write in zip(UNITS, LEG, strict=True):
        counted[title] = meter.cost_of(partial(in_a_unit, journal, write))
    journal.close()
    assert_written(counted, COSTS)


def test_each_step_costs_the_same() -> None:
    """One sync for each unit of work that writes: two a step, and one to begin with."""
    for number in NUMBERS_OF_STEPS:
        cost = COSTS[f"{number} step{'s' * (number > 1)}"]
        assert (cost.transactions, cost.syncs) == (1 + 2 * number, 1 + 2 * number)


def spec_of(number: int) -> OperationSpec:
    """An operation of so many steps, never begun before."""
    steps = tuple(Switch(each) for each in range(number))
    return OperationSpec(f"operation {number}", "test", "switches", None, "130-1", "tester", steps)


def one_entry(unit: Unit) -> None:
    """The least that is ever written."""
    unit.audit.append("tester", "looked", "journal", {})


def in_a_unit(journal: Journal, write: Callable[[Unit], None]) -> None:
    """As one unit of work."""
    with journal.transaction() as unit:
        write(unit)
