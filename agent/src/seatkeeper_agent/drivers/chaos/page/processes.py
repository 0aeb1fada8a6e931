# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending a browser for certain: every process that was started for it carries a mark.

A browser starts processes in groups of their own, so neither the death of a parent nor a
signal to a group is enough.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

MARK = "SEATKEEPER_BROWSER"
"""Environment variable that all processes of one browser inherit."""

_LOOK_AGAIN_SECONDS = 0.02


def end_marked(mark: str, seconds_max: float = 5.0) -> bool:
    """Kill all processes with this mark but this one; whether none is left."""
    deadline = time.monotonic() + seconds_max
    while process_ids := _marked(mark):
        if time.monotonic() > deadline:
            return False
        for process_id in process_ids:
            with suppress(OSError):
                os.kill(process_id, signal.SIGKILL)
        time.sleep(_LOOK_AGAIN_SECONDS)
    return True


def _marked(mark: str) -> list[int]:
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue  # ended meanwhile, or somebody else's
        # A process that has ended and was not waited for yet shows nothing.
        if wanted in environment.split(b"\0"):
            found.append(int(entry.name))
    return found
