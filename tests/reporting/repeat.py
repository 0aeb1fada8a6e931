# SPDX-License-Identifier: GPL-3.0-or-later
"""How to repeat what failed: one line for each test, to be pasted into a shell.

Where the test takes a share of the crash points, the line begins with the seed that chose them.
Hypothesis prints beside its example how to repeat exactly that one.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from crash import share

LINE = "repeat"
"""The name under which a report carries its line from a worker to the one that prints it."""


def pytest_report_header() -> str:
    """Called by pytest: a line for the beginning of the run."""
    return f"crash points: chosen by the commit; {share.repeating()} chooses the same again"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Called by pytest for each phase of a test."""
    report: Any = yield
    if report.failed:
        report.user_properties.append((LINE, command(item)))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Called by pytest at the end: the lines of all that failed, each once."""
    reports = [*terminalreporter.getreports("failed"), *terminalreporter.getreports("error")]
    found = [
        value
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == LINE
    ]
    if found:
        terminalreporter.section("to repeat just what failed")
        for line in dict.fromkeys(found):
            terminalreporter.write_line(str(line))


def command(item: pytest.Item) -> str:
    """Run from the checkout it runs this test only, slow or not."""
    line = shlex.join([".venv/bin/python", "-m", "pytest", item.nodeid])
    return f"{share.repeating()} {line}" if takes_a_share(item) else line


def takes_a_share(item: pytest.Item) -> bool:
    """Whether the module of the test has something of ``crash.share``."""
    names = vars(getattr(item, "module", None) or object).values()
    return any(
        value is share or getattr(value, "__module__", "") == share.__name__ for value in names
    )
