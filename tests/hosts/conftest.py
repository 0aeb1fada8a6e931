# SPDX-License-Identifier: GPL-3.0-or-later
"""Have the longest tests begin first; tell at the end how long each took and what it measured."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain, zip_longest

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A scenario and a short test by turns: a worker holds the next one already when it begins."""
    scenarios = [item for item in items if item.name.startswith("test_scenario[")]
    others = [item for item in items if item not in scenarios]
    turns = chain.from_iterable(zip_longest(scenarios, others))
    items[:] = [item for item in turns if item is not None]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write a line for each test: its time with making its machine, and its measurements."""
    seconds: dict[str, float] = defaultdict(float)
    measured: dict[str, list[str]] = {}
    for outcome in ("passed", "failed", "error", ""):
        for report in terminalreporter.getreports(outcome):
            seconds[report.nodeid] += report.duration
            if report.when == "call":
                facts = [f"{name} {value}" for name, value in report.user_properties]
                measured[report.nodeid] = facts
    for test, facts in measured.items():
        name = test.rpartition("::")[2].removeprefix("test_").replace("_", " ")
        reported = f" ({'; '.join(facts)})" if facts else ""
        terminalreporter.write_line(f"{seconds[test]:6.1f} s  {name}{reported}")
