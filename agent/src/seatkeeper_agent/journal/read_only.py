# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking into a journal beside its agent, or without one; the journal is left as it is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from seatkeeper_agent.journal.migrations import SCHEMA_VERSION, require_known
from seatkeeper_agent.journal.store import BUSY_MILLISECONDS_MAX, Unit, journal_error


@contextmanager
def read_only(path: Path, is_in_use: bool = False) -> Iterator[Unit | None]:
    """What is durable; None for a journal that the next start brings to a newer version first.

    JournalError for a file that cannot be read, JournalTooNew as Journal. ``is_in_use`` by an agent
    that may write meanwhile.
    """
    try:
        connection = apsw.Connection(
            _address(path, is_in_use), apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        )
    except apsw.Error as error:
        raise journal_error(path, "cannot be opened", error) from error
    try:
        connection.set_busy_timeout(BUSY_MILLISECONDS_MAX)
        require_known(connection)
        is_current = connection.pragma("user_version") == SCHEMA_VERSION
        yield Unit(connection, int(time.time())) if is_current else None
    except apsw.Error as error:
        raise journal_error(path, "cannot be read", error) from error
    finally:
        connection.close(True)


def _address(path: Path, is_in_use: bool) -> str:
    # A journal that was closed in order has no log beside it: SQLite would make one to look.
    log = path.with_name(f"{path.name}-wal")
    closed = not is_in_use and (not log.exists() or log.stat().st_size == 0)
    return f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if closed else ''}"
