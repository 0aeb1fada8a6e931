# SPDX-License-Identifier: GPL-3.0-or-later
"""The journals of these tests are those that an agent makes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.journal import Journal, migrations, store

SETTINGS = ("user_version", "application_id", "journal_mode", "page_size", "encoding")


def content(path: Path) -> tuple[list[Any], list[str]]:
    """All that a file holds: its settings, and the statements that would make it again."""
    with closing(sqlite3.connect(path)) as connection:
        settings = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in SETTINGS]
        return settings, list(connection.iterdump())


def test_a_copied_journal_is_one_that_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied, made = tmp_path / "copied.db", tmp_path / "made.db"
    Journal(copied).close()
    monkeypatch.setattr(store, "migrate", migrations.migrate)
    Journal(made).close()
    assert content(copied) == content(made)
    assert content(made)[0][0] == migrations.SCHEMA_VERSION
    assert any(line.startswith("CREATE TABLE") for line in content(made)[1])
