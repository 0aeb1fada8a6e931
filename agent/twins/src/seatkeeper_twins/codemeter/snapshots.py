# SPDX-License-Identifier: GPL-3.0-or-later
"""Save and bring back all of containers.db, as restoring a virtual machine would."""

from __future__ import annotations

import sqlite3
from pathlib import Path


def save(connection: sqlite3.Connection, path: Path) -> None:
    """Copy the open database to a file, whole, replacing an older copy in one step."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    copy = sqlite3.connect(draft)
    connection.backup(copy)
    copy.close()
    draft.replace(path)


def load(path: Path, connection: sqlite3.Connection) -> None:
    """Put the copy in the place of the open database's content; ValueError when there is none."""
    if not path.is_file():
        raise ValueError(f"there is no snapshot {path.name}")
    copy = sqlite3.connect(path)
    copy.backup(connection)
    copy.close()
