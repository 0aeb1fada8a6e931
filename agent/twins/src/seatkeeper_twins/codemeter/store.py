# SPDX-License-Identifier: GPL-3.0-or-later
"""containers.db: what the twin's containers hold, durable before any call is answered."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seatkeeper_twins.codemeter.seed import SeedContainer, SeedItem

DATABASE_NAME = "containers.db"

# History rows double as the twin's memory of a transfer: `held_*` is what falls back to the item
# when a borrow ends, `lot` says whether it has, `parent` names the transfer a return belongs to.
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE container (
    id INTEGER PRIMARY KEY, mask INTEGER NOT NULL, serial INTEGER NOT NULL, name TEXT NOT NULL,
    firmware_major INTEGER NOT NULL, firmware_minor INTEGER NOT NULL, UNIQUE (mask, serial));
CREATE TABLE firm_item (
    container INTEGER NOT NULL REFERENCES container (id), firm_code INTEGER NOT NULL,
    text TEXT NOT NULL, update_counter INTEGER NOT NULL, PRIMARY KEY (container, firm_code));
CREATE TABLE item (
    id INTEGER PRIMARY KEY, container INTEGER NOT NULL REFERENCES container (id),
    firm_code INTEGER NOT NULL, reference INTEGER NOT NULL, product_code INTEGER NOT NULL,
    feature_map INTEGER NOT NULL, name TEXT NOT NULL,
    license_quantity INTEGER CHECK (license_quantity >= 0),
    unit_counter INTEGER CHECK (unit_counter >= 0),
    expires_at INTEGER, options TEXT NOT NULL, receipt_required INTEGER NOT NULL,
    status INTEGER NOT NULL, arrival_type INTEGER, arrival_id BLOB, origin_mask INTEGER,
    origin_serial INTEGER, borrow_end INTEGER, UNIQUE (container, reference));
CREATE INDEX item_codes ON item (firm_code, product_code);
CREATE INDEX item_borrowed ON item (borrow_end) WHERE borrow_end IS NOT NULL;
CREATE TABLE history (
    id INTEGER PRIMARY KEY, item INTEGER NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    container INTEGER NOT NULL, number INTEGER NOT NULL, status INTEGER NOT NULL,
    type INTEGER NOT NULL, sent INTEGER NOT NULL, units INTEGER NOT NULL,
    licenses INTEGER NOT NULL, returned INTEGER NOT NULL DEFAULT 0, time INTEGER NOT NULL,
    borrow_end INTEGER, transfer_id BLOB NOT NULL, confirmed_id BLOB, peer_mask INTEGER NOT NULL,
    peer_serial INTEGER NOT NULL, update_counter INTEGER NOT NULL, parent BLOB,
    held_licenses INTEGER, held_units INTEGER, lot TEXT, UNIQUE (item, number));
CREATE INDEX history_item ON history (item);
CREATE INDEX history_transfer ON history (container, transfer_id);
CREATE INDEX history_lent ON history (borrow_end) WHERE lot = 'lent';
CREATE TABLE request (nonce TEXT PRIMARY KEY, container INTEGER NOT NULL, time INTEGER NOT NULL);
CREATE TABLE issued (
    nonce TEXT NOT NULL, container INTEGER NOT NULL, parameters TEXT NOT NULL,
    artefact BLOB NOT NULL, PRIMARY KEY (nonce, container));
CREATE TABLE imported (
    transfer_id BLOB NOT NULL, container INTEGER NOT NULL, PRIMARY KEY (container, transfer_id));
CREATE TABLE fault (
    id INTEGER PRIMARY KEY, point TEXT NOT NULL, action TEXT NOT NULL, value INTEGER NOT NULL,
    skip INTEGER NOT NULL, remaining INTEGER NOT NULL);
CREATE TABLE pending (
    call TEXT PRIMARY KEY, remaining INTEGER NOT NULL, reply BLOB NOT NULL);
"""


def _ignore_point(_name: str) -> None:
    return None


class Store:
    """One connection to containers.db; every durable change announces the points around it."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / DATABASE_NAME
        if not self.path.is_file():
            raise FileNotFoundError(f"{directory} holds no twin: {DATABASE_NAME} is missing")
        self.connection = _connect(self.path)
        self.at_point: Callable[[str], None] = _ignore_point

    def close(self) -> None:
        """Close the connection; the file is then complete without side files."""
        self.connection.close()

    def rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self.connection.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        found: sqlite3.Row | None = self.connection.execute(statement, values).fetchone()
        return found

    def write(self, statement: str, *values: Any) -> int:
        """Run one change; durable on return unless inside `change`. The new row's id."""
        return self.connection.execute(statement, values).lastrowid or 0

    @contextmanager
    def change(self, name: str) -> Iterator[None]:
        """A durable change of the product's state between the points name.before and name.after."""
        self.at_point(f"{name}.before")
        with self.transaction():
            yield
        self.at_point(f"{name}.after")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, without points: for what only the twin itself does."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def meta(self, key: str) -> Any:
        """A setting of the twin."""
        found = self.row("SELECT value FROM meta WHERE key = ?", key)
        return None if found is None else json.loads(found["value"])

    def set_meta(self, key: str, value: Any) -> None:
        """Keep a setting of the twin durably."""
        self.write(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            key,
            json.dumps(value),
        )


def create_store(directory: Path, profile: str, containers: list[SeedContainer]) -> None:
    """Write containers.db, which appears whole or not at all."""
    draft = directory / f"{DATABASE_NAME}.new"
    draft.unlink(missing_ok=True)
    connection = _connect(draft)
    connection.executescript(_SCHEMA)
    connection.execute("BEGIN")
    now = int(time.time())
    settings = {
        "profile": profile,
        "clock_offset_seconds": 0,
        "box_time": now,
        "certified_time": now,
        "borrow_blocked": False,
        "max_borrow_hours": None,
        "max_time_difference_seconds": 3600,
    }
    rows = [(key, json.dumps(value)) for key, value in settings.items()]
    connection.executemany("INSERT INTO meta VALUES (?, ?)", rows)
    for container in containers:
        _insert_container(connection, container)
    connection.execute("COMMIT")
    connection.close()
    draft.rename(directory / DATABASE_NAME)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _insert_container(connection: sqlite3.Connection, container: SeedContainer) -> None:
    values = (container.mask, container.serial, container.name, *container.firmware)
    identity = connection.execute(
        "INSERT INTO container VALUES (NULL, ?, ?, ?, ?, ?)", values
    ).lastrowid
    firm_items = dict(container.firm_items)
    for item in container.items:
        if not firm_items.get(item.firm_code):
            firm_items[item.firm_code] = item.firm_item_text
    connection.executemany(
        "INSERT INTO firm_item VALUES (?, ?, ?, 1)",
        [(identity, code, text) for code, text in firm_items.items()],
    )
    connection.executemany(
        "INSERT INTO item (container, reference, firm_code, product_code, feature_map, name,"
        " license_quantity, unit_counter, expires_at, options, receipt_required, status)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
        [(identity, number, *_item_values(item)) for number, item in enumerate(container.items, 1)],
    )


def _item_values(item: SeedItem) -> tuple[Any, ...]:
    return (
        item.firm_code, item.product_code, item.feature_map, item.name, item.license_quantity,
        item.unit_counter, item.expires_at, json.dumps(item.options), item.receipt_required,
    )  # fmt: skip
