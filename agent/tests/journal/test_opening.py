# SPDX-License-Identifier: GPL-3.0-or-later
"""Journals of other versions, and a journal that somebody else writes."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from seatkeeper_agent.journal import Journal, JournalError, store
from seatkeeper_agent.journal.migrations import SCHEMA_VERSION, JournalTooNew

from .units import LEG, done, run_leg


def test_a_newer_journal_is_left_as_it_is(tmp_path: Path) -> None:
    """An older agent must not touch what it does not understand."""
    path = tmp_path / "journal.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE of_the_future (a)")
    connection.pragma("user_version", SCHEMA_VERSION + 1)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(JournalTooNew, match="Install the newer agent again"):
        Journal(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["journal.db"]


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    """The schema is made once."""
    path = tmp_path / "journal.db"
    first = Journal(path)
    run_leg(first)
    first.close()
    before = path.read_bytes()
    second = Journal(path)
    assert done(second) == len(LEG)
    second.close()
    assert path.read_bytes() == before


def test_a_closed_journal_opens_when_it_is_needed(tmp_path: Path) -> None:
    """After a failure the next unit of work starts from the file."""
    journal = Journal(tmp_path / "journal.db")
    journal.close()
    assert run_leg(journal) == len(LEG)
    journal.close()
    assert done(journal) == len(LEG)
    journal.close()


def test_somebody_else_holds_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told as a failure of the journal after a bounded wait."""
    monkeypatch.setattr(store, "BUSY_MILLISECONDS_MAX", 50)
    journal = Journal(tmp_path / "journal.db")
    other = apsw.Connection(str(journal.path))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalError, match="locked"), journal.transaction() as unit:
        LEG[0](unit)
    other.execute("ROLLBACK")
    assert run_leg(journal) == len(LEG)
    other.close()
    journal.close()
