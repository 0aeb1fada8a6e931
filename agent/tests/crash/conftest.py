# SPDX-License-Identifier: GPL-3.0-or-later
"""The campaign's figures at the end of a test run, whatever is captured."""

from __future__ import annotations

import pytest

FIGURES = "crash figures"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Points, schedules and seconds; the tests record them as a property."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    for report in reports:
        for name, value in report.user_properties:
            if name == FIGURES:
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[0]}: {value}")
