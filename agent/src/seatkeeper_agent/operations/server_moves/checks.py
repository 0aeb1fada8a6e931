# SPDX-License-Identifier: GPL-3.0-or-later
"""What a move looks at before and after its steps, on the host where it is."""

from __future__ import annotations

from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.rules import RuleRow, is_refused
from seatkeeper_agent.domain.server_move_rules import target_rows
from seatkeeper_agent.domain.server_moves import LicenseState
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.ports import Grade
from seatkeeper_agent.operations.server_moves import records, refusals
from seatkeeper_agent.operations.server_moves.backups import BackupService
from seatkeeper_agent.operations.server_moves.documents import RETURNED, Basis
from seatkeeper_agent.operations.server_moves.leg_steps import (
    MoveRequest,
    bound_to,
    codes_needed,
)
from seatkeeper_agent.operations.server_moves.ports import ServerMoveDriver
from seatkeeper_agent.operations.server_moves.records import TRIED, LegOutline, MoveRecord
from seatkeeper_agent.operations.server_moves.steps import codes_missing


class ServerChecks:
    """Looks at one license server; DriverError or Problem where it cannot be looked at."""

    def __init__(self, journal: Journal, driver: ServerMoveDriver, backups: BackupService) -> None:
        self._journal = journal
        self._driver = driver
        self._backups = backups

    def require_bound(self, record: MoveRecord, part: str) -> None:
        """Problem when the server is not what a confirmation was given for.

        Before maintenance mode all of it is held against that, before a license that one.
        """
        outline = record.outline
        if outline is None or outline.bound is None:
            return
        now = bound_to(self._driver.observe(), outline.numbers)
        parts = outline.bound if part == "maintenance" else ("server", part)
        if any(now[each] != outline.bound[each] for each in parts):
            raise refusals.changed_since(record.declaration)

    def target_refusal(self, record: MoveRecord) -> Problem | None:
        """Why the machine does not fit what was backed up."""
        rows = self.rows(record)
        return refusals.not_ready(record.declaration, rows) if is_refused(rows) else None

    def not_arrived(self, record: MoveRecord) -> Problem | None:
        """Which licenses should be active here and are not."""
        server = self._driver.observe()
        with self._journal.reading() as unit:
            known = records.present(unit, record.id)
        wanted = [n for n in known.numbers if known.progress(n).is_active_here]
        missing = [n for n in wanted if server.license(n).state is not LicenseState.ACTIVE]
        return refusals.not_active(record.declaration, missing) if missing else None

    def active_here(self, record: MoveRecord) -> Problem | None:
        """Which licenses should not be active here and are, may become so, or do not show."""
        server = self._driver.observe()
        states = {n: server.license(n).state for n in record.numbers}
        twice = [n for n, state in states.items() if state is LicenseState.ACTIVE]
        if twice:
            return refusals.active_twice(record.declaration, twice)
        for number, state in states.items():
            if state is LicenseState.PENDING:
                cancelling = self._driver.instructions().cancel_pending(number)
                return refusals.activation_pending(record.declaration, number, cancelling)
        blind = [n for n, state in states.items() if state is not LicenseState.INACTIVE]
        return refusals.not_seen(record.declaration, blind) if blind else None

    def not_left(self, record: MoveRecord) -> Problem | None:
        """Which licenses should have left, and are active or do not show that they are not."""
        server = self._driver.observe()
        held = [
            number
            for number in record.numbers
            if server.installed is False
            or server.license(number).state is not LicenseState.INACTIVE
        ]
        return refusals.not_left(record.declaration, held) if held else None

    def left_unnoticed(self, record: MoveRecord) -> bool:
        """Whether a license of a source was active when it was backed up, and is seen not to be."""
        if not self.sees_licenses():
            return False
        server = self._backups.observed()
        return any(
            entry.state is LicenseState.ACTIVE
            and server.license(entry.number).state is LicenseState.INACTIVE
            for entry in record.backup.licenses
        )

    def rows(self, record: MoveRecord) -> tuple[RuleRow, ...]:
        """The rules for a target, as they are now."""
        return target_rows(record.backup, self._backups.observed(), **record.required)

    def require_codes(self, request: MoveRequest, record: MoveRecord, outline: LegOutline) -> None:
        """Problem for codes that the leg needs and was not brought."""
        missing = tuple(
            n
            for n in codes_needed(outline)
            if n not in request.codes and not self._needs_no_code(record, outline, n)
        )
        if missing:
            raise codes_missing(missing)

    def _needs_no_code(self, record: MoveRecord, outline: LegOutline, number: str) -> bool:
        """It was run before, or is active here already."""
        if record.progress(number).activated == TRIED:
            return True
        if "licenses" in outline.unseen:
            return False
        return self._backups.observed().license(number).state is LicenseState.ACTIVE

    def basis_of_refusal(self, request: MoveRequest, record: MoveRecord, number: str) -> str:
        """Active here, or never to be; Problem where that is open."""
        known = record.progress(number)
        state = LicenseState.UNKNOWN
        if self.sees_licenses():
            state = self._backups.observed().license(number).state
            if state is LicenseState.ACTIVE:
                return Basis.OBSERVED.value
            if state is not LicenseState.INACTIVE:
                raise refusals.undecided(request.declaration, number)
            return RETURNED
        if known.activated == TRIED:
            raise refusals.undecided(request.declaration, number)
        return RETURNED if known.activated is None else known.activated

    def sees_licenses(self) -> bool:
        """Whether the server shows which licenses are active."""
        return self._driver.can("observe_licenses") is Grade.DOCUMENTED
