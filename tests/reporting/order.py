# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of the tests: fast folders first, and of the long ones those that cannot be split.

What most changes break is told in the first minute. At the end of a run a core is idle as long as
the other one is busy with its last test, so that the longest single tests, which are the crash
campaigns, come before the playbooks, and workers take each other's tests (``--dist worksteal``).
Within a folder the tests stay as they stand, because those of one file share what they set up.
"""

from __future__ import annotations

import pytest

LAST = (
    "agent/tests/operations/server_moves/test_crashes.py",
    "agent/tests/operations/dongles/test_crashes.py",
    "tests/crash/",
    "agent/tests/crash/",
    "tests/integration/test_site.py",
    "tests/integration/test_migration.py",
    "tests/integration/",
)
"""What takes longest, in the order in which it runs; a test comes at the first place that fits."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Called by pytest with the tests that it found."""
    items.sort(key=lambda item: rank(item.nodeid))


def rank(nodeid: str) -> int:
    """0 for the tests of fast folders; the higher, the later."""
    return next((place for place, name in enumerate(LAST, 1) if nodeid.startswith(name)), 0)
