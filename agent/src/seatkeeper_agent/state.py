# SPDX-License-Identifier: GPL-3.0-or-later
"""The state folder: private, used by one process, with the journal and the key in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO

from seatkeeper_agent.host import host
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Journal, JournalError
from seatkeeper_agent.journal.declarations import ISOLATION
from seatkeeper_agent.settings import Settings, SettingsError

KEY = "agent.key"
JOURNAL = "journal.db"


@dataclass
class State:
    """What an agent keeps on the disk, open and held."""

    identity: Identity
    journal: Journal
    lock: IO[str]

    def has_work(self) -> bool:
        """Whether there is something to do before anybody asks. JournalError as Journal.

        A crash may have left something to take up, and containers that were moved from are watched.
        """
        with self.journal.reading() as unit:
            left = (
                unit.operations.count_open()
                or unit.transfers.page(True, "", 1)
                or unit.declarations.page(ISOLATION, "", 1)
            )
        return bool(left) or self._has_moved_containers()

    def _has_moved_containers(self) -> bool:
        """Where this cannot be read the agent starts all the same, and is not ready."""
        try:
            with self.journal.reading() as unit:
                return bool(unit.counters.containers())
        except JournalError:
            return False

    def close(self) -> None:
        """Let go of the files."""
        self.journal.close()
        self.lock.close()


def open_state(settings: Settings) -> State:
    """Open the folder, making it if need be.

    SettingsError if it cannot be had; JournalError and JournalTooNew as Journal.
    """
    folder = _folder(settings.state_folder)
    lock = _only_process(folder)
    identity = Identity(settings.name, folder / KEY, folder / "trust")
    try:
        _require_journal(folder)
        return State(identity, Journal(folder / JOURNAL), lock)
    except BaseException:
        lock.close()
        raise


def make_identity(name: str, folder: Path) -> Identity:
    """The agent's identity; its journal is made before its key, so that none is without it."""
    if not (folder / KEY).exists():
        # What SQLite adds beside it takes its mode over.
        (folder / JOURNAL).touch(mode=0o600)
        Journal(folder / JOURNAL).close()
    return Identity(name, folder / KEY, folder / "trust")


def begin_journal(settings: Settings, actor: str, statement: str) -> None:
    """Give a key whose journal is lost for good a new one, because a person says so.

    SettingsError where a journal is there, or no key; JournalError as Journal.
    """
    folder = _folder(settings.state_folder)
    with _only_process(folder):
        if not (folder / KEY).exists() or (folder / JOURNAL).exists():
            raise SettingsError(
                f"The state folder {folder} is not one whose key has lost its journal."
                " Nothing was done."
            )
        journal = Journal(folder / JOURNAL)
        with journal.transaction() as unit:
            detail = {"statement": statement}
            unit.audit.append(actor, "journal_begun", f"agent {settings.name}", detail)
        journal.close()


def _require_journal(folder: Path) -> None:
    """A key that has signed and has no journal knows nothing of what it has moved."""
    if (folder / JOURNAL).exists() or not (folder / KEY).exists():
        return
    raise SettingsError(
        f"The state folder {folder} has the agent's key, and its journal {JOURNAL} is gone, so what"
        " this agent has moved is not known. Put the journal back; only if it is lost for good, run"
        " seatkeeper-agent begin-journal STATEMENT."
    )


def _folder(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "trust").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"The state folder {folder} cannot be made: {error.strerror}."
            " Set agent.state_folder to a folder that the agent's user may write."
        ) from error
    return folder


def _only_process(folder: Path) -> IO[str]:
    path = folder / "agent.lock"
    try:
        return host().lock_file(path)
    except BlockingIOError as error:
        raise SettingsError(
            f"Another agent uses the state folder {folder}. Stop it first."
        ) from error
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be used: {error.strerror}. The agent's user must be able to write"
            " the state folder."
        ) from error
