# SPDX-License-Identifier: GPL-3.0-or-later
"""One thing at a time per name, within one process; the journal's index does it across crashes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from seatkeeper_agent.domain.problems import Problem, ProblemCode

WAIT_SECONDS_MAX = 60.0


class Locks:
    """Locks by name, made when first used."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """Hold the lock of a name; Problem when others hold it for too long."""
        with self._guard:
            lock = self._locks.setdefault(name, threading.Lock())
        if not lock.acquire(timeout=WAIT_SECONDS_MAX):
            raise Problem(
                ProblemCode.CONTAINER_BUSY,
                f"Other work on {name} did not end within {WAIT_SECONDS_MAX:.0f} seconds.",
                "Run the playbook again in a while.",
            )
        try:
            yield
        finally:
            lock.release()
