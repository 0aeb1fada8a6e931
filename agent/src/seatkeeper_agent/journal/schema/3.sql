-- SPDX-License-Identifier: GPL-3.0-or-later
-- Version 3: what a vendor's program said, and a step that was tried where nothing shows its effect.

DROP TRIGGER entry_needs_intent;

CREATE TABLE steps_3 (
    operation_id TEXT NOT NULL REFERENCES operations (id),
    position INTEGER NOT NULL,
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

INSERT INTO steps_3 SELECT *, NULL FROM steps;
DROP TABLE steps;
ALTER TABLE steps_3 RENAME TO steps;

-- No effect without an earlier intent.
CREATE TRIGGER entry_needs_intent BEFORE INSERT ON entries
    WHEN NEW.event <> 'observed' AND NOT EXISTS (
        SELECT 1 FROM steps WHERE operation_id = NEW.operation_id AND intended_at IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'an entry needs an intent that was written before'); END;
