# SPDX-License-Identifier: GPL-3.0-or-later
"""A license server's move, leg by leg: each idempotent, any prefix of them may have run already."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import (
    DeclarationKey,
    MoveDocument,
    OperationRecord,
    OperationState,
)
from seatkeeper_agent.domain.rules import RuleRow, is_refused
from seatkeeper_agent.domain.server_move_legs import MoveDeclaration, MoveLeg, MoveState
from seatkeeper_agent.domain.server_moves import BackedUpLicense
from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.domain.transfers import Side
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.in_the_way import require_unheld
from seatkeeper_agent.operations.ports import Description, Grade
from seatkeeper_agent.operations.server_moves import records, refusals
from seatkeeper_agent.operations.server_moves.answers import Answers
from seatkeeper_agent.operations.server_moves.attempts import (
    has_begun,
    has_released,
    is_open,
    marks,
    program_reports,
)
from seatkeeper_agent.operations.server_moves.backups import BackupService
from seatkeeper_agent.operations.server_moves.checks import ServerChecks
from seatkeeper_agent.operations.server_moves.closing import close_leg
from seatkeeper_agent.operations.server_moves.documents import (
    RETURNED,
    backup_digest,
    seal_move,
)
from seatkeeper_agent.operations.server_moves.evidence import MoveEvidence
from seatkeeper_agent.operations.server_moves.leg_steps import (
    VOID,
    MoveRequest,
    StepContext,
    makers_of,
    needs_confirmation,
    outline_of,
    plan_view,
    steps_of,
    warnings_of,
)
from seatkeeper_agent.operations.server_moves.legs import (
    ENDS,
    GIVES,
    GOES_ON,
    HOLDING,
    OVER,
    PAST,
    STARTS,
)
from seatkeeper_agent.operations.server_moves.ports import ServerMoveDriver
from seatkeeper_agent.operations.server_moves.received import ReceivedDocuments
from seatkeeper_agent.operations.server_moves.records import (
    KIND,
    LegOutline,
    MoveRecord,
    operation_id,
)
from seatkeeper_agent.operations.server_moves.steps import MAINTENANCE
from seatkeeper_agent.operations.servers.settings import holder_of
from seatkeeper_agent.operations.steps import OperationSpec, work_from


class MoveService:
    """Moves of one vendor's license server from or to this host. All failures are Problems."""

    def __init__(
        self,
        journal: Journal,
        engine: Engine,
        driver: ServerMoveDriver,
        identity: Identity,
        backups: BackupService,
    ) -> None:
        self._journal = journal
        self._engine = engine
        self._driver = driver
        self._identity = identity
        self._backups = backups
        self._checks = ServerChecks(journal, driver, backups)
        self._answers = Answers(journal, driver, backups)
        self._received = ReceivedDocuments(journal, identity, backups, driver.vendor)
        self._evidence = MoveEvidence(journal, identity)
        self._holder = holder_of(driver.vendor)

    @property
    def vendor(self) -> str:
        """Whose server moves."""
        return self._driver.vendor

    def describe(self) -> Description:
        """The vendor and what is done by whom."""
        return self._driver.describe()

    # The legs --------------------------------------------------------------------------

    def run(self, request: MoveRequest, dry_run: bool) -> dict[str, Any]:
        """Bring a leg to its end or to where somebody has to act; or only plan it."""
        refusals.require_own(request, self.vendor, self._identity.name)
        record = self._find(request.declaration.id)
        refusals.require_same(request, record)
        if request.leg is MoveLeg.BACKUP:
            return self._back_up(request, record, dry_run)
        self._evidence.require(request, record, is_run=not dry_run)
        operation = None if record is None else self._answers.operation(record)
        if record is not None and is_open(operation) and not _is_past(request, record):
            return self._go_on(request, record, dry_run)
        if request.refuse:
            return self._refuse(request, record, dry_run)
        if record is not None and _is_past(request, record):
            return self._past(request, record)
        if request.leg is MoveLeg.PREPARE and record is not None:
            same = record.state is MoveState.PREPARED and self._is_same(request, record)
            if same:
                return self._still_prepared(request, record)
        return self._begin(request, record, dry_run)

    def back_up(
        self, licenses: tuple[BackedUpLicense, ...], actor: str, dry_run: bool
    ) -> dict[str, Any]:
        """A backup besides any move; not while one has changed the server."""
        with self._journal.reading() as unit:
            for record in records.in_states(unit, HOLDING):
                raise refusals.moving(record)
        return self._backups.put(licenses, actor, dry_run)

    def give_up(self, move: str, actor: str, dry_run: bool) -> dict[str, Any]:
        """End a move of which nothing has left the source, or which the target shall forget."""
        record = self._find(move)
        if record is None:
            raise refusals.unknown(move)
        if record.state is MoveState.VOID:
            return self._answers.answer(record, record.state, changed=False)
        operation = self._answers.operation(record)
        voiding = is_open(operation) and record.outline is not None and record.outline.leg == VOID
        if not voiding:
            self._require_unreleased(record, operation)
        if dry_run:
            self._require_unheld(record, record.declaration)
            return self._answers.answer(record, record.state, changed=True, after=MoveState.VOID)
        before = record.state
        if voiding:
            self._resume(record, {}, actor)
        else:
            self._void(record, operation, actor)
        after = self._present(move)
        return self._answers.answer(after, before, changed=True)

    def known(self, move: str) -> MoveRecord | None:
        """What the journal has of a move."""
        return self._find(move)

    def view(self, move: str) -> dict[str, Any] | None:
        """One move with what is seen now; None for one that this host does not know."""
        record = self._find(move)
        if record is None:
            return None
        return self._answers.view(record, self._answers.observation([record]))

    def page(self, after: str, limit: int) -> list[dict[str, Any]]:
        """Moves in the order of their ids; the server is looked at once where one is open."""
        return self._answers.page(after, limit)

    def orphaned(self) -> list[dict[str, Any]]:
        """The licenses of open moves that are active nowhere, or may be, with the move's name."""
        return self._answers.orphaned()

    def resume(self, actor: str) -> list[str]:
        """Take up what was interrupted or waits; codes are kept nowhere, so they may be missing.

        What was interrupted before anything was done is given up: it is planned anew.
        """
        with self._journal.reading() as unit:
            operation = unit.operations.holding(self._holder)
        if operation is None or operation.kind != KIND:
            return []
        if operation.state is OperationState.IN_DOUBT:
            return []
        record = self._record_of(operation)
        if not has_begun(operation):
            problem = refusals.interrupted(record.declaration)
            self._engine.give_up(operation.id, self._holder, problem, actor, has_begun)
            return []
        spec = self._spec_of(record, operation, {}, operation.actor)
        resumed = self._engine.resume(spec)
        return [] if resumed is None else [operation.id]

    def attest(
        self, operation: OperationRecord, happened: bool, statement: str, actor: str
    ) -> None:
        """A person's word on what cannot be observed."""
        record = self._record_of(operation)
        spec = self._spec_of(record, operation, {}, operation.actor)
        try:
            self._engine.attest(spec, operation, happened, statement, actor)
        except Problem as problem:
            # The word was taken; what comes next needs codes, and the next run brings them.
            if problem.code is not ProblemCode.CODES_MISSING:
                raise

    # Backup ----------------------------------------------------------------------------

    def _back_up(
        self, request: MoveRequest, record: MoveRecord | None, dry_run: bool
    ) -> dict[str, Any]:
        fresh = (MoveState.BACKED_UP, MoveState.VOID)
        if record is not None and record.state not in fresh:
            return self._past(request, record)
        if request.declaration.source_lost:
            raise refusals.no_source(request.declaration)
        if request.licenses is None:
            raise refusals.needs(request, "the licenses of the server with their profiles")
        known = None if record is None else record.backup
        made = self._backups.made(request.licenses, known)
        before = MoveState.NONE if record is None else record.state
        changed = made != known or before is not MoveState.BACKED_UP
        if changed and dry_run:
            with self._journal.reading() as unit:
                self._require_unchanged(unit, record, request.declaration)
        after = MoveRecord(request.declaration, Side.SOURCE, MoveState.BACKED_UP, made)
        if record is not None:
            after = record.advanced(MoveState.BACKED_UP, backup=made, licenses={})
        if changed and not dry_run:
            with self._journal.transaction() as unit:
                self._require_unchanged(unit, record, request.declaration)
                records.put(unit, after)
                self._backups.keep(unit, made, request.actor)
            after = self._present(request.declaration.id)
        shown = None if dry_run and record is None else after
        planned = MoveState.BACKED_UP if dry_run else None
        answer = self._answers.answer(shown, before, changed, after=planned)
        return {**answer, "backup": made.as_document()}

    # Beginning a leg ---------------------------------------------------------------------

    def _begin(
        self, request: MoveRequest, known: MoveRecord | None, dry_run: bool
    ) -> dict[str, Any]:
        before = MoveState.NONE if known is None else known.state
        if (
            known is not None
            and known.state not in STARTS[request.leg]
            and (not dry_run or known.state in OVER)
        ):
            # A plan may run ahead of its legs, but not of a move that is over.
            raise refusals.out_of_order(request, known.state)
        record = self._received.accept(request, known, dry_run)
        rows = self._checks.rows(record) if request.leg is MoveLeg.PREPARE else None
        if rows is not None and is_refused(rows):
            raise refusals.not_ready(request.declaration, rows)
        outline = outline_of(request, record, self._driver)
        steps = steps_of(record, outline, self._context(record, {}, request.actor))
        plan = plan_view(request, record, outline, steps, warnings_of(outline, self._driver))
        report = None if rows is None else _report(rows)
        if dry_run:
            self._require_unheld(known, request.declaration)
            if request.is_foreseen or (known is not None and known.state in STARTS[request.leg]):
                # A plan that runs ahead of its legs by itself is brought nothing, so no codes.
                self._checks.require_codes(request, record, outline)
            answer = self._answers.answer(known, before, changed=True, after=ENDS[request.leg])
            return {**answer, "report": report, "plan": plan}
        self._require_confirmed(request, outline, plan)
        self._checks.require_codes(request, record, outline)
        begun = record.advanced(GOES_ON[request.leg], attempt=record.attempt + 1, outline=outline)

        def declare(unit: Unit) -> None:
            self._require_unchanged(unit, known, request.declaration)
            records.put(unit, begun)
            self._evidence.keep(unit, request, begun)
            detail = {"leg": request.leg.value, "plan": plan["digest"]}
            action = "confirmed" if needs_confirmation(outline) else "begun"
            unit.audit.append(request.actor, action, request.declaration.subject, detail)

        self._engine.run(self._spec(begun, request.codes, request.actor), declare)
        answer = self._answers.answer(self._present(record.id), before, changed=True)
        return {**answer, "report": report}

    # What is open, past, refused or given up ------------------------------------------

    def _go_on(self, request: MoveRequest, record: MoveRecord, dry_run: bool) -> dict[str, Any]:
        outline = record.outline
        if outline is None or outline.leg != request.leg.value or request.refuse:
            raise refusals.busy(request, record)
        strangers = sorted(set(request.codes) - set(record.numbers))
        if strangers:
            raise refusals.not_released(request.declaration, strangers)
        if dry_run:
            return self._answers.answer(record, record.state, changed=False)
        before, steps = record.state, marks(self._answers.operation(record))
        self._resume(record, request.codes, request.actor)
        after = self._present(record.id)
        return self._answers.answer(
            after, before, changed=marks(self._answers.operation(after)) != steps
        )

    def _past(self, request: MoveRequest, record: MoveRecord) -> dict[str, Any]:
        gives = GIVES.get(request.leg)
        answer = self._answers.answer(record, record.state, changed=False)
        document = None if gives is None else record.document(gives)
        return {**answer, "document": document, "backup": record.backup.as_document()}

    def _is_same(self, request: MoveRequest, record: MoveRecord) -> bool:
        brought = self._received.brought(request, record)
        same = backup_digest(brought) == backup_digest(record.backup)
        return same and request.required == record.required

    def _still_prepared(self, request: MoveRequest, record: MoveRecord) -> dict[str, Any]:
        """What was fit once is looked at again, because the source goes by it now."""
        rows = self._checks.rows(record)
        if is_refused(rows):
            raise refusals.not_ready(request.declaration, rows)
        return {**self._past(request, record), "report": _report(rows)}

    def _refuse(
        self, request: MoveRequest, record: MoveRecord | None, dry_run: bool
    ) -> dict[str, Any]:
        """The target's durable no: written first, then said."""
        if record is None:
            raise refusals.out_of_order(request, MoveState.NONE)
        if record.state is MoveState.REFUSED:
            answer = self._answers.answer(record, record.state, changed=False)
            return {**answer, "document": record.document(MoveDocument.REFUSED)}
        if record.state is MoveState.ARRIVED or request.declaration.source_lost:
            raise refusals.out_of_order(request, record.state)
        known = record
        bases = {n: self._checks.basis_of_refusal(request, record, n) for n in record.numbers}
        if dry_run:
            return self._answers.answer(record, record.state, changed=True, after=MoveState.REFUSED)
        for number, basis in bases.items():
            if basis != RETURNED:
                record = record.with_progress(number, activated=basis)
        with self._journal.transaction() as unit:
            self._require_unchanged(unit, known, request.declaration)
            answers = record.document(MoveDocument.RELEASED)
            facts, kind = {"licenses": bases}, MoveDocument.REFUSED
            signer, declared = self._identity, request.declaration
            document = seal_move(unit, signer, kind, declared, answers, facts)
            refused = record.advanced(MoveState.REFUSED)
            records.put(unit, refused.with_document(MoveDocument.REFUSED, document))
            unit.audit.append(request.actor, "refused", request.declaration.subject, bases)
        answer = self._answers.answer(self._present(record.id), known.state, changed=True)
        return {**answer, "document": document}

    def _void(self, record: MoveRecord, operation: OperationRecord | None, actor: str) -> None:
        was_on = self._has_switched_maintenance_on(record)
        if operation is not None and is_open(operation):
            problem = refusals.given_up(record.declaration)
            if not self._engine.give_up(operation.id, self._holder, problem, actor, has_released):
                raise refusals.released_already(record.declaration)
        known = self._present(record.id)
        # Others may have gone on since it was looked at.
        self._require_unreleased(known, self._answers.operation(known))
        outline = LegOutline(VOID, maintenance=was_on, by_person=self._by_person("maintenance"))
        begun = replace(known, attempt=known.attempt + 1, outline=outline)

        def declare(unit: Unit) -> None:
            self._require_unchanged(unit, known, record.declaration)
            records.put(unit, begun)

        self._engine.run(self._spec(begun, {}, actor), declare)

    def _require_unreleased(self, record: MoveRecord, operation: OperationRecord | None) -> None:
        givable = (
            MoveState.BACKED_UP,
            MoveState.RELEASING,
            MoveState.PREPARING,
            MoveState.PREPARED,
        )
        begun = is_open(operation) and operation is not None and has_released(operation)
        gone = record.side is Side.SOURCE and record.released
        if record.state not in givable or begun or gone:
            raise refusals.released_already(record.declaration)
        # A deactivation that was refused, or said not to have happened, may have had its effect.
        if record.state is MoveState.RELEASING and self._checks.left_unnoticed(record):
            raise refusals.released_already(record.declaration)

    def _has_switched_maintenance_on(self, record: MoveRecord) -> bool:
        """Whether this move switched it on, or had a person do so; what was on before stays on."""
        with self._journal.reading() as unit:
            attempts = range(1, record.attempt + 1)
            found = [unit.operations.get(operation_id(record, n)) for n in attempts]
        return any(
            step.arguments["enabled"] and step.intended_at is not None
            for operation in found
            if operation is not None
            for step in operation.begun(MAINTENANCE)
        )

    # What the legs share --------------------------------------------------------------

    def _spec(self, record: MoveRecord, codes: dict[str, Secret], actor: str) -> OperationSpec:
        if record.outline is None:
            raise LookupError(f"the move {record.id} has no operation")
        context = self._context(record, codes, actor)
        return OperationSpec(
            operation_id(record),
            KIND,
            record.declaration.subject,
            None,
            self._holder,
            actor,
            steps_of(record, record.outline, context),
            DeclarationKey(records.MOVE, record.id),
        )

    def _spec_of(
        self, record: MoveRecord, operation: OperationRecord, codes: dict[str, Secret], actor: str
    ) -> OperationSpec:
        makers = makers_of(record, self._context(record, codes, actor))
        return work_from(operation, makers, actor)

    def _resume(self, record: MoveRecord, codes: dict[str, Secret], actor: str) -> None:
        operation = self._answers.operation(record)
        if operation is not None:
            self._engine.resume(self._spec_of(record, operation, codes, actor))

    def _context(self, record: MoveRecord, codes: dict[str, Secret], actor: str) -> StepContext:
        attempts = [operation_id(record, n) for n in range(record.attempt, 0, -1)]
        return StepContext(
            driver=self._driver,
            codes=codes,
            program_reports=lambda names: program_reports(self._journal, attempts, names),
            check=lambda part: self._checks.require_bound(record, part),
            target_refusal=lambda: self._checks.target_refusal(record),
            not_arrived=lambda: self._checks.not_arrived(record),
            active_here=lambda: self._checks.active_here(record),
            not_left=lambda: self._checks.not_left(record),
            close=partial(close_leg, self._identity, record.id),
        )

    def _require_confirmed(
        self, request: MoveRequest, outline: LegOutline, plan: dict[str, Any]
    ) -> None:
        if needs_confirmation(outline) and request.confirmation != plan["digest"]:
            raise refusals.unconfirmed(request, plan["digest"])

    def _require_unheld(self, known: MoveRecord | None, declaration: MoveDeclaration) -> None:
        """For plans: Problem while other work holds the server, or another move does."""
        with self._journal.reading() as unit:
            own = None if known is None else operation_id(known)
            require_unheld(unit, self._holder, own)
            self._require_unchanged(unit, known, declaration)

    def _require_unchanged(
        self, unit: Unit, known: MoveRecord | None, declaration: MoveDeclaration
    ) -> None:
        """Others may have been here since it was looked at; one move at a time changes a server."""
        if records.find(unit, declaration.id) != known:
            raise refusals.just_changed(declaration)
        for other in records.in_states(unit, HOLDING):
            if other.id != declaration.id:
                raise refusals.other_move(declaration, other)

    def _by_person(self, action: Any) -> tuple[str, ...]:
        return () if self._driver.can(action) is Grade.DOCUMENTED else (action,)

    def _find(self, move: str) -> MoveRecord | None:
        with self._journal.reading() as unit:
            return records.find(unit, move)

    def _present(self, move: str) -> MoveRecord:
        with self._journal.reading() as unit:
            return records.present(unit, move)

    def _record_of(self, operation: OperationRecord) -> MoveRecord:
        with self._journal.reading() as unit:
            record = records.find(unit, operation.declared_id)
        if record is not None and operation_id(record) == operation.id:
            return record
        raise Problem(
            ProblemCode.OPERATION_UNKNOWN,
            f"The operation {operation.id} is no move's that is open on this host.",
            "Look at the list of moves.",
        )


def _is_past(request: MoveRequest, record: MoveRecord) -> bool:
    return not request.refuse and record.state in PAST[request.leg]


def _report(rows: tuple[RuleRow, ...]) -> dict[str, Any]:
    verdict = "refused" if is_refused(rows) else "open"
    return {"verdict": verdict, "rules": [row.as_document() for row in rows]}
