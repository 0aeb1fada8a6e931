# SPDX-License-Identifier: GPL-3.0-or-later
"""Journals as they could lie there as well: as version 3 left them, or with other texts in them."""

from __future__ import annotations

import random
from contextlib import closing
from importlib import resources
from pathlib import Path

import apsw

TEXTS = (
    "switching maintenance mode on", "maintenance_off", "deactivate 15.90.10.9", "profile Nobody",
    "activating online licensing for nobody", "transfer", "move", "agent x", "on", "POST", "",
)  # fmt: skip
"""What a program that reads texts would take for something else."""

_IN_BASELINES = "'stop', 'edit', 'start', 'dongle_service', 'activate_online', 'activate_offline'"
"""Types of steps whose arguments version 3 kept where an intent wrote them down."""


def with_other_texts(path: Path, seed: int = 0) -> None:
    """Titles, names and subjects say something else, each as it comes."""
    chance = random.Random(seed)  # noqa: S311  chooses texts of a test
    with closing(apsw.Connection(str(path))) as connection, connection:
        connection.create_scalar_function("other_text", lambda: chance.choice(TEXTS), 0)
        connection.execute(
            "UPDATE operations SET subject = other_text();"
            "UPDATE steps SET name = other_text(), title = other_text()"
        )


def as_version_3(path: Path) -> None:
    """Put in its place what an agent of version 3 would have left at that moment."""
    made = path.with_name("version-3.db")
    with closing(apsw.Connection(str(made))) as connection:
        for version in (1, 2, 3):
            schema = resources.files("seatkeeper_agent.journal") / f"schema/{version}.sql"
            connection.execute(schema.read_text("utf-8"))
        connection.execute("ATTACH ? AS today", (str(path),))
        with connection:
            _copy(connection)
        connection.execute("DETACH today")
        connection.pragma("user_version", 3)
    for left in ("-wal", "-shm"):
        path.with_name(path.name + left).unlink(missing_ok=True)
    made.replace(path)


def _copy(connection: apsw.Connection) -> None:
    tables = connection.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'")
    names = sorted((str(row[0]) for row in tables), key=lambda name: name == "entries")
    for name in names:
        columns = [str(row[1]) for row in connection.execute(f"PRAGMA main.table_info({name})")]
        shown = {column: column for column in columns}
        if name == "operations":
            shown["container"] = "holds"
        elif name == "steps":
            shown["baseline"] = (
                f"CASE WHEN type IN ({_IN_BASELINES}) AND intended_at IS NOT NULL"
                " THEN arguments ELSE baseline END"
            )
        into, taken = ", ".join(columns), ", ".join(shown.values())
        connection.execute(f"INSERT INTO main.{name} ({into}) SELECT {taken} FROM today.{name}")  # noqa: S608
