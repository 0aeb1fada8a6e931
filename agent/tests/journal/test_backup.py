# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of the journal is whole, of one moment, private, and never takes a file's place."""

from __future__ import annotations

import stat
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from seatkeeper_agent.journal import Journal, JournalError
from seatkeeper_agent.journal.backup import back_up

from . import units
from .version_1 import tables


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """What a file holds."""
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        return tables(connection)


def test_a_copy_holds_what_was_durable_at_its_moment(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    with journal.transaction() as unit:
        units.create(unit)
    with journal.transaction() as unit:
        units.open_operation(unit)
        # Not durable yet, and the writer is in the middle of it.
        back_up(journal.path, tmp_path / "before.db")
    back_up(journal.path, tmp_path / "after.db")
    journal.close()
    assert rows(tmp_path / "after.db") == rows(journal.path)
    assert rows(tmp_path / "before.db")["operations"] == []
    assert rows(tmp_path / "after.db")["operations"] != []
    assert len(rows(tmp_path / "before.db")["audit"]) == 1


def test_a_copy_is_a_file_of_its_own_and_opens_as_a_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    with journal.transaction() as unit:
        units.create(unit)
    folder = tmp_path / "copies"
    folder.mkdir()
    back_up(journal.path, folder / "copy.db")
    journal.close()
    assert [path.name for path in folder.iterdir()] == ["copy.db"]
    assert stat.S_IMODE((folder / "copy.db").stat().st_mode) == 0o600
    copied = Journal(folder / "copy.db")
    with copied.reading() as unit:
        assert unit.transfers.page(True, "", 10) != []
    copied.close()


def test_no_file_is_replaced(tmp_path: Path) -> None:
    Journal(tmp_path / "journal.db").close()
    target = tmp_path / "kept"
    target.write_text("kept", encoding="utf-8")
    with pytest.raises(JournalError, match="exists already"):
        back_up(tmp_path / "journal.db", target)
    assert target.read_text(encoding="utf-8") == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal.db", "kept"]


def test_where_there_is_no_journal_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be copied"):
        back_up(tmp_path / "journal.db", tmp_path / "copy.db")
    with pytest.raises(JournalError, match="cannot be written"):
        back_up(tmp_path / "journal.db", tmp_path / "absent" / "copy.db")
    assert list(tmp_path.iterdir()) == []
