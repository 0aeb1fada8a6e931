# SPDX-License-Identifier: GPL-3.0-or-later
"""A dongle whose licenses shall be in an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatkeeper_agent.domain.eligibility import HeldLicense
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.operations.declared.kinds import LOOKED_AT_MAX, NOTHING, Asked, Outcome
from seatkeeper_agent.operations.declared.reading import outcome_of
from seatkeeper_agent.operations.dongles.requests import MigrationRequest

if TYPE_CHECKING:
    from seatkeeper_agent.operations.dongles.migration import MigrationService


def migration_request(
    service: MigrationService, migration: str, declared: dict[str, Any]
) -> MigrationRequest:
    """What is declared; Problem for an id that is not the dongle's."""
    expected = service.identity(declared["dongle"])
    if migration != expected:
        raise Problem(
            ProblemCode.REQUEST_INVALID,
            f"The id {migration} is not that of a migration of the dongle {declared['dongle']!r}.",
            f"Use {expected}.",
        )
    held = declared.get("licenses")
    return MigrationRequest(
        dongle=declared["dongle"],
        target_user=declared["target_user"],
        isolate=declared.get("isolate", False),
        licenses=None if held is None else tuple(HeldLicense(**entry) for entry in held),
        confirmation=declared.get("plan_digest"),
        acknowledgement=declared.get("acknowledgement"),
        deadline_seconds=declared.get("due_after"),
        dongle_company=declared.get("dongle_company"),
        account_company=declared.get("account_company"),
    )


class MigrationKind:
    """Migrations of one vendor's dongles. Irreversible: each plan is confirmed by its digest."""

    name = "dongle_migration"
    schema = "migration-order"
    confirms = "plan_digest"
    secrets: frozenset[str] = frozenset()
    brings = NOTHING

    def __init__(self, migrations: MigrationService) -> None:
        self._migrations = migrations

    def planning(self) -> MigrationKind:
        """Each plan of it is of what is there."""
        return self

    def put(self, asked: Asked) -> Outcome:
        """Migrate, by a browser or a person, once the plan is confirmed."""
        request = migration_request(self._migrations, asked.id, asked.declared)
        answer = self._migrations.put(request, asked.actor, asked.is_dry_run)
        return outcome_of(answer, "migration")

    def look(self) -> list[dict[str, Any]]:
        """What became of every dongle that was to be migrated here."""
        return self._migrations.page("", LOOKED_AT_MAX)
