# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups of a license server: what another machine needs to become it, without any secret."""

from __future__ import annotations

from typing import Any

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.server_moves import (
    BackedUpLicense,
    MovableServer,
    ServerBackup,
    back_up,
)
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.engine import driver_problem
from seatkeeper_agent.operations.ports import DriverError
from seatkeeper_agent.operations.server_moves.documents import backup_digest
from seatkeeper_agent.operations.server_moves.ports import ServerMoveDriver
from seatkeeper_agent.operations.views import moment

BACKUP = "server_backup"


class BackupService:
    """The backup of one vendor's license server on this host. All failures are Problems."""

    def __init__(self, journal: Journal, driver: ServerMoveDriver, server: str) -> None:
        self._journal = journal
        self._driver = driver
        self._server = server

    def read(self) -> ServerBackup | None:
        """The one that was made last."""
        with self._journal.reading() as unit:
            found = unit.declarations.get(BACKUP, self._driver.vendor)
        return None if found is None else ServerBackup.from_document(found.document)

    def put(
        self, licenses: tuple[BackedUpLicense, ...], actor: str, dry_run: bool
    ) -> dict[str, Any]:
        """Make one; a server that is as it was keeps the one that it has."""
        known = self.read()
        made = self.made(licenses, known)
        if not dry_run and made != known:
            with self._journal.transaction() as unit:
                self.keep(unit, made, actor)
        return {
            "changed": made != known,
            "before": {"made_at": None if known is None else known.made_at},
            "after": {"made_at": made.made_at},
            "backup": made.as_document(),
        }

    def made(
        self, licenses: tuple[BackedUpLicense, ...], known: ServerBackup | None
    ) -> ServerBackup:
        """What the server is now, as declared and as seen; ``known`` where nothing has changed."""
        seen = self.observed()
        if seen.installed is False:
            raise Problem(
                ProblemCode.RUNTIME_UNAVAILABLE,
                f"No license server of {self._driver.vendor} is installed on this host.",
                "Back up on the host that has it, or correct the agent's settings.",
            )
        with self._journal.reading() as unit:
            made_at = moment(unit.now) or ""
        try:
            settings = self._driver.settings()
            made = back_up(self._driver.vendor, self._server, made_at, seen, licenses, settings)
        except ValueError as error:
            raise Problem(
                ProblemCode.BACKUP_CONTRADICTED,
                f"What is declared of the license server is not what it shows: {error}.",
                "Correct the declaration, or look at the server; nothing was written.",
            ) from error
        if known is not None and backup_digest(known) == backup_digest(made):
            return known
        return made

    def keep(self, unit: Unit, backup: ServerBackup, actor: str) -> None:
        """Remember it as the last one."""
        unit.declarations.put(BACKUP, self._driver.vendor, backup.as_document())
        detail = {"backup": backup_digest(backup)}
        unit.audit.append(actor, "backed_up", f"server of {self._driver.vendor}", detail)

    def observed(self) -> MovableServer:
        """What the server shows; Problem for one that cannot be looked at."""
        try:
            return self._driver.observe()
        except DriverError as error:
            raise driver_problem("looking at the license server", error) from error
