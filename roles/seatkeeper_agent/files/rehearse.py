# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a release, by its own code, whether it can work with what this host has.

Run by the release's Python, which need not be in use: ``rehearse.py settings FILE`` reads the
settings, ``rehearse.py journal FILE`` opens a copy of the journal, upgrading the copy if need be.
Prints one sentence and ends with 1 where it cannot; what it looks at is left as it is.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import apsw

from seatkeeper_agent.journal import Journal, JournalError
from seatkeeper_agent.journal.migrations import JournalTooNew
from seatkeeper_agent.settings import SettingsError, load


def read_settings(path: Path) -> None:
    """SettingsError where the release cannot use them."""
    load(path)


def open_copy(path: Path) -> None:
    """JournalError or JournalTooNew where the release cannot use the journal."""
    with tempfile.TemporaryDirectory(prefix="rehearsal-", dir=path.parent) as folder:
        copy = Path(folder) / path.name
        source = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        target = apsw.Connection(str(copy))
        with target.backup("main", source, "main") as backup:
            backup.step()
        target.close()
        source.close()
        Journal(copy).close()


def main() -> int:
    """Rehearse what the first argument says."""
    rehearse = {"settings": read_settings, "journal": open_copy}[sys.argv[1]]
    try:
        rehearse(Path(sys.argv[2]))
    except (SettingsError, JournalError, JournalTooNew, apsw.Error, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
