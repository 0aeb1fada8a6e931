# SPDX-License-Identifier: GPL-3.0-or-later
"""Migrating a dongle's licenses to an account: planned, confirmed, guarded, never tried twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from seatkeeper_agent.domain.eligibility import DONGLE_FAMILY
from seatkeeper_agent.domain.planned_steps import Performer
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import (
    DeclarationKey,
    DeclarationRecord,
    OperationRecord,
)
from seatkeeper_agent.domain.rules import is_refused
from seatkeeper_agent.domain.servers import Dongle
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.dongles.attempts import (
    busy,
    counts,
    has_begun,
    has_ended,
    is_over,
    is_under_way,
    not_given_up,
    problem_of_stop,
    replaced,
    unknown,
)
from seatkeeper_agent.operations.dongles.context import MigrationContext
from seatkeeper_agent.operations.dongles.guard import Guard
from seatkeeper_agent.operations.dongles.known import KnownMigrations
from seatkeeper_agent.operations.dongles.makers import MigrationSteps
from seatkeeper_agent.operations.dongles.names import dongle_from, is_of, name_of
from seatkeeper_agent.operations.dongles.owed import OwedDongles
from seatkeeper_agent.operations.dongles.presence import (
    Presence,
    disturbance_of,
    number_at,
)
from seatkeeper_agent.operations.dongles.report import DongleReports, report_view
from seatkeeper_agent.operations.dongles.requests import (
    KIND,
    MigrationRequest,
    declaration_of,
    dry_answer,
    not_eligible,
    operation_id,
    plan_view,
    require_confirmed,
    stated_in,
)
from seatkeeper_agent.operations.dongles.screenshots import is_kept
from seatkeeper_agent.operations.dongles.steps import (
    MIGRATION,
    TRANSFER,
)
from seatkeeper_agent.operations.dongles.views import answer_view, migration_view
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.server_ports import (
    PageLabelMissing,
)
from seatkeeper_agent.operations.servers.settings import holder_of
from seatkeeper_agent.operations.steps import OperationSpec, work_from

LISTED_MAX = 10_000


class MigrationService:
    """Migrations of this host's dongles. All failures are Problems."""

    def __init__(
        self, journal: Journal, engine: Engine, reports: DongleReports, means: MigrationContext
    ) -> None:
        self._journal = journal
        self._engine = engine
        self._reports = reports
        self._context = means
        self._holder = holder_of(means.driver.vendor)
        self._stopping = threading.Event()
        self._known = KnownMigrations(journal, means.driver.vendor)
        self._owed = OwedDongles(journal, reports, means.isolation)
        self._presence = Presence(journal, reports, means.stop, self._hide_again)
        self._guard = Guard(journal, means.watch, self._look_at_bus)
        self._steps = MigrationSteps(
            journal, reports, self._presence, means, self._stopping, self._guard.is_watching
        )

    @property
    def vendor(self) -> str:
        """Whose server migrates them."""
        return self._context.driver.vendor

    def put(self, request: MigrationRequest, actor: str, dry_run: bool) -> dict[str, Any]:
        """Plan it; or, confirmed, do it, up to where somebody else has to do something."""
        look = self._reports.once()
        known = self._known.meant(request.dongle, look)
        if not dry_run:
            self._owed.give_back()
            self._give_up_unbegun(known, actor)
            look = self._reports.once()
        operation = None if known is None else self._known.attempt(known)
        if known is None or operation is None or not counts(known, operation):
            return self._begin(request, actor, dry_run, None, look)
        self._require_same(request, known)
        if not dry_run and not is_over(operation):
            again = self._engine.run if has_ended(operation) else self._engine.resume
            self._drive(known, again, self._spec_of(known, operation, actor))
        stopped = self._stopped(known)
        if stopped is not None:
            try:
                return self._begin(request, actor, dry_run, stopped, self._reports.once())
            except Problem as problem:
                raise problem_of_stop(problem, self._why_stopped(known)) from None
        return self._answer(known, self._state(known) != operation.state.value)

    def identity(self, dongle: str) -> str:
        """The id of the only migration that a dongle of this name can have."""
        return self._known.identity(dongle)

    def view(self, migration: str) -> dict[str, Any] | None:
        """One migration; None if it was never declared here."""
        with self._journal.reading() as unit:
            record = self._known.named(unit, migration)
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
        known = None if operation is None else self._known.declared_by(operation)
        try:
            if operation is None or known is None:
                return []
            if has_begun(operation):
                spec = self._spec_of(known, operation, actor)
                self._drive(known, self._engine.resume, spec)
                return [operation.id]
            return [operation.id] if self._give_up(operation, actor) else []
        finally:
            self._owed.give_back()

    def attest(
        self, operation: OperationRecord, happened: bool, statement: str, actor: str
    ) -> None:
        """A person's word on what cannot be observed."""
        known = self._known.declared_by(operation)
        if known is None:
            raise unknown(operation.id)
        try:
            spec = self._spec_of(known, operation, operation.actor)
            self._engine.attest(spec, operation, happened, statement, actor)
        finally:
            self._settle(operation.id)

    def give_up(self, migration: str, actor: str, dry_run: bool) -> dict[str, Any]:
        """End a migration that has not come to its irreversible step."""
        with self._journal.reading() as unit:
            known = self._known.named(unit, migration)
        operation = None if known is None else self._open_of(known)
        if known is not None and known.document["outcome"] is not None:
            raise Problem(
                ProblemCode.DONGLE_MIGRATED,
                f"The migration of dongle {known.document['dongle']['id']} is done and cannot be"
                " undone.",
                "Leave the declaration as it is.",
            )
        if operation is not None:
            given_up = not has_begun(operation) if dry_run else self._give_up(operation, actor)
            if not given_up:
                raise not_given_up(operation)
            if not dry_run:
                self._settle(operation.id)
        view = None if known is None else self.view(migration)
        return {"changed": operation is not None, "migration": view}

    def reason_to_stay_off(self) -> str | None:
        """Why a dongle service that is declared on is to be left off now, if it is."""
        if self._open_operation() is not None:
            return "A migration is under way, which decides whether the dongle service is on."
        done = self._known.done()
        if not done:
            return None
        try:
            plugged = [d for d in self._reports.visible() if d.family == DONGLE_FAMILY]
        except Problem:
            return None
        if any(not any(is_of(r.document, entry, plugged) for r in done) for entry in plugged):
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
        self,
        request: MigrationRequest,
        actor: str,
        dry_run: bool,
        stopped: OperationRecord | None,
        look: DongleReports,
    ) -> dict[str, Any]:
        """Plan it by one look, and run what is confirmed; in place of an attempt that was stopped.

        What has an effect looks again before it.
        """
        dongle = look.find(request.dongle)
        held = self._holding()
        if held is not None and (stopped is None or held.id != stopped.id):
            raise busy(dongle.id, held)
        rows = look.rows(dongle, request.isolate, request.stated)
        if is_refused(rows):
            raise not_eligible(dongle, report_view(rows))
        name = name_of(dongle, look.dongles())
        identity = self.identity(name)
        known = self._free(dongle, identity, stopped)
        before = None if known is None else known.document
        others = self._others(request, dongle, stopped, look)
        declaration = declaration_of(request, dongle, name, others, before)
        steps = self._steps.planned(declaration, identity)
        plan = plan_view(look, declaration, steps, rows)
        if dry_run:
            return dry_answer(dongle, rows, plan)
        require_confirmed(request, dongle, plan)
        if stopped is not None:
            self._replace(stopped, actor)
        record = DeclarationRecord(MIGRATION, identity, declaration, 0, 0)

        def declare(unit: Unit) -> None:
            # Others may have begun, and even ended, since it was looked at.
            if unit.declarations.get(MIGRATION, identity) != known:
                raise busy(dongle.id, None)
            unit.declarations.put(MIGRATION, identity, declaration)
            detail = {"target_user": request.target_user, "plan": plan["digest"]}
            unit.audit.append(actor, "confirmed", f"migration of dongle {dongle.id}", detail)

        spec = self._spec(record, actor)
        self._drive(record, lambda spec: self._engine.run(spec, declare), spec)
        return {**self._answer(record, True), "report": report_view(rows)}

    def _free(
        self, dongle: Dongle, identity: str, stopped: OperationRecord | None
    ) -> DeclarationRecord | None:
        """What was declared of the dongle before; Problem if others have begun or done it."""
        with self._journal.reading() as unit:
            known = unit.declarations.get(MIGRATION, identity)
        operation = None if known is None else self._known.attempt(known)
        if known is None or operation is None or not counts(known, operation):
            return known
        if stopped is None or operation.id != stopped.id:
            raise busy(dongle.id, None)
        return known

    def _stopped(self, known: DeclarationRecord) -> OperationRecord | None:
        """The attempt that waits for a person and is not to be gone on with, if it is such."""
        operation = self._known.attempt(known)
        step = None if operation is None else operation.awaited
        if step is None or not self._why_stopped(known):
            return None
        # What the agent itself has clicked is the vendor's, and is not begun anew.
        is_persons = step.type == TRANSFER and step.performer is Performer.PERSON
        return operation if is_persons else None

    def _why_stopped(self, known: DeclarationRecord) -> str:
        with self._journal.reading() as unit:
            record = unit.declarations.get(MIGRATION, known.id)
        return "" if record is None else disturbance_of(record.document) or ""

    def _replace(self, stopped: OperationRecord, actor: str) -> None:
        """A person has said that it was not begun; what is seen by now is more than a word."""
        self._guard.end(stopped.id)
        self._engine.give_up(
            stopped.id, self._holder, replaced(stopped), actor, lambda held: held.awaited is None
        )
        self._owed.give_back()

    def _others(
        self,
        request: MigrationRequest,
        chosen: Dongle,
        stopped: OperationRecord | None,
        look: DongleReports,
    ) -> list[str]:
        """What is to be hidden, of which the attempt that was stopped may have hidden some."""
        if not request.isolate:
            return []
        known = None if stopped is None else self._known.declared_by(stopped)
        hidden = [] if known is None else known.document["others"]
        return [
            entry.path
            for entry in look.dongles()
            if entry.family == DONGLE_FAMILY
            and entry.path != chosen.path
            and (entry.authorized is not False or entry.path in hidden)
        ]

    def _spec(self, record: DeclarationRecord, actor: str) -> OperationSpec:
        return OperationSpec(
            operation_id(record.id, record.document["attempt"]),
            KIND,
            f"dongle {record.document['dongle']['id']}",
            None,
            self._holder,
            actor,
            self._steps.planned(record.document, record.id),
            DeclarationKey(MIGRATION, record.id),
        )

    def _spec_of(
        self, record: DeclarationRecord, operation: OperationRecord, actor: str
    ) -> OperationSpec:
        makers = self._steps.makers(record.document, record.id, operation.id)
        return work_from(operation, makers, actor)

    def _drive(
        self, record: DeclarationRecord, run: Callable[[OperationSpec], object], spec: OperationSpec
    ) -> None:
        """Run it with an eye on the bus; what is owed is given back whenever it has ended."""
        if not self._guard.watch(spec.id, spec.subject):
            self._hide_again(spec.id)
        try:
            run(spec)
        except Problem as problem:
            raise self._with_report(problem, record) from problem.__cause__
        finally:
            self._settle(spec.id)

    def _settle(self, attempt_id: str) -> None:
        with self._journal.reading() as unit:
            operation = unit.operations.get(attempt_id)
        if has_ended(operation):
            self._guard.end(attempt_id)
        self._owed.give_back()

    def _look_at_bus(self, attempt_id: str) -> None:
        """Others that came back are hidden again; what is otherwise then is written down."""
        found = self._hide_again(attempt_id)
        if found is None:
            return
        known, operation = found
        status = self._reports.status()
        enabled = None if status is None else status.dongle_service
        is_watched = self._guard.is_watching(attempt_id)
        # Where nobody can see the bus nothing is concluded; the next look may see it.
        with suppress(Problem):
            self._presence.disturbance(known.id, number_at(operation), enabled, is_watched)

    def _hide_again(self, attempt_id: str) -> tuple[DeclarationRecord, OperationRecord] | None:
        """Others that came back; gives what is under way, if it is."""
        with self._journal.reading() as unit:
            operation = unit.operations.get(attempt_id)
        known = None
        if operation is not None and is_under_way(operation):
            known = self._known.declared_by(operation)
        if operation is None or known is None:
            return None
        self._owed.hide_again(operation, known.document)
        return known, operation

    def _require_same(self, request: MigrationRequest, known: DeclarationRecord) -> None:
        if known.document["target_user"] != request.target_user:
            raise Problem(
                ProblemCode.DONGLE_MIGRATED,
                f"The dongle {known.document['dongle']['id']} was migrated, or is being migrated,"
                f" to {known.document['target_user']}, not to {request.target_user}.",
                "Declare that user; a migration cannot be undone.",
            )

    def _holding(self) -> OperationRecord | None:
        with self._journal.reading() as unit:
            return unit.operations.holding(self._holder)

    def _open_operation(self) -> OperationRecord | None:
        operation = self._holding()
        return operation if operation is not None and operation.kind == KIND else None

    def _open_of(self, known: DeclarationRecord) -> OperationRecord | None:
        operation = self._known.attempt(known)
        return None if has_ended(operation) else operation

    def _give_up_unbegun(self, known: DeclarationRecord | None, actor: str) -> None:
        """What was interrupted before its irreversible step needs a new confirmation."""
        operation = None if known is None else self._open_of(known)
        if operation is not None and not has_begun(operation) and self._give_up(operation, actor):
            self._settle(operation.id)

    def _give_up(self, operation: OperationRecord, actor: str) -> bool:
        """End it; False when it has come to its irreversible step, or has ended, by now."""
        problem = Problem(
            ProblemCode.RUNTIME_UNFINISHED,
            f"The migration of {operation.subject} ended before its irreversible step.",
            "Plan and confirm it anew.",
        )
        return self._engine.give_up(operation.id, self._holder, problem, actor, has_begun)

    def _state(self, known: DeclarationRecord) -> str | None:
        view = self.view(known.id)
        return None if view is None else view["state"]

    def _with_report(self, problem: Problem, record: DeclarationRecord) -> Problem:
        """A page without TRANSFER gives no reason: show every rule, and what the page showed."""
        cause = problem.__cause__
        if not isinstance(cause, PageLabelMissing):
            return problem
        dongle = dongle_from(record.document["dongle"])
        facts = {**problem.facts, "label": cause.label}
        with suppress(Problem):
            rows = self._reports.rows(dongle, False, stated_in(record.document))
            facts |= report_view(rows)
        if cause.screenshot is not None:
            path = self._context.screenshot_folder / f"{record.id}-{record.document['attempt']}.png"
            if is_kept(path, cause.screenshot):
                facts["screenshot"] = str(path)
        return Problem(problem.code, problem.detail, problem.next_action, facts)

    def _answer(self, known: DeclarationRecord, changed: bool) -> dict[str, Any]:
        with self._journal.reading() as unit:
            return answer_view(unit, unit.declarations.get(MIGRATION, known.id) or known, changed)
