# SPDX-License-Identifier: GPL-3.0-or-later
"""What is answered about moves: how far, what waits, where each license is now."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.records import OperationRecord, OperationState
from seatkeeper_agent.domain.server_move_legs import MoveLeg, MoveState
from seatkeeper_agent.domain.server_moves import MovableServer
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.people import planned_view
from seatkeeper_agent.operations.server_moves import records
from seatkeeper_agent.operations.server_moves.backups import BackupService
from seatkeeper_agent.operations.server_moves.leg_steps import VOID
from seatkeeper_agent.operations.server_moves.legs import GIVES
from seatkeeper_agent.operations.server_moves.ports import ServerMoveDriver
from seatkeeper_agent.operations.server_moves.records import MoveRecord, operation_id
from seatkeeper_agent.operations.server_moves.views import move_view, operation_view, waiting_view


class Answers:
    """Reads the journal, and looks at the server where a move is open."""

    def __init__(self, journal: Journal, driver: ServerMoveDriver, backups: BackupService) -> None:
        self._journal = journal
        self._driver = driver
        self._backups = backups

    def operation(self, record: MoveRecord) -> OperationRecord | None:
        """That of its last attempt."""
        with self._journal.reading() as unit:
            return unit.operations.get(operation_id(record))

    def observation(self, found: list[MoveRecord]) -> MovableServer | None:
        """One look for all open moves; None where there is none, or nothing answers."""
        if all(record.state.is_settled for record in found):
            return None
        with suppress(Problem):
            return self._backups.observed()
        return None

    def view(self, record: MoveRecord, observation: MovableServer | None) -> dict[str, Any]:
        """One move; what is over needs no look."""
        server = None if record.state.is_settled else observation
        guidance = self._driver.instructions()
        return move_view(record, self.operation(record), server, guidance)

    def page(self, after: str, limit: int) -> list[dict[str, Any]]:
        """Moves in the order of their ids; the server is looked at once where one is open."""
        with self._journal.reading() as unit:
            found = records.page(unit, after, limit)
        observation = self.observation(found)
        return [self.view(record, observation) for record in found]

    def orphaned(self) -> list[dict[str, Any]]:
        """What is active nowhere, or may be, of all open moves."""
        with self._journal.reading() as unit:
            found = records.unsettled(unit)
        observation = self.observation(found)
        return [
            {"move": record.declaration.name, **entry}
            for record in found
            for entry in self.view(record, observation)["adrift"]
        ]

    def answer(
        self,
        record: MoveRecord | None,
        before: MoveState,
        changed: bool,
        after: MoveState | None = None,
    ) -> dict[str, Any]:
        """The answer to a leg; ``after`` is the state that a plan would end in."""
        planned = after is not None
        operation = None if record is None or planned else self.operation(record)
        state = after or (before if record is None else record.state)
        leg = None if record is None or record.outline is None else record.outline.leg
        gives = GIVES.get(MoveLeg(leg)) if leg not in (None, VOID) else None
        ended = operation is not None and operation.state is OperationState.DONE
        steps = operation.steps if operation else ()
        return {
            "changed": changed,
            "before": {"state": before.value},
            "after": {"state": state.value},
            "report": None,
            "backup": None,
            "plan": {
                "digest": None,
                "confirmation_required": False,
                "warnings": [],
                "codes_needed": [],
                "steps": [planned_view(step) for step in steps],
            },
            "document": record.document(gives) if record and gives and ended else None,
            "move": None if record is None else self.view(record, self.observation([record])),
            "operation": operation_view(operation),
            "waiting": waiting_view(operation),
        }
