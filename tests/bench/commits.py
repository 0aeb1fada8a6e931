# SPDX-License-Identifier: GPL-3.0-or-later
"""Durable commits: the journal's outcome of a step against bare SQLite with the same rows.

Both sides write one ledger entry, its two postings and one audit row per commit, in WAL with
full synchronisation, to files in the same folder. The bare side has the same keys and index, so
that the same pages become durable, and nothing else: no checks, triggers, hashes or JSON.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import apsw

from bench.comparison import Aim, Comparison, interleave
from seatkeeper_agent.domain.licenses import Measure
from seatkeeper_agent.domain.records import Account, Event, Posting
from seatkeeper_agent.journal import Journal

COMMITS = 200
REPETITIONS = 45
ITEM = "6000010/201000"
CONTAINER = "130-1234567890"
DETAIL = {"item": ITEM, "transfer": "0" * 32, "seats": 10, "before": 25, "after": 15}

BARE_SCHEMA = """
CREATE TABLE entries (id INTEGER PRIMARY KEY, transfer_id TEXT, event TEXT, operation_id TEXT,
    at INTEGER) STRICT;
CREATE TABLE postings (entry_id INTEGER, account TEXT, reference TEXT, item TEXT, measure TEXT,
    amount INTEGER, PRIMARY KEY (entry_id, account, reference, item, measure))
    STRICT, WITHOUT ROWID;
CREATE INDEX postings_by_account ON postings (account, reference, item, measure, amount);
CREATE TABLE audit (sequence INTEGER PRIMARY KEY, at INTEGER, actor TEXT, action TEXT,
    subject TEXT, detail TEXT, hash TEXT) STRICT;
"""
BARE_ENTRY = "INSERT INTO entries (event, at) VALUES (?, ?)"
BARE_POSTING = "INSERT INTO postings VALUES (?, ?, ?, ?, ?, ?)"
BARE_AUDIT = (
    "INSERT INTO audit (at, actor, action, subject, detail, hash) VALUES (?, ?, ?, ?, ?, ?)"
)


def journal_commits_per_second(folder: Path) -> float:
    """Commits per second of the agent's own journal in a fresh file."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        journal = Journal(Path(place) / "journal.sqlite")
        postings = [
            Posting(Account.VENDOR, CONTAINER, ITEM, Measure.SEATS, -10),
            Posting(Account.CONTAINER, CONTAINER, ITEM, Measure.SEATS, 10),
        ]
        started = time.perf_counter()
        for _ in range(COMMITS):
            with journal.transaction() as unit:
                unit.ledger.post(Event.OBSERVED, postings)
                unit.audit.append("uid 1000", "transfer.debit", "0" * 32, DETAIL)
        seconds = time.perf_counter() - started
        journal.close()
    return COMMITS / seconds


def bare_commits_per_second(folder: Path) -> float:
    """Commits per second of the same rows in tables without checks or triggers."""
    detail = str(DETAIL)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        connection = apsw.Connection(str(Path(place) / "bare.sqlite"))
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "full")
        connection.execute(BARE_SCHEMA)
        started = time.perf_counter()
        for _ in range(COMMITS):
            now = int(time.time())
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(BARE_ENTRY, ("observed", now))
            entry = connection.last_insert_rowid()
            rows = [
                (entry, "vendor", CONTAINER, ITEM, "seats", -10),
                (entry, "container", CONTAINER, ITEM, "seats", 10),
            ]
            connection.executemany(BARE_POSTING, rows)
            audit = (now, "uid 1000", "transfer.debit", "0" * 32, detail, "0" * 64)
            connection.execute(BARE_AUDIT, audit)
            connection.execute("COMMIT")
        seconds = time.perf_counter() - started
        connection.close()
    return COMMITS / seconds


def compare(folder: Path) -> list[Comparison]:
    """Measure both sides in files below ``folder``."""
    ours, bare = interleave(
        lambda: journal_commits_per_second(folder),
        lambda: bare_commits_per_second(folder),
        REPETITIONS,
    )
    return [Comparison("durable commits", "per second", ours, bare, Aim("at least", 0.8))]
