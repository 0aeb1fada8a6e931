# SPDX-License-Identifier: GPL-3.0-or-later
"""Copying a journal while its agent runs or not: whole, of one moment, and never over a file.

A copy is evidence, to be looked at. It is never put in the place of a newer journal: what
happened since would happen once more.
"""

from __future__ import annotations

import os
from pathlib import Path

import apsw

from seatkeeper_agent.host import host
from seatkeeper_agent.journal.store import BUSY_MILLISECONDS_MAX, JournalError

_TEMPORARY_SUFFIX = ".new"


def back_up(journal: Path, target: Path) -> None:
    """Copy the journal; the target is readable by its owner alone and is durable.

    JournalError where there is no journal, it cannot be read, or the target exists.
    """
    temporary = target.with_name(target.name + _TEMPORARY_SUFFIX)
    try:
        temporary.unlink(missing_ok=True)
        descriptor = host().private_file(temporary)
        try:
            _copy(journal, temporary)
            os.fsync(descriptor)
            # A link fails where something is in the place, unlike a renaming.
            os.link(temporary, target)
        finally:
            os.close(descriptor)
            temporary.unlink(missing_ok=True)
        host().sync_folder(target.parent)
    except FileExistsError as error:
        raise JournalError(f"{target} exists already: name another file.") from error
    except OSError as error:
        raise JournalError(f"{target} cannot be written: {error.strerror}.") from error
    except apsw.Error as error:
        raise JournalError(f"The journal {journal} cannot be copied: {error}.") from error


def _copy(journal: Path, target: Path) -> None:
    # Not made if it is not there; read-only would need another process that keeps its index.
    source = apsw.Connection(str(journal), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        source.set_busy_timeout(BUSY_MILLISECONDS_MAX)
        copy = apsw.Connection(str(target))
        try:
            with copy.backup("main", source, "main") as backup:
                backup.step()
            # A file of its own, without a log beside it.
            copy.pragma("journal_mode", "delete")
        finally:
            copy.close()
    finally:
        source.close()
