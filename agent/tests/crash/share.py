# SPDX-License-Identifier: GPL-3.0-or-later
"""Which part of all crash points a run takes: a share of them, chosen by a seed.

The seed changes with the commit, so that what one run leaves out another takes; it is printed at
the start of a run and with each failure, and the same seed chooses the same points again.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

SHARE = "SEATKEEPER_CRASH_SHARE"
SEED = "SEATKEEPER_CRASH_SEED"
_SEED_DIGITS = 8
"""Of the commit's name: enough to tell commits apart, few enough to type."""

Point = TypeVar("Point")


def share(usual: float = 1.0) -> float:
    """More than 0, at most 1: SEATKEEPER_CRASH_SHARE, ``usual`` where it is not set; ValueError."""
    part = float(os.environ.get(SHARE, usual))
    if not 0 < part <= 1:
        raise ValueError(f"{SHARE} must be more than 0 and at most 1")
    return part


def seed() -> int:
    """SEATKEEPER_CRASH_SEED; where it is not set, one for each commit, 0 outside of git."""
    given = os.environ.get(SEED)
    return _commit() if given is None else int(given)


def chosen(points: Sequence[Point], share: float, seed: int) -> list[Point]:
    """A share of the points in their order, one from each of as many equally long stretches.

    At least one, unless there are none. The same arguments give the same points.
    """
    number = min(len(points), max(1, round(share * len(points))))
    found = []
    for stretch in range(number):
        start = stretch * len(points) // number
        end = (stretch + 1) * len(points) // number
        found.append(points[start + _drawn(f"{seed} {stretch} {len(points)}") % (end - start)])
    return found


def repeating() -> str:
    """What to put before a command so that it chooses exactly what this run chooses."""
    given = [f"{SHARE}={os.environ[SHARE]}"] if SHARE in os.environ else []
    return " ".join([f"{SEED}={seed()}", *given])


def _commit() -> int:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return 0
    return int(done.stdout[:_SEED_DIGITS], 16)


def _drawn(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
