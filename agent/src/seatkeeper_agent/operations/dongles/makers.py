# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the steps of a migration: those of a new attempt, and again those that the journal has."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from seatkeeper_agent.domain.rules import is_refused
from seatkeeper_agent.domain.servers import ProductSeats
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.dongles.attempts import contradiction_advice, doubt_advice
from seatkeeper_agent.operations.dongles.context import MigrationContext
from seatkeeper_agent.operations.dongles.names import dongle_from
from seatkeeper_agent.operations.dongles.presence import Presence
from seatkeeper_agent.operations.dongles.report import DongleReports, report_view
from seatkeeper_agent.operations.dongles.requests import (
    licenses_from,
    not_eligible,
    operation_id,
    stated_in,
)
from seatkeeper_agent.operations.dongles.steps import (
    TRANSFER,
    Arrive,
    GiveBack,
    Isolate,
    TransferDongle,
    seats_from,
)
from seatkeeper_agent.operations.servers.settings import SwitchDongleService
from seatkeeper_agent.operations.servers.steps import wait_until
from seatkeeper_agent.operations.steps import Makers, Step


@dataclass(frozen=True)
class MigrationSteps:
    """What the steps are made with; ``is_watching`` is asked by an attempt's id."""

    journal: Journal
    reports: DongleReports
    presence: Presence
    means: MigrationContext
    stopping: threading.Event
    is_watching: Callable[[str], bool]

    def planned(self, declaration: dict[str, Any], migration: str) -> tuple[Step, ...]:
        """Those of a new attempt."""
        attempt_id = operation_id(migration, declaration["attempt"])
        user, others = declaration["target_user"], declaration["others"]
        transfer = {"target_user": user, "deadline_seconds": declaration["deadline_seconds"]}
        wanted: list[tuple[str, dict[str, Any]]] = [
            (SwitchDongleService.type, {"enabled": True}),
            (TransferDongle.type, transfer),
        ]
        if others:
            paths = {"paths": others}
            wanted = [(Isolate.type, paths), *wanted, (GiveBack.type, paths)]
        if declaration["licenses"]:
            wanted.append((Arrive.type, {"licenses": declaration["licenses"]}))
        makers = self.makers(declaration, migration, attempt_id)
        return tuple(makers[step_type](arguments) for step_type, arguments in wanted)

    def makers(self, declaration: dict[str, Any], migration: str, attempt_id: str) -> Makers:
        means = self.means

        def before() -> tuple[ProductSeats, ...]:
            return self._licenses_before(attempt_id)

        def arrive(licenses: list[dict[str, Any]]) -> Step:
            return Arrive(means.driver, before, licenses_from(licenses) or (), migration)

        hidden, transfer = (means.isolation, attempt_id), self._transfer
        return {
            Isolate.type: lambda given: Isolate(*hidden, **given),
            GiveBack.type: lambda given: GiveBack(*hidden, **given),
            SwitchDongleService.type: lambda given: SwitchDongleService(means.driver, **given),
            TransferDongle.type: lambda given: transfer(declaration, migration, attempt_id, given),
            Arrive.type: lambda given: arrive(**given),
        }

    def _transfer(
        self,
        declaration: dict[str, Any],
        migration: str,
        attempt_id: str,
        arguments: dict[str, Any],
    ) -> TransferDongle:
        means, dongle = self.means, dongle_from(declaration["dongle"])
        reported, deadline = (
            means.instructions(arguments["target_user"]),
            arguments["deadline_seconds"],
        )
        return TransferDongle(
            driver=means.driver,
            page=means.page,
            dongle=dongle,
            target_user=arguments["target_user"],
            migration_id=migration,
            guidance=replace(
                reported, attestable=True, seconds_max=deadline or reported.seconds_max
            ),
            deadline_seconds=deadline,
            check=lambda: self._check(declaration),
            difference=lambda number: self.presence.difference(dongle, number),
            disturbance=lambda number, enabled: self.presence.disturbance(
                migration, number, enabled, self.is_watching(attempt_id)
            ),
            doubt_advice=doubt_advice(dongle.id, attempt_id),
            contradiction_advice=contradiction_advice(dongle.id, attempt_id),
            seconds_max=means.seconds_max,
            stopping=self.stopping,
        )

    def _check(self, declaration: dict[str, Any]) -> int | None:
        """Look once more when all is prepared, right before the irreversible step."""
        dongle = dongle_from(declaration["dongle"])
        number = self.presence.number(dongle)
        # A dongle shows about a second after its service was switched on.
        wait_until(lambda: bool(self.means.driver.status().dongle_keys))
        rows = self.reports.rows(dongle, False, stated_in(declaration), at_step=True)
        if is_refused(rows):
            raise not_eligible(dongle, report_view(rows))
        return number

    def _licenses_before(self, attempt_id: str) -> tuple[ProductSeats, ...]:
        with self.journal.reading() as unit:
            operation = unit.operations.get(attempt_id)
        steps = operation.steps if operation else ()
        found = [step.baseline for step in steps if step.type == TRANSFER]
        return seats_from(found[0].get("licenses", [])) if found else ()
