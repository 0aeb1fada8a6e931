-- SPDX-License-Identifier: GPL-3.0-or-later
-- Version 4: operations name their declaration and what they hold, steps their type and arguments.

DROP TRIGGER entry_needs_intent;
DROP INDEX one_open_operation_per_container;

CREATE TABLE operations_4 (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    -- A noun phrase for people; no program reads it.
    subject TEXT NOT NULL,
    -- Both NULL where nothing was declared, as for a container that is frozen.
    declaration_kind TEXT,
    declaration_id TEXT,
    -- NULL where the work is no part of a transfer.
    side TEXT CHECK (side IN ('source', 'target')),
    -- What no other operation may work on meanwhile: a container, a server, an order.
    holds TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'waiting', 'done', 'failed', 'in_doubt')),
    problem TEXT,
    actor TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((declaration_kind IS NULL) = (declaration_id IS NULL)),
    -- A problem is told exactly where there is one.
    CHECK ((state IN ('failed', 'in_doubt')) = (problem IS NOT NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO operations_4
    SELECT id, kind, subject, NULL, NULL, side, container, state, problem, actor, created_at,
           updated_at
    FROM operations;

CREATE TABLE steps_4 (
    operation_id TEXT NOT NULL REFERENCES operations (id),
    position INTEGER NOT NULL,
    -- Which code makes the step, and from what: canonical JSON.
    type TEXT NOT NULL,
    arguments TEXT NOT NULL,
    -- What people read of it, and name it by; no program reads more into it.
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    reversible INTEGER NOT NULL CHECK (reversible IN (0, 1)),
    -- Tried: it was run, and nothing that can be seen tells its effect.
    state TEXT NOT NULL CHECK (state IN ('planned', 'intended', 'tried', 'done')),
    attempts INTEGER NOT NULL DEFAULT 0,
    baseline TEXT NOT NULL DEFAULT '{}',
    intended_at REAL,
    performer TEXT NOT NULL DEFAULT 'agent' CHECK (performer IN ('agent', 'person', 'vendor')),
    -- What a person is told, and until when it should be done; NULL for the agent's own steps.
    instructions TEXT,
    until INTEGER,
    -- A person's word where nothing can be observed: who said what, and that it was so.
    attested TEXT,
    -- How a vendor's program ended that was run for it, and what it said last; no secrets.
    said TEXT,
    PRIMARY KEY (operation_id, position),
    CHECK (state <> 'intended' OR intended_at IS NOT NULL),
    CHECK ((performer = 'agent') = (instructions IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO steps_4
    SELECT operation_id, position, '', '{}', name, title, reversible, state, attempts, baseline,
           intended_at, performer, instructions, until, attested, said
    FROM steps;

DROP TABLE steps;
DROP TABLE operations;
ALTER TABLE operations_4 RENAME TO operations;
ALTER TABLE steps_4 RENAME TO steps;

-- At most one open operation for what is held: the index is the lock, it survives a crash.
CREATE UNIQUE INDEX one_open_operation_each ON operations (holds)
    WHERE state IN ('running', 'waiting', 'in_doubt');

CREATE INDEX operations_by_declaration ON operations (declaration_kind, declaration_id);

-- What is declared is found by what it says of itself, where it does.
CREATE INDEX declarations_by_state ON declarations (kind, document ->> 'state');
CREATE INDEX declarations_by_product ON declarations (kind, document ->> 'product');

-- No effect without an earlier intent.
CREATE TRIGGER entry_needs_intent BEFORE INSERT ON entries
    WHEN NEW.event <> 'observed' AND NOT EXISTS (
        SELECT 1 FROM steps WHERE operation_id = NEW.operation_id AND intended_at IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'an entry needs an intent that was written before'); END;

-- What has changed, each row written by the unit of work that it tells of. A cursor only grows.
CREATE TABLE events (
    cursor INTEGER PRIMARY KEY,
    -- Unix seconds by the host's clock.
    at INTEGER NOT NULL,
    what TEXT NOT NULL CHECK (what IN (
        'operation', 'step', 'attestation', 'note', 'transfer', 'server_move', 'declaration')),
    -- The new state; of a declaration whether it was put or withdrawn.
    state TEXT NOT NULL,
    operation_id TEXT,
    position INTEGER,
    declaration_kind TEXT,
    declaration_id TEXT,
    side TEXT
) STRICT;

CREATE TRIGGER events_stay BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;

-- The newest ten thousand are kept. Whoever has read less than the oldest is told so.
CREATE TRIGGER events_are_bounded AFTER INSERT ON events
    BEGIN DELETE FROM events WHERE cursor <= NEW.cursor - 10000; END;

CREATE TRIGGER operation_begins AFTER INSERT ON operations
    BEGIN
        INSERT INTO events (at, what, state, operation_id, declaration_kind, declaration_id, side)
        VALUES (unixepoch(), 'operation', NEW.state, NEW.id, NEW.declaration_kind,
                NEW.declaration_id, NEW.side);
    END;

CREATE TRIGGER operation_changes AFTER UPDATE OF state ON operations
    WHEN NEW.state <> OLD.state
    BEGIN
        INSERT INTO events (at, what, state, operation_id, declaration_kind, declaration_id, side)
        VALUES (unixepoch(), 'operation', NEW.state, NEW.id, NEW.declaration_kind,
                NEW.declaration_id, NEW.side);
    END;

CREATE TRIGGER step_changes
    AFTER UPDATE OF state, attempts, performer, instructions, said ON steps
    WHEN NEW.state <> OLD.state OR NEW.attempts <> OLD.attempts OR NEW.performer <> OLD.performer
        OR NEW.instructions IS NOT OLD.instructions OR NEW.said IS NOT OLD.said
    BEGIN
        INSERT INTO events (
            at, what, state, operation_id, position, declaration_kind, declaration_id, side)
        SELECT unixepoch(), 'step', NEW.state, id, NEW.position, declaration_kind, declaration_id,
               side
        FROM operations WHERE id = NEW.operation_id;
    END;

CREATE TRIGGER step_is_attested AFTER UPDATE OF attested ON steps
    WHEN NEW.attested IS NOT OLD.attested
    BEGIN
        INSERT INTO events (
            at, what, state, operation_id, position, declaration_kind, declaration_id, side)
        SELECT unixepoch(), 'attestation', NEW.state, id, NEW.position, declaration_kind,
               declaration_id, side
        FROM operations WHERE id = NEW.operation_id;
    END;

CREATE TRIGGER note_is_made AFTER INSERT ON notes
    BEGIN
        INSERT INTO events (at, what, state, operation_id, declaration_kind, declaration_id, side)
        SELECT unixepoch(), 'note', state, id, declaration_kind, declaration_id, side
        FROM operations WHERE id = NEW.operation_id;
    END;

CREATE TRIGGER transfer_begins AFTER INSERT ON transfers
    BEGIN
        INSERT INTO events (at, what, state, declaration_kind, declaration_id, side)
        VALUES (unixepoch(), 'transfer', NEW.state, 'transfer', NEW.id, NEW.side);
    END;

CREATE TRIGGER transfer_changes AFTER UPDATE OF state ON transfers
    WHEN NEW.state <> OLD.state
    BEGIN
        INSERT INTO events (at, what, state, declaration_kind, declaration_id, side)
        VALUES (unixepoch(), 'transfer', NEW.state, 'transfer', NEW.id, NEW.side);
    END;

CREATE TRIGGER transfer_is_corrected AFTER UPDATE OF declaration ON transfers
    WHEN NEW.declaration <> OLD.declaration
    BEGIN
        INSERT INTO events (at, what, state, declaration_kind, declaration_id, side)
        VALUES (unixepoch(), 'declaration', 'put', 'transfer', NEW.id, NEW.side);
    END;

CREATE TRIGGER borrow_is_put AFTER INSERT ON borrows
    BEGIN
        INSERT INTO events (at, what, state, declaration_kind, declaration_id)
        VALUES (unixepoch(), 'declaration', 'put', 'borrow', NEW.id);
    END;

CREATE TRIGGER borrow_changes AFTER UPDATE OF declaration, lots ON borrows
    WHEN NEW.declaration <> OLD.declaration OR NEW.lots <> OLD.lots
    BEGIN
        INSERT INTO events (at, what, state, declaration_kind, declaration_id)
        VALUES (unixepoch(), 'declaration', 'put', 'borrow', NEW.id);
    END;

CREATE TRIGGER declaration_is_put AFTER INSERT ON declarations
    BEGIN
        INSERT INTO events (at, what, state, declaration_kind, declaration_id)
        VALUES (unixepoch(), 'declaration', 'put', NEW.kind, NEW.id);
    END;

CREATE TRIGGER declaration_changes AFTER UPDATE OF document ON declarations
    WHEN NEW.document <> OLD.document
    BEGIN
        INSERT INTO events (at, what, state, declaration_kind, declaration_id)
        VALUES (unixepoch(), 'declaration', 'put', NEW.kind, NEW.id);
    END;

CREATE TRIGGER declaration_is_withdrawn AFTER DELETE ON declarations
    BEGIN
        INSERT INTO events (at, what, state, declaration_kind, declaration_id)
        VALUES (unixepoch(), 'declaration', 'withdrawn', OLD.kind, OLD.id);
    END;

CREATE TRIGGER move_begins AFTER INSERT ON declarations WHEN NEW.kind = 'move'
    BEGIN
        INSERT INTO events (at, what, state, declaration_kind, declaration_id, side)
        VALUES (unixepoch(), 'server_move', NEW.document ->> 'state', NEW.kind, NEW.id,
                NEW.document ->> 'side');
    END;

CREATE TRIGGER move_changes AFTER UPDATE OF document ON declarations
    WHEN NEW.kind = 'move' AND NEW.document ->> 'state' <> OLD.document ->> 'state'
    BEGIN
        INSERT INTO events (at, what, state, declaration_kind, declaration_id, side)
        VALUES (unixepoch(), 'server_move', NEW.document ->> 'state', NEW.kind, NEW.id,
                NEW.document ->> 'side');
    END;
