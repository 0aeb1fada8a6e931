# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing a journal file to the version that this agent writes."""

from __future__ import annotations

from importlib import resources

import apsw

SCHEMA_VERSION = 1


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
    """Create or upgrade the schema in one transaction."""
    if connection.pragma("user_version") == SCHEMA_VERSION:
        return
    script = resources.files(__package__).joinpath("schema.sql").read_text("utf-8")
    with connection:
        connection.execute(script)
        connection.pragma("user_version", SCHEMA_VERSION)
