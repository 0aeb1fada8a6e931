# SPDX-License-Identifier: GPL-3.0-or-later
"""Migrating a dongle's licenses to an account: planned, confirmed, guarded, never tried twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seatkeeper_agent.domain.eligibility import DONGLE_FAMILY
from seatkeeper_agent.domain.plans import Instructions
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import (
    DeclarationRecord,
    OperationRecord,
    OperationState,
    StepState,
)
from seatkeeper_agent.domain.rules import is_refused
from seatkeeper_agent.domain.servers import (
    Dongle,
    IsolationError,
    ProductSeats,
)
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.dongles.guard import Guard
from seatkeeper_agent.operations.dongles.plan import (
    KIND,
    MigrationOrder,
    declaration_of,
    dongle_from,
    licenses_from,
    migration_id,
    not_eligible,
    operation_id,
    plan_view,
    require_confirmed,
)
from seatkeeper_agent.operations.dongles.report import DongleReports, report_view
from seatkeeper_agent.operations.dongles.steps import (
    ISOLATION,
    MIGRATION,
    Arrive,
    GiveBack,
    Isolate,
    TransferDongle,
    seats_from,
)
from seatkeeper_agent.operations.dongles.views import answer_view, migration_view
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.server_ports import (
    IsolationPort,
    LicenseServerDriver,
    PageDriver,
    PageLabelMissing,
)
from seatkeeper_agent.operations.servers.settings import SwitchDongleService, holder_of
from seatkeeper_agent.operations.servers.steps import wait_until
from seatkeeper_agent.operations.steps import Step, Work

LISTED_MAX = 10_000


@dataclass(frozen=True)
class MigrationMeans:
    """What a migration is done with; ``page`` is None where a person works on the page."""

    driver: LicenseServerDriver
    page: PageDriver | None
    isolation: IsolationPort
    instructions: Callable[[str], Instructions]
    watch: Callable[[Callable[[list[Dongle], list[Dongle]], None]], AbstractContextManager[object]]
    screenshot_folder: Path
    seconds_max: float


class MigrationService:
    """Migrations of this host's dongles. All failures are Problems."""

    def __init__(
        self, journal: Journal, engine: Engine, reports: DongleReports, means: MigrationMeans
    ) -> None:
        self._journal = journal
        self._engine = engine
        self._reports = reports
        self._means = means
        self._holder = holder_of(means.driver.vendor)
        self._stopping = threading.Event()
        self._guard = Guard(journal, means.watch)

    def put(self, order: MigrationOrder, actor: str, dry_run: bool) -> dict[str, Any]:
        """Plan it; or, confirmed, do it, up to where somebody else has to do something."""
        known = self._known(order)
        if known is not None and known.document["outcome"] is not None:
            self._require_same(order, known)
            if self._open_operation() is None or dry_run:
                return self._answer(known, False)
        running = None if known is None else self._open_of(known)
        if known is not None and running is not None:
            self._require_same(order, known)
            before = running.state
            if not dry_run:
                self._drive(known, actor)
            return self._answer(known, self._state(known) != before.value)
        return self._begin(order, known, actor, dry_run)

    def view(self, migration: str) -> dict[str, Any] | None:
        """One migration; None if it was never declared here."""
        with self._journal.reading() as unit:
            record = unit.declarations.get(MIGRATION, migration)
            return None if record is None else migration_view(unit, record)

    def page(self, after: str, limit: int) -> list[dict[str, Any]]:
        """Migrations in the order of their ids."""
        with self._journal.reading() as unit:
            records = unit.declarations.page(MIGRATION, after, limit)
            return [migration_view(unit, record) for record in records]

    def resume(self, actor: str) -> list[str]:
        """Take up what was interrupted, and give back what is owed.

        What had not come to the irreversible step is given up: who confirmed it did so for the
        state of that moment.
        """
        operation = self._open_operation()
        known = None if operation is None else self._declared_by(operation)
        try:
            if operation is None or known is None:
                return []
            if _has_begun(operation):
                self._drive(known, actor)
            else:
                self._give_up(operation, actor)
            return [operation.id]
        finally:
            self._settle_isolation()

    def attest(
        self, operation: OperationRecord, happened: bool, statement: str, actor: str
    ) -> None:
        """A person's word on what cannot be observed."""
        known = self._declared_by(operation)
        if known is None:
            raise _unknown(operation.id)
        try:
            self._engine.attest(self._work(known, operation.actor), happened, statement, actor)
        finally:
            self._settle(operation.id)

    def give_up(self, migration: str, actor: str, dry_run: bool) -> dict[str, Any]:
        """End a migration that has not come to its irreversible step."""
        with self._journal.reading() as unit:
            known = unit.declarations.get(MIGRATION, migration)
        operation = None if known is None else self._open_of(known)
        if known is not None and known.document["outcome"] is not None:
            raise Problem(
                ProblemCode.DONGLE_MIGRATED,
                f"The migration of dongle {known.document['dongle']['id']} is done and cannot be"
                " undone.",
                "Leave the declaration as it is.",
            )
        if operation is not None and not dry_run:
            self._give_up(operation, actor)
            self._settle(operation.id)
        view = None if known is None else self.view(migration)
        return {"changed": operation is not None, "migration": view}

    def reason_to_stay_off(self) -> str | None:
        """Why a dongle service that is declared on is to be left off now, if it is."""
        if self._open_operation() is not None:
            return "A migration is under way, which decides whether the dongle service is on."
        with self._journal.reading() as unit:
            records = unit.declarations.page(MIGRATION, "", LISTED_MAX)
        done = {r.document["dongle"]["id"] for r in records if r.document["outcome"] is not None}
        if not done:
            return None
        try:
            plugged = [d for d in self._reports.visible() if d.family == DONGLE_FAMILY]
        except Problem:
            return None
        if any(dongle.id not in done for dongle in plugged):
            return None
        return (
            "The vendor switched the dongle service off after a migration; it is switched on"
            " again when a dongle that was not migrated is plugged."
        )

    def close(self) -> None:
        """Stop looking; what waits goes on at the next start."""
        self._stopping.set()
        self._guard.close()

    def _begin(
        self, order: MigrationOrder, known: DeclarationRecord | None, actor: str, dry_run: bool
    ) -> dict[str, Any]:
        dongle = self._reports.find(order.dongle)
        rows = self._reports.rows(dongle, order.isolate, order.licenses, order.target_user)
        attempt = 1 if known is None else known.document["attempt"] + 1
        declaration = declaration_of(order, dongle, attempt, self._others(order, dongle))
        steps = self._steps(declaration, migration_id(self._means.driver.vendor, dongle.id))
        plan = plan_view(self._reports, declaration, steps)
        refused = is_refused(rows)
        if dry_run:
            return {
                "changed": not refused,
                "before": {"dongle": dongle.id, "migrated": False},
                "after": {"dongle": dongle.id, "migrated": not refused},
                "report": report_view(rows),
                "plan": plan,
                "migration": None,
                "operation": None,
                "waiting": [],
            }
        if refused:
            raise not_eligible(dongle, report_view(rows))
        require_confirmed(order, dongle, plan)
        record = self._declare(declaration, dongle, actor, plan["digest"])
        self._drive(record, actor)
        return {**self._answer(record, True), "report": report_view(rows)}

    def _others(self, order: MigrationOrder, chosen: Dongle) -> list[str]:
        if not order.isolate:
            return []
        return [
            entry.path
            for entry in self._reports.visible()
            if entry.family == DONGLE_FAMILY and entry.path != chosen.path
        ]

    def _steps(self, declaration: dict[str, Any], migration: str) -> tuple[Step, ...]:
        means = self._means
        dongle = dongle_from(declaration["dongle"])
        attempt_id = operation_id(migration, declaration["attempt"])
        others = tuple(declaration["others"])
        hide = Isolate(means.isolation, others, attempt_id)
        give_back = GiveBack(means.isolation, others, attempt_id)
        told = means.instructions(declaration["target_user"])
        transfer = TransferDongle(
            driver=means.driver,
            page=means.page,
            dongle=dongle,
            target_user=declaration["target_user"],
            migration_id=migration,
            told=Instructions(
                told.steps,
                told.verified_by,
                attestable=True,
                seconds_max=declaration["deadline_seconds"] or told.seconds_max,
            ),
            check=lambda: self._check(declaration),
            is_alone=lambda: self._is_alone(dongle),
            seconds_max=means.seconds_max,
            stopping=self._stopping,
            may_have_clicked=self._was_begun(attempt_id),
        )
        steps: list[Step] = [SwitchDongleService(means.driver, True), transfer]
        if others:
            steps = [hide, *steps, give_back]
        if declaration["licenses"]:
            products = tuple(entry["product"] for entry in declaration["licenses"])
            before = lambda: self._licenses_before(attempt_id)  # noqa: E731
            steps.append(Arrive(means.driver, before, products))
        return tuple(steps)

    def _work(self, record: DeclarationRecord, actor: str) -> Work:
        return Work(
            operation_id(record.id, record.document["attempt"]),
            KIND,
            f"dongle {record.document['dongle']['id']}",
            None,
            self._holder,
            actor,
            self._steps(record.document, record.id),
        )

    def _drive(self, record: DeclarationRecord, actor: str) -> None:
        """Run it with an eye on the bus; what is owed is given back whenever it has ended."""
        work = self._work(record, actor)
        self._guard.watch(work.id, work.subject)
        try:
            self._engine.run(work)
        except Problem as problem:
            raise self._with_report(problem, record) from problem.__cause__
        finally:
            self._settle(work.id)

    def _settle(self, attempt_id: str) -> None:
        with self._journal.reading() as unit:
            operation = unit.operations.get(attempt_id)
        if operation is None or operation.state in (OperationState.DONE, OperationState.FAILED):
            self._guard.close()
        self._settle_isolation()

    def _settle_isolation(self) -> None:
        """Give back what operations that have ended still owe."""
        with self._journal.reading() as unit:
            owed = unit.declarations.page(ISOLATION, "", LISTED_MAX)
            ended = [record for record in owed if _has_ended(unit.operations.get(record.id))]
        for record in ended:
            try:
                self._means.isolation.give_back(record.document["paths"])
            except IsolationError as error:
                raise Problem(
                    ProblemCode.ISOLATION_FAILED,
                    f"Dongles that were hidden for a migration are hidden still: {error}",
                    "Mend the cause and run again, or unplug and plug them.",
                ) from error
            with self._journal.transaction() as unit:
                unit.declarations.remove(ISOLATION, record.id)
                unit.audit.append("agent", "given_back", f"operation {record.id}", record.document)

    def _check(self, declaration: dict[str, Any]) -> None:
        """Look once more when all is prepared, right before the irreversible step."""
        dongle = self._reports.find(declaration["dongle"]["id"])
        licenses = licenses_from(declaration["licenses"])
        # A dongle shows about a second after its service was switched on.
        wait_until(lambda: bool(self._means.driver.status().dongle_keys))
        rows = self._reports.rows(dongle, False, licenses)
        if is_refused(rows):
            raise not_eligible(dongle, report_view(rows))

    def _is_alone(self, chosen: Dongle) -> bool:
        try:
            seen = [entry for entry in self._reports.visible() if entry.family == DONGLE_FAMILY]
        except Problem:
            return False
        return [entry.id for entry in seen] == [chosen.id]

    def _was_begun(self, attempt_id: str) -> bool:
        with self._journal.reading() as unit:
            operation = unit.operations.get(attempt_id)
        return operation is not None and _has_begun(operation)

    def _licenses_before(self, attempt_id: str) -> tuple[ProductSeats, ...]:
        with self._journal.reading() as unit:
            operation = unit.operations.get(attempt_id)
        steps = operation.steps if operation else ()
        found = [step.baseline for step in steps if step.name == "transfer"]
        return seats_from(found[0].get("licenses", [])) if found else ()

    def _declare(
        self, declaration: dict[str, Any], dongle: Dongle, actor: str, confirmed: str
    ) -> DeclarationRecord:
        migration = migration_id(self._means.driver.vendor, dongle.id)
        with self._journal.transaction() as unit:
            unit.declarations.put(MIGRATION, migration, declaration)
            detail = {"target_user": declaration["target_user"], "plan": confirmed}
            unit.audit.append(actor, "confirmed", f"migration of dongle {dongle.id}", detail)
            record = unit.declarations.get(MIGRATION, migration)
        if record is None:
            raise LookupError(f"the migration {migration} was not written")
        return record

    def _known(self, order: MigrationOrder) -> DeclarationRecord | None:
        """By the dongle's serial number, also when it is no longer plugged."""
        with self._journal.reading() as unit:
            found = unit.declarations.get(
                MIGRATION, migration_id(self._means.driver.vendor, order.dongle)
            )
            if found is not None:
                return found
        try:
            dongle = self._reports.find(order.dongle)
        except Problem:
            return None
        with self._journal.reading() as unit:
            return unit.declarations.get(
                MIGRATION, migration_id(self._means.driver.vendor, dongle.id)
            )

    def _require_same(self, order: MigrationOrder, known: DeclarationRecord) -> None:
        if known.document["target_user"] != order.target_user:
            raise Problem(
                ProblemCode.DONGLE_MIGRATED,
                f"The dongle {known.document['dongle']['id']} was migrated, or is being migrated,"
                f" to {known.document['target_user']}, not to {order.target_user}.",
                "Declare that user; a migration cannot be undone.",
            )

    def _open_operation(self) -> OperationRecord | None:
        with self._journal.reading() as unit:
            operation = unit.operations.holding(self._holder)
        return operation if operation is not None and operation.kind == KIND else None

    def _open_of(self, known: DeclarationRecord) -> OperationRecord | None:
        operation = self._open_operation()
        own = operation_id(known.id, known.document["attempt"])
        return operation if operation is not None and operation.id == own else None

    def _declared_by(self, operation: OperationRecord) -> DeclarationRecord | None:
        with self._journal.reading() as unit:
            for record in unit.declarations.page(MIGRATION, "", LISTED_MAX):
                if operation_id(record.id, record.document["attempt"]) == operation.id:
                    return record
        return None

    def _give_up(self, operation: OperationRecord, actor: str) -> None:
        problem = Problem(
            ProblemCode.RUNTIME_UNFINISHED,
            f"The migration of {operation.subject} ended before its irreversible step.",
            "Plan and confirm it anew.",
        )
        if not self._engine.give_up(operation.id, self._holder, problem, actor, "transfer"):
            raise Problem(
                ProblemCode.IN_DOUBT,
                f"The migration of {operation.subject} may have been begun on the server's page.",
                f"If it was not, have a migrator attest the operation {operation.id} as not done.",
                {"operation": operation.id},
            )

    def _state(self, known: DeclarationRecord) -> str | None:
        view = self.view(known.id)
        return None if view is None else view["state"]

    def _with_report(self, problem: Problem, record: DeclarationRecord) -> Problem:
        """A page without TRANSFER gives no reason: show every rule, and what the page showed."""
        cause = problem.__cause__
        if not isinstance(cause, PageLabelMissing):
            return problem
        dongle = dongle_from(record.document["dongle"])
        rows = self._reports.rows(dongle, False, licenses_from(record.document["licenses"]))
        facts = {**problem.facts, "label": cause.label, **report_view(rows)}
        if cause.screenshot is not None:
            folder = self._means.screenshot_folder
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / f"{record.id}-{record.document['attempt']}.png"
            path.write_bytes(cause.screenshot)
            facts["screenshot"] = str(path)
        return Problem(problem.code, problem.detail, problem.next_action, facts)

    def _answer(self, known: DeclarationRecord, changed: bool) -> dict[str, Any]:
        with self._journal.reading() as unit:
            return answer_view(unit, unit.declarations.get(MIGRATION, known.id) or known, changed)


def _has_begun(operation: OperationRecord) -> bool:
    """Whether the irreversible step was ever intended."""
    return any(
        step.name == "transfer" and step.state is not StepState.PLANNED for step in operation.steps
    )


def _has_ended(operation: OperationRecord | None) -> bool:
    return operation is None or operation.state in (OperationState.DONE, OperationState.FAILED)


def _unknown(operation: str) -> Problem:
    return Problem(
        ProblemCode.OPERATION_UNKNOWN,
        f"The operation {operation} belongs to no migration on this host.",
        "Look at the list of operations.",
    )
