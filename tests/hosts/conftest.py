# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell at the end how long each scenario took and what it measured."""

from __future__ import annotations

from collections import defaultdict

import pytest


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
        told = f" ({'; '.join(facts)})" if facts else ""
        terminalreporter.write_line(f"{seconds[test]:6.1f} s  {name}{told}")
