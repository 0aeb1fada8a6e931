# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations and their steps: what was intended, what was observed."""

from __future__ import annotations

import json
from typing import Any

import apsw

from seatkeeper_agent.domain.planned_steps import Instructions, Performer, canonical
from seatkeeper_agent.domain.records import (
    DeclarationKey,
    Note,
    OperationRecord,
    OperationState,
    StepRecord,
    StepState,
)
from seatkeeper_agent.domain.transfers import Side

_COLUMNS = (
    "id, kind, subject, declaration_kind, declaration_id, side, holds, state, problem, actor,"
    " created_at, updated_at"
)
_OPEN = "state IN ('running', 'waiting', 'in_doubt')"
_STEP_COLUMNS = (
    "position, type, arguments, name, title, reversible, state, attempts, baseline, intended_at,"
    " performer, instructions, until, attested, said"
)


class Operations:
    """The operations of this host; an open one keeps others from what it holds."""

    def __init__(self, connection: apsw.Connection, now: int) -> None:
        self._connection = connection
        self._now = now

    def get(self, operation_id: str) -> OperationRecord | None:
        """The operation with its steps, or None."""
        row = self._connection.execute(
            f"SELECT {_COLUMNS} FROM operations WHERE id = ?", (operation_id,)
        ).fetchone()
        return None if row is None else self._record(row)

    def holding(self, held: str) -> OperationRecord | None:
        """The open operation that holds it, or None."""
        row = self._connection.execute(
            f"SELECT {_COLUMNS} FROM operations WHERE holds = ? AND {_OPEN}", (held,)
        ).fetchone()
        return None if row is None else self._record(row)

    def open_for(self, declaration_kind: str) -> list[OperationRecord]:
        """The open operations of one kind of declaration, in the order of their ids."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM operations WHERE declaration_kind = ? AND {_OPEN} ORDER BY id",
            (declaration_kind,),
        )
        return [self._record(row) for row in rows.fetchall()]

    def in_doubt(self) -> list[OperationRecord]:
        """What keeps something frozen, the oldest first."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM operations WHERE state = 'in_doubt' ORDER BY created_at, id"
        )
        return [self._record(row) for row in rows.fetchall()]

    def page(self, only_open: bool, after: str, limit: int) -> list[OperationRecord]:
        """Up to ``limit`` operations whose id comes after ``after``."""
        condition = f" AND {_OPEN}" if only_open else ""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM operations WHERE id > ?{condition} ORDER BY id LIMIT ?",
            (after, limit),
        )
        return [self._record(row) for row in rows.fetchall()]

    def open(
        self,
        operation_id: str,
        kind: str,
        subject: str,
        side: Side | None,
        holds: str,
        actor: str,
        steps: list[StepRecord],
        declaration: DeclarationKey | None = None,
    ) -> None:
        """Start an operation, or take up again one that failed before it did anything.

        apsw.ConstraintError when another operation holds the same.
        """
        self._connection.execute(
            "INSERT INTO operations (id, kind, subject, declaration_kind, declaration_id, side,"
            " holds, state, actor, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'running', ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET state = 'running', problem = NULL,"
            " holds = excluded.holds, actor = excluded.actor,"
            " updated_at = excluded.updated_at",
            (
                operation_id,
                kind,
                subject,
                None if declaration is None else declaration.kind,
                None if declaration is None else declaration.id,
                side and side.value,
                holds,
                actor,
                self._now,
                self._now,
            ),
        )
        self._connection.executemany(
            "INSERT INTO steps (operation_id, position, type, arguments, name, title, reversible,"
            " state, performer, instructions) VALUES (?, ?, ?, ?, ?, ?, ?, 'planned', ?, ?)"
            " ON CONFLICT DO UPDATE SET arguments = excluded.arguments, title = excluded.title,"
            " reversible = excluded.reversible WHERE state = 'planned'",
            [
                (
                    operation_id,
                    step.position,
                    step.type,
                    canonical(step.arguments).decode(),
                    step.name,
                    step.title,
                    int(step.reversible),
                    step.performer.value,
                    _text(step.instructions),
                )
                for step in steps
            ],
        )

    def set_state(
        self, operation_id: str, state: OperationState, problem: dict[str, Any] | None = None
    ) -> None:
        """End an operation, or say that it is in doubt and why."""
        self._connection.execute(
            "UPDATE operations SET state = ?, problem = ?, updated_at = ? WHERE id = ?",
            (
                state.value,
                None if problem is None else canonical(problem).decode(),
                self._now,
                operation_id,
            ),
        )

    def intend(
        self,
        operation_id: str,
        position: int,
        baseline: dict[str, Any],
        at: float,
        until: int | None = None,
    ) -> None:
        """Write down that the effect is about to be tried, and what was seen before it."""
        self._connection.execute(
            "UPDATE steps SET state = 'intended', attempts = attempts + 1, baseline = ?,"
            " intended_at = ?, until = ? WHERE operation_id = ? AND position = ?",
            (canonical(baseline).decode(), at, until, operation_id, position),
        )

    def assign(
        self,
        operation_id: str,
        position: int,
        performer: Performer,
        instructions: Instructions | None,
    ) -> None:
        """Write down who does a step; the settings may have changed since it was planned."""
        self._connection.execute(
            "UPDATE steps SET performer = ?, instructions = ?"
            " WHERE operation_id = ? AND position = ?",
            (performer.value, _text(instructions), operation_id, position),
        )

    def attest(self, operation_id: str, position: int, statement: str) -> None:
        """Keep a person's word beside the step it is about."""
        self._connection.execute(
            "UPDATE steps SET attested = ? WHERE operation_id = ? AND position = ?",
            (statement, operation_id, position),
        )

    def keep_output(self, operation_id: str, position: int, said: str) -> None:
        """Keep what a vendor's program said that was run for a step."""
        self._connection.execute(
            "UPDATE steps SET said = ? WHERE operation_id = ? AND position = ?",
            (said, operation_id, position),
        )

    def note(self, operation_id: str, text: str) -> None:
        """Write down what was noticed while it ran."""
        self._connection.execute(
            "INSERT INTO notes (operation_id, at, text) VALUES (?, ?, ?)",
            (operation_id, self._now, text),
        )

    def waiting(self) -> list[OperationRecord]:
        """All operations that wait for somebody, the oldest first."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM operations WHERE state = 'waiting' ORDER BY created_at, id"
        )
        return [self._record(row) for row in rows.fetchall()]

    def set_step(self, operation_id: str, position: int, state: StepState) -> None:
        """Record that a step was observed done or tried, or that its intent had no effect."""
        self._connection.execute(
            "UPDATE steps SET state = ? WHERE operation_id = ? AND position = ?",
            (state.value, operation_id, position),
        )

    def count_open(self) -> int:
        """How many operations hold something."""
        return int(self._connection.execute(f"SELECT count(*) FROM operations WHERE {_OPEN}").get)

    def _record(self, row: tuple[Any, ...]) -> OperationRecord:
        steps = self._connection.execute(
            f"SELECT {_STEP_COLUMNS} FROM steps WHERE operation_id = ? ORDER BY position",
            (row[0],),
        ).fetchall()
        notes = self._connection.execute(
            "SELECT at, text FROM notes WHERE operation_id = ? ORDER BY id", (row[0],)
        ).fetchall()
        return OperationRecord(
            id=row[0],
            kind=row[1],
            subject=row[2],
            declaration=None if row[3] is None else DeclarationKey(row[3], row[4]),
            side=None if row[5] is None else Side(row[5]),
            holds=row[6],
            state=OperationState(row[7]),
            steps=tuple(_step(step) for step in steps),
            problem=None if row[8] is None else json.loads(row[8]),
            actor=row[9],
            created_at=row[10],
            updated_at=row[11],
            notes=tuple(_note(note) for note in notes),
        )


def _note(row: tuple[Any, ...]) -> Note:
    return Note(row[0], row[1])


def _step(row: tuple[Any, ...]) -> StepRecord:
    return StepRecord(
        position=row[0],
        type=row[1],
        arguments=json.loads(row[2]),
        name=row[3],
        title=row[4],
        reversible=bool(row[5]),
        state=StepState(row[6]),
        attempts=row[7],
        baseline=json.loads(row[8]),
        intended_at=row[9],
        performer=Performer(row[10]),
        instructions=None if row[11] is None else Instructions.from_document(json.loads(row[11])),
        until=row[12],
        attested=row[13],
        said=row[14],
    )


def _text(instructions: Instructions | None) -> str | None:
    return None if instructions is None else canonical(instructions.as_document()).decode()
