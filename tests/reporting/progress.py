# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what is running where one test takes longer than a reader waits for a dot."""

from __future__ import annotations

import pytest

from .order import rank


class Progress:
    """Names the long tests as they begin; names of all others would be a flood."""

    def __init__(self) -> None:
        self._ended = 0

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Called by pytest; with workers the session learns from them how many tests there are."""
        self._session = session
        self._reporter = session.config.pluginmanager.get_plugin("terminalreporter")

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Called by pytest, for tests of workers as well."""
        if rank(nodeid) and self._reporter is not None and self._reporter.verbosity <= 0:
            terminal = self._reporter._tw
            # Dots of workers leave a line open of which the reporter does not know.
            if terminal.width_of_current_line:
                terminal.line()
            total = self._session.testscollected
            terminal.line(f"begun: {nodeid}, with {self._ended} of {total} done")

    def pytest_runtest_logfinish(self) -> None:
        """Called by pytest."""
        self._ended += 1


def pytest_configure(config: pytest.Config) -> None:
    """Called by pytest; a worker's own terminal is nobody's."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Progress())
