-- SPDX-License-Identifier: GPL-3.0-or-later
-- Version 1 of the journal. Times are Unix seconds, documents are canonical JSON.

CREATE TABLE transfers (
    id TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('source', 'target')),
    -- The allowed changes are the table TRANSITIONS of domain/transfers.py.
    state TEXT NOT NULL CHECK (state IN (
        'requested', 'created', 'debiting', 'in_transit', 'accepted', 'crediting',
        'transferred', 'refused', 'crediting_back', 'transferred_receipted', 'void')),
    declaration TEXT NOT NULL,
    amounts TEXT NOT NULL DEFAULT '{}',
    vendor_transfer_id TEXT,
    vendor_update_counter INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (id, side),
    -- States of one side never appear on the other.
    CHECK (side = 'source' AND state IN (
               'created', 'debiting', 'in_transit', 'crediting_back', 'void',
               'transferred_receipted')
        OR side = 'target' AND state IN (
               'requested', 'accepted', 'crediting', 'transferred', 'refused', 'void',
               'transferred_receipted'))
) STRICT, WITHOUT ROWID;

CREATE INDEX open_transfers ON transfers (id)
    WHERE state NOT IN ('transferred_receipted', 'refused', 'void');

CREATE INDEX transfers_by_parent ON transfers (side, json_extract(declaration, '$.parent'));

CREATE TABLE documents (
    transfer_id TEXT NOT NULL,
    side TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('request', 'transfer', 'receipt', 'acknowledgement')),
    envelope TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (transfer_id, side, kind),
    FOREIGN KEY (transfer_id, side) REFERENCES transfers (id, side)
) STRICT, WITHOUT ROWID;

-- Requests that were made anew before they were served: their answers still count.
CREATE TABLE superseded_requests (
    transfer_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (transfer_id, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE operations (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- NULL where the work is no part of a transfer.
    side TEXT CHECK (side IN ('source', 'target')),
    container TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'in_doubt')),
    problem TEXT,
    actor TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- A problem is told exactly where there is one.
    CHECK ((state IN ('failed', 'in_doubt')) = (problem IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- At most one open operation per container: the index is the lock, it survives a crash.
CREATE UNIQUE INDEX one_open_operation_per_container ON operations (container)
    WHERE state IN ('running', 'in_doubt');

CREATE TABLE steps (
    operation_id TEXT NOT NULL REFERENCES operations (id),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    reversible INTEGER NOT NULL CHECK (reversible IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('planned', 'intended', 'done')),
    attempts INTEGER NOT NULL DEFAULT 0,
    baseline TEXT NOT NULL DEFAULT '{}',
    intended_at REAL,
    PRIMARY KEY (operation_id, position),
    CHECK (state <> 'intended' OR intended_at IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    transfer_id TEXT,
    event TEXT NOT NULL CHECK (event IN ('debit', 'credit', 'credit_back', 'observed')),
    operation_id TEXT REFERENCES operations (id),
    at INTEGER NOT NULL,
    CHECK ((event = 'observed') = (transfer_id IS NULL))
) STRICT;

-- At most one debit, one credit and one credit-back per transfer.
CREATE UNIQUE INDEX one_entry_per_event ON entries (transfer_id, event)
    WHERE transfer_id IS NOT NULL;

CREATE TABLE postings (
    entry_id INTEGER NOT NULL REFERENCES entries (id),
    account TEXT NOT NULL CHECK (account IN ('container', 'escrow', 'lent', 'vendor')),
    reference TEXT NOT NULL,
    item TEXT NOT NULL,
    measure TEXT NOT NULL CHECK (measure IN ('seats', 'units')),
    amount INTEGER NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (entry_id, account, reference, item, measure)
) STRICT, WITHOUT ROWID;

CREATE INDEX postings_by_account ON postings (account, reference, item, measure, amount);

CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;

CREATE TABLE borrows (
    id TEXT NOT NULL PRIMARY KEY,
    declaration TEXT NOT NULL,
    lots TEXT NOT NULL DEFAULT '[]',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The highest counters ever seen: a lower one later means that a snapshot was rolled back.
CREATE TABLE counters (
    holder TEXT NOT NULL,
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (holder, name)
) STRICT, WITHOUT ROWID;

-- No effect without an earlier intent.
CREATE TRIGGER entry_needs_intent BEFORE INSERT ON entries
    WHEN NEW.event <> 'observed' AND NOT EXISTS (
        SELECT 1 FROM steps WHERE operation_id = NEW.operation_id AND intended_at IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'an entry needs an intent that was written before'); END;

CREATE TRIGGER entries_stay BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
CREATE TRIGGER entries_remain BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;
CREATE TRIGGER postings_stay BEFORE UPDATE ON postings
    BEGIN SELECT RAISE(ABORT, 'postings are never changed'); END;
CREATE TRIGGER postings_remain BEFORE DELETE ON postings
    BEGIN SELECT RAISE(ABORT, 'postings are never deleted'); END;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is never changed'); END;
CREATE TRIGGER audit_remains BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is never deleted'); END;
