# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal file: opening, units of work, and what they give access to.

Only one thread writes at a time; a unit of work commits when its block ends and leaves
nothing behind when the block raises.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from seatkeeper_agent.journal.audit import Audit
from seatkeeper_agent.journal.borrows import Borrows
from seatkeeper_agent.journal.counters import Counters
from seatkeeper_agent.journal.declarations import Declarations
from seatkeeper_agent.journal.events import Events
from seatkeeper_agent.journal.ledger import Ledger
from seatkeeper_agent.journal.migrations import JournalTooNew, migrate, require_known
from seatkeeper_agent.journal.operations import Operations
from seatkeeper_agent.journal.pages import Pages
from seatkeeper_agent.journal.peers import Peers
from seatkeeper_agent.journal.transfers import Transfers
from seatkeeper_agent.journal.vendor_rows import VendorRows

Clock = Callable[[], float]

BUSY_MILLISECONDS_MAX = 5_000


class JournalError(Exception):
    """The file could not be read or written.

    What was being committed is there whole or not at all; the next unit of work sees which.
    """


class JournalMalformed(JournalError):
    """The file is damaged: what it held is only whole in a backup."""


class Unit:
    """One unit of work on the journal: all of it becomes durable, or none."""

    def __init__(self, connection: apsw.Connection, now: int) -> None:
        self.now = now
        self.transfers = Transfers(connection, now)
        self.operations = Operations(connection, now)
        self.ledger = Ledger(connection, now)
        self.audit = Audit(connection, now)
        self.borrows = Borrows(connection, now)
        self.counters = Counters(connection)
        self.declarations = Declarations(connection, now)
        self.peers = Peers(connection, now)
        self.vendor_rows = VendorRows(connection, now)
        self.pages = Pages(connection)
        self.events = Events(connection)


class Journal:
    """The journal file of one agent.

    ``clock`` gives Unix seconds. JournalError is raised for every failure of the file; the
    next unit of work then opens the file anew, so that what counts is what is on the disk.
    """

    def __init__(self, path: Path, clock: Clock = time.time, vfs: str | None = None) -> None:
        self.path = path
        self._place = str(path)
        self._clock = clock
        self._vfs = vfs
        self._lock = threading.RLock()
        self._connection: apsw.Connection | None = None
        self._file: tuple[int, int] | None = None
        with self._lock:
            self._open()

    def _open(self) -> apsw.Connection:
        try:
            connection = apsw.Connection(str(self.path), vfs=self._vfs)
        except apsw.Error as error:
            raise journal_error(self.path, "cannot be opened", error) from error
        try:
            connection.set_busy_timeout(BUSY_MILLISECONDS_MAX)
            require_known(connection)
            connection.pragma("journal_mode", "wal")
            connection.pragma("synchronous", "full")
            connection.pragma("foreign_keys", "on")
            # What replaces a row deletes it: without this no trigger would hear of that.
            connection.pragma("recursive_triggers", "on")
            connection.pragma("trusted_schema", "off")
            migrate(connection)
        except JournalTooNew:
            connection.close(True)
            raise
        except apsw.Error as error:
            _let_go(connection)
            raise journal_error(self.path, "cannot be opened", error) from error
        self._connection = connection
        self._file = _file_at(self._place)
        return connection

    def _present(self) -> apsw.Connection:
        """The open file, as long as it is still the one in its place.

        SQLite would go on with a file that was moved away, or begin an empty one.
        """
        if self._file is not None and _file_at(self._place) != self._file:
            raise JournalError(
                f"The journal {self.path} was moved or replaced under the running agent."
                " Put it back, or stop the agent first."
            )
        return self._connection or self._open()

    def close(self) -> None:
        """Close the file; a later unit of work would open it again."""
        with self._lock:
            if self._connection is not None:
                _let_go(self._connection)
                self._connection = None

    @contextmanager
    def transaction(self) -> Iterator[Unit]:
        """A unit of work that is durable when the block has ended without an exception."""
        with self._lock:
            connection = self._begin()
            try:
                yield Unit(connection, int(self._clock()))
                self._commit(connection)
            except apsw.ConstraintError:
                self._roll_back(connection)
                raise
            except apsw.Error as error:
                self._give_up(connection)
                raise journal_error(self.path, "failed", error) from error
            except BaseException:
                self._roll_back(connection)
                raise

    def _begin(self) -> apsw.Connection:
        connection = self._present()
        try:
            connection.execute("BEGIN IMMEDIATE")
        except apsw.Error as error:
            self._give_up(connection)
            raise journal_error(self.path, "failed", error) from error
        return connection

    def _commit(self, connection: apsw.Connection) -> None:
        connection.execute("COMMIT")

    def _roll_back(self, connection: apsw.Connection) -> None:
        if connection.in_transaction:
            try:
                connection.execute("ROLLBACK")
            except apsw.Error:
                self._give_up(connection)

    def _give_up(self, connection: apsw.Connection) -> None:
        # After a failed write or sync nothing in memory is to be trusted: the next unit of
        # work starts from the file.
        self._connection = None
        _let_go(connection)

    @contextmanager
    def reading(self) -> Iterator[Unit]:
        """Look without writing; sees only what is durable."""
        with self._lock:
            connection = self._present()
            try:
                yield Unit(connection, int(self._clock()))
            except apsw.Error as error:
                self._give_up(connection)
                raise journal_error(self.path, "failed", error) from error


def journal_error(path: Path, how: str, error: apsw.Error) -> JournalError:
    """What a failure of SQLite means."""
    damaged = isinstance(error, apsw.CorruptError | apsw.NotADBError)
    kind = JournalMalformed if damaged else JournalError
    return kind(f"The journal {path} {how}: {error}.")


def _let_go(connection: apsw.Connection) -> None:
    # Closing tidies the log up; if even that fails, the log keeps what was committed.
    with suppress(apsw.Error):
        connection.close(True)


def _file_at(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116  asked at every commit, and Path takes twice as long
    except OSError:
        return None
    return status.st_dev, status.st_ino
