# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing a journal file to the version that this agent writes."""

from __future__ import annotations

from importlib import resources

import apsw

SCHEMA_VERSION = 4


class JournalTooNew(Exception):
    """The file was written by a newer agent; it must not be touched."""


def require_known(connection: apsw.Connection) -> None:
    """JournalTooNew for a newer file; only reads, so that it can come before anything else."""
    version = connection.pragma("user_version")
    if version > SCHEMA_VERSION:
        raise JournalTooNew(
            f"The journal has schema version {version}, this agent knows {SCHEMA_VERSION}."
            " Install the newer agent again; the file was left as it is."
        )


def migrate(connection: apsw.Connection) -> None:
    """Bring the schema up to date, each version in one transaction."""
    found = connection.pragma("user_version")
    for version in range(found + 1, SCHEMA_VERSION + 1):
        script = resources.files(__package__).joinpath(f"schema/{version}.sql").read_text("utf-8")
        # A table that others refer to is made anew in place: looked at again before the commit.
        connection.pragma("foreign_keys", "off")
        with connection:
            connection.execute(script)
            if version == 4 and found > 0:
                # Loaded only where something is to be filled in.
                from seatkeeper_agent.journal.from_3 import fill_in

                fill_in(connection)
            if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
                raise apsw.ConstraintError(f"version {version} would break a reference")
            connection.pragma("user_version", version)
        connection.pragma("foreign_keys", "on")
