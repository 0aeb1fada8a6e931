# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand, kept in faults.json so that they survive the death they cause.

A fault waits at a point: ``NAME.before`` or ``NAME.after`` something that is asked of the twin, or
``NAME.during``, when the new state is written and not yet in its place. Actions: die (SIGKILL to
itself), lose (close the connection without an answer), slow (wait ``value`` milliseconds, or until
all faults are cleared), refuse (answer HTTP status ``value``; only before).
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from seatkeeper_twins.parts.store import write_whole
from seatkeeper_twins.parts.web import LostAnswer, Refusal

ACTIONS = ("die", "lose", "slow", "refuse")
FAULTS_NAME = "faults.json"
SLOW_MILLISECONDS_MAX = 600_000
FAULTS_MAX = 1_000


class Fault(TypedDict):
    """One armed fault: it lets ``skip`` passages through, then acts on ``times`` of them."""

    point: str
    action: str
    value: int
    skip: int
    times: int


def points_of(changes: Sequence[str], readings: Sequence[str]) -> list[str]:
    """All points of a process: three around each durable change, two around the rest."""
    return [
        *(f"{name}.{side}" for name in changes for side in ("before", "during", "after")),
        *(f"{name}.{side}" for name in readings for side in ("before", "after")),
    ]


class Faults:
    """The faults of one process; usable from several threads."""

    def __init__(self, folder: Path, points: Sequence[str]) -> None:
        self.points = tuple(points)
        self._path = folder / FAULTS_NAME
        self._lock = threading.Lock()
        self._cleared = threading.Event()
        self._armed: list[Fault] = (
            json.loads(self._path.read_text(encoding="utf-8")) if self._path.exists() else []
        )

    def add(self, fault: Fault) -> None:
        """Arm a fault; ValueError when it is impossible."""
        point, action, value = fault["point"], fault["action"], fault["value"]
        if point not in self.points:
            raise ValueError(f"there is no point {point!r}; the points are {list(self.points)}")
        if action not in ACTIONS:
            raise ValueError(f"there is no action {action!r}; they are {', '.join(ACTIONS)}")
        if point.endswith(".during") and action != "die":
            raise ValueError("in the middle of a write the twin can only die")
        if action == "refuse" and not (point.endswith(".before") and 400 <= value <= 599):
            raise ValueError("refuse needs a status from 400 to 599 and a point ending in .before")
        if action == "slow" and not 0 < value <= SLOW_MILLISECONDS_MAX:
            raise ValueError(f"slow needs from 1 to {SLOW_MILLISECONDS_MAX} milliseconds")
        if fault["skip"] < 0 or fault["times"] < 1:
            raise ValueError("skip must be at least 0 and times at least 1")
        with self._lock:
            if len(self._armed) >= FAULTS_MAX:
                raise ValueError(f"{FAULTS_MAX} faults are armed already")
            self._keep([*self._armed, fault])

    def listed(self) -> list[Fault]:
        """The faults still armed."""
        with self._lock:
            return list(self._armed)

    def clear(self) -> None:
        """Disarm all, and let go of what a slow one holds up."""
        with self._lock:
            self._keep([])
            self._cleared.set()
            self._cleared = threading.Event()

    def reach(self, point: str) -> None:
        """Act on the faults armed here; a used one is gone before it acts."""
        with self._lock:
            here = [fault for fault in self._armed if fault["point"] == point]
            if not here:
                return
            acting = [fault for fault in here if fault["skip"] == 0]
            rest = [_passed(fault) if fault in here else fault for fault in self._armed]
            self._keep([fault for fault in rest if fault["times"] > 0])
            cleared = self._cleared
        for fault in acting:
            _act(fault, cleared)

    def _keep(self, faults: list[Fault]) -> None:
        if faults != self._armed:
            write_whole(self._path, faults)
            self._armed = faults


def _passed(fault: Fault) -> Fault:
    if fault["skip"] > 0:
        return {**fault, "skip": fault["skip"] - 1}
    return {**fault, "times": fault["times"] - 1}


def _act(fault: Fault, cleared: threading.Event) -> None:
    if fault["action"] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif fault["action"] == "slow":
        cleared.wait(fault["value"] / 1000)
    elif fault["action"] == "lose":
        raise LostAnswer
    else:
        raise Refusal(fault["value"], "Refused, by a fault of the twin")
