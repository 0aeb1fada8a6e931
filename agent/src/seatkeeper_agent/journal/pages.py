# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the journal's file is whole, and whether its disk takes more."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import apsw

from seatkeeper_agent.host import host

ROOM_BYTES = 262_144
"""What the largest unit of work needs, several times over."""
ROOM_NAME = "room.probe"


class Pages:
    """The pages of an open journal."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def first_fault(self) -> str | None:
        """What SQLite finds wrong with them, None where all are well; takes as long as they are."""
        (finding,) = self._connection.execute("PRAGMA integrity_check(1)").fetchone() or ("ok",)
        return None if finding == "ok" else " ".join(str(finding).split())


def require_room(folder: Path) -> None:
    """OSError where no more can be written beside the journal: only trying tells.

    Quotas, limits and disks that were mounted anew show nowhere else.
    """
    path = folder / ROOM_NAME
    descriptor = host().private_file(path, replace=True)
    try:
        left = memoryview(bytes(ROOM_BYTES))
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)


def room_left(folder: Path) -> int:
    """How many bytes whoever is no administrator may still write there; OSError as for files."""
    return shutil.disk_usage(folder).free
