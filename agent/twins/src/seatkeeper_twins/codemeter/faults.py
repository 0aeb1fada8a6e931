# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand, kept in containers.db so that they survive the death they cause.

A fault waits at a point: just before or just after one kind of durable change. Actions:
die (SIGKILL to the engine itself), lose (close the connection without an answer), pending (answer
235, then the true answer), slow (wait `value` milliseconds), refuse (answer error `value`; only
before a change).
"""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from typing import Any

from seatkeeper_twins.codemeter.constants import Error, Refusal
from seatkeeper_twins.codemeter.store import Store

CHANGES = ("context", "debit", "import", "receipt", "confirm", "cleanup", "expire")
ACTIONS = ("die", "lose", "pending", "slow", "refuse")
SLOW_MILLISECONDS_MAX = 600_000
PASSAGES_MAX = 100_000


class LostAnswer(Exception):
    """The connection is to be closed without an answer."""


def points() -> list[str]:
    """The names of all points, in the order in which a transfer passes them."""
    return [f"{change}.{side}" for change in CHANGES for side in ("before", "after")]


class Faults:
    """The faults of one twin and what they ask of the call in progress."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.passed: deque[str] = deque(maxlen=PASSAGES_MAX)
        self.deferred: list[tuple[str, int]] = []

    def add(self, point: str, action: str, value: int = 0, skip: int = 0, times: int = 1) -> None:
        """Arm a fault for `times` passages after the first `skip`; ValueError when impossible."""
        if point not in points():
            raise ValueError(f"there is no point {point!r}; the points are {', '.join(points())}")
        if action not in ACTIONS:
            raise ValueError(f"there is no action {action!r}; they are {', '.join(ACTIONS)}")
        if action == "refuse" and not (point.endswith(".before") and value > 0):
            raise ValueError("refuse needs an error number and a point that ends in .before")
        if action == "slow" and not 0 < value <= SLOW_MILLISECONDS_MAX:
            raise ValueError(f"slow needs from 1 to {SLOW_MILLISECONDS_MAX} milliseconds")
        if skip < 0 or times < 1:
            raise ValueError("skip must be at least 0 and times at least 1")
        self.store.write(
            "INSERT INTO fault VALUES (NULL, ?, ?, ?, ?, ?)", point, action, value, skip, times
        )

    def listed(self) -> list[dict[str, Any]]:
        """The faults still armed."""
        return [dict(row) for row in self.store.rows("SELECT * FROM fault ORDER BY id")]

    def clear(self) -> None:
        """Disarm all faults and forget held answers."""
        self.store.write("DELETE FROM fault")
        self.store.write("DELETE FROM pending")

    def reach(self, point: str) -> None:
        """Act on the faults armed here; called by the store around each durable change."""
        self.passed.append(point)
        for fault in self.store.rows("SELECT * FROM fault WHERE point = ? ORDER BY id", point):
            if fault["skip"] > 0:
                self.store.write("UPDATE fault SET skip = skip - 1 WHERE id = ?", fault["id"])
                continue
            after = point.endswith(".after")
            used = fault["remaining"] if after and fault["action"] == "pending" else 1
            self._use(fault["id"], used)
            if after and fault["action"] != "die":
                amount = used if fault["action"] == "pending" else fault["value"]
                self.deferred.append((fault["action"], amount))
            else:
                _act(fault["action"], fault["value"])

    def _use(self, identity: int, times: int) -> None:
        self.store.write("UPDATE fault SET remaining = remaining - ? WHERE id = ?", times, identity)
        self.store.write("DELETE FROM fault WHERE remaining < 1")


def _act(action: str, value: int) -> None:
    if action == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "slow":
        time.sleep(value / 1000)
    elif action == "lose":
        raise LostAnswer
    elif action == "pending":
        raise Refusal(Error.COMMAND_PENDING, "pending, by a fault")
    else:
        raise Refusal(value, "refused, by a fault")
