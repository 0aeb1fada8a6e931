# SPDX-License-Identifier: GPL-3.0-or-later
"""The migrations that were declared here, and by which names a dongle is the same one in all runs.

A serial number names a dongle for ever, in whatever port it is. A port's path names what was
plugged there when it was declared, for as long as that is under way or done: also when it was
unplugged meanwhile, as it should be, and when something else is plugged there by then.
"""

from __future__ import annotations

from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.records import DeclarationRecord, OperationRecord
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.dongles.attempts import counts
from seatkeeper_agent.operations.dongles.names import is_of, names_of
from seatkeeper_agent.operations.dongles.report import DongleReports
from seatkeeper_agent.operations.dongles.requests import migration_id, operation_id
from seatkeeper_agent.operations.dongles.steps import MIGRATION

LISTED_MAX = 10_000


class KnownMigrations:
    """Looks declared migrations of one vendor's dongles up."""

    def __init__(self, journal: Journal, vendor: str) -> None:
        self._journal = journal
        self._vendor = vendor

    def identity(self, name: str) -> str:
        """The id of the only migration that a dongle of this name can have."""
        return migration_id(self._vendor, name)

    def meant(self, name: str, look: DongleReports) -> DeclarationRecord | None:
        """The migration that a declaration of this name is about, if it was declared before."""
        try:
            plugged = look.dongles()
        except Problem:
            plugged = []
        here = [entry for entry in plugged if name in (entry.serial, entry.path)]
        with self._journal.reading() as unit:
            for record in unit.declarations.page(MIGRATION, "", LISTED_MAX):
                last = unit.operations.get(_last_id(record))
                if name in names_of(record.document) and last is not None and counts(record, last):
                    return record
                if len(here) == 1 and is_of(record.document, here[0], plugged):
                    return record
            return unit.declarations.get(MIGRATION, self.identity(name))

    def named(self, unit: Unit, migration: str) -> DeclarationRecord | None:
        """The migration of this id, or of an id that one of its other names gives."""
        found = unit.declarations.get(MIGRATION, migration)
        if found is not None:
            return found
        return next(
            (
                record
                for record in unit.declarations.page(MIGRATION, "", LISTED_MAX)
                if migration in map(self.identity, names_of(record.document))
            ),
            None,
        )

    def declared_by(self, operation: OperationRecord) -> DeclarationRecord | None:
        """The migration that an operation is the last attempt at."""
        with self._journal.reading() as unit:
            record = unit.declarations.get(MIGRATION, operation.declared_id)
        return record if record is not None and _last_id(record) == operation.id else None

    def attempt(self, record: DeclarationRecord) -> OperationRecord | None:
        """The operation of its last attempt."""
        with self._journal.reading() as unit:
            return unit.operations.get(_last_id(record))

    def done(self) -> list[DeclarationRecord]:
        """Those whose licenses are in an account."""
        with self._journal.reading() as unit:
            records = unit.declarations.page(MIGRATION, "", LISTED_MAX)
        return [record for record in records if record.document["outcome"] is not None]


def _last_id(record: DeclarationRecord) -> str:
    return operation_id(record.id, record.document["attempt"])
