# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending a browser for certain: every process that was started for it carries a mark.

A browser starts processes in sessions of their own, and some of them write over their
environment. So everything counts that has the mark or shares a session with one that has it.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

MARK = "SEATKEEPER_BROWSER"
"""Environment variable that the processes of one browser inherit."""

_LOOK_AGAIN_SECONDS = 0.02


def end_marked(mark: str, seconds_max: float = 5.0) -> bool:
    """Kill all processes of this mark but this one; whether none is left.

    They must have been started in a session that their starter is not in.
    """
    deadline = time.monotonic() + seconds_max
    sessions: set[int] = set()
    while True:
        running = _running()
        sessions |= {session for process_id, session in running.items() if _has(process_id, mark)}
        left = [process_id for process_id, session in running.items() if session in sessions]
        if not left or time.monotonic() > deadline:
            return not left
        for process_id in left:
            with suppress(OSError):
                os.kill(process_id, signal.SIGKILL)
        time.sleep(_LOOK_AGAIN_SECONDS)


def _running() -> dict[int, int]:
    """All other processes that have not ended, and their sessions."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            # The name before them, in brackets, may hold anything.
            fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile
        state, session = fields[0], int(fields[3])
        if state not in "ZX":
            found[int(entry.name)] = session
    return found


def _has(process_id: int, mark: str) -> bool:
    try:
        environment = Path(f"/proc/{process_id}/environ").read_bytes()
    except OSError:
        return False  # ended meanwhile, or somebody else's
    return f"{MARK}={mark}".encode() in environment.split(b"\0")
