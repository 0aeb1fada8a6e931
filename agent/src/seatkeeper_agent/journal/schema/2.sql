-- SPDX-License-Identifier: GPL-3.0-or-later
-- Version 2: work that waits for a person or the vendor, and what is declared of servers.

DROP TRIGGER entry_needs_intent;
DROP INDEX one_open_operation_per_container;

CREATE TABLE operations_2 (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- NULL where the work is no part of a transfer.
    side TEXT CHECK (side IN ('source', 'target')),
    container TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'waiting', 'done', 'failed', 'in_doubt')),
    problem TEXT,
    actor TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- A problem is told exactly where there is one.
    CHECK ((state IN ('failed', 'in_doubt')) = (problem IS NOT NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO operations_2 SELECT * FROM operations;

CREATE TABLE steps_2 (
    operation_id TEXT NOT NULL REFERENCES operations (id),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    reversible INTEGER NOT NULL CHECK (reversible IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('planned', 'intended', 'done')),
    attempts INTEGER NOT NULL DEFAULT 0,
    baseline TEXT NOT NULL DEFAULT '{}',
    intended_at REAL,
    performer TEXT NOT NULL DEFAULT 'agent' CHECK (performer IN ('agent', 'person', 'vendor')),
    -- What a person is told, and until when it should be done; NULL for the agent's own steps.
    instructions TEXT,
    until INTEGER,
    -- A person's word where nothing can be observed: who said what, and that it was so.
    attested TEXT,
    PRIMARY KEY (operation_id, position),
    CHECK (state <> 'intended' OR intended_at IS NOT NULL),
    CHECK ((performer = 'agent') = (instructions IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO steps_2
    SELECT *, 'agent', NULL, NULL, NULL FROM steps;

DROP TABLE steps;
DROP TABLE operations;
ALTER TABLE operations_2 RENAME TO operations;
ALTER TABLE steps_2 RENAME TO steps;

-- At most one open operation per container: the index is the lock, it survives a crash.
CREATE UNIQUE INDEX one_open_operation_per_container ON operations (container)
    WHERE state IN ('running', 'waiting', 'in_doubt');

-- No effect without an earlier intent.
CREATE TRIGGER entry_needs_intent BEFORE INSERT ON entries
    WHEN NEW.event <> 'observed' AND NOT EXISTS (
        SELECT 1 FROM steps WHERE operation_id = NEW.operation_id AND intended_at IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'an entry needs an intent that was written before'); END;

-- What was noticed while an operation ran, such as a dongle that was pulled.
CREATE TABLE notes (
    id INTEGER PRIMARY KEY,
    operation_id TEXT NOT NULL REFERENCES operations (id),
    at INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;

CREATE INDEX notes_by_operation ON notes (operation_id, id);

-- What is declared of a server, an activation, a migration or a borrow, and how far it came.
CREATE TABLE declarations (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    document TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
