# SPDX-License-Identifier: GPL-3.0-or-later
"""New journals are copies of the first one, which spares some thousand migrations."""

from __future__ import annotations

from functools import cache

import apsw

from seatkeeper_agent.journal import migrations


def migrate(connection: apsw.Connection) -> None:
    """In the place of the real one, which still makes the first journal and takes up older ones."""
    if connection.pragma("user_version") > 0:
        migrations.migrate(connection)
        return
    with connection.backup("main", _first(), "main") as backup:
        backup.step()


@cache
def _first() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    migrations.migrate(connection)
    return connection
