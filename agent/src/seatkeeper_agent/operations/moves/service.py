# SPDX-License-Identifier: GPL-3.0-or-later
"""A license server's move, leg by leg: each idempotent, any prefix of them may have run already."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from seatkeeper_agent.domain.move_legs import MoveDeclaration, MoveLeg, MoveState
from seatkeeper_agent.domain.moves import BackedUpLicense
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import (
    DeclarationKey,
    MoveDocument,
    OperationRecord,
    OperationState,
)
from seatkeeper_agent.domain.rules import RuleRow, is_refused
from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.domain.transfers import Side
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.moves import records, refusals
from seatkeeper_agent.operations.moves.answers import Answers
from seatkeeper_agent.operations.moves.attempts import (
    has_begun,
    has_released,
    heard,
    is_open,
    marks,
)
from seatkeeper_agent.operations.moves.backups import BackupService
from seatkeeper_agent.operations.moves.closing import close_leg
from seatkeeper_agent.operations.moves.documents import (
    RETURNED,
    backup_digest,
    seal_move,
)
from seatkeeper_agent.operations.moves.evidence import MoveEvidence
from seatkeeper_agent.operations.moves.intake import Intake
from seatkeeper_agent.operations.moves.legs import ENDS, GIVES, GOES_ON, HOLDING, PAST, STARTS
from seatkeeper_agent.operations.moves.looks import Looks
from seatkeeper_agent.operations.moves.plan import (
    VOID,
    Means,
    MoveOrder,
    codes_needed,
    makers_of,
    needs_confirmation,
    plan_view,
    shape_of,
    steps_of,
    warnings_of,
)
from seatkeeper_agent.operations.moves.ports import ServerMoveDriver
from seatkeeper_agent.operations.moves.records import (
    KIND,
    MoveRecord,
    Shape,
    operation_id,
)
from seatkeeper_agent.operations.moves.steps import MAINTENANCE, codes_missing
from seatkeeper_agent.operations.ports import Description, Grade
from seatkeeper_agent.operations.servers.settings import holder_of
from seatkeeper_agent.operations.steps import Work, work_from


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
        self._looks = Looks(journal, driver, backups)
        self._answers = Answers(journal, driver, backups)
        self._intake = Intake(journal, identity, backups, driver.vendor)
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

    def run(self, order: MoveOrder, dry_run: bool) -> dict[str, Any]:
        """Bring a leg to its end or to where somebody has to act; or only plan it."""
        self._require_mine(order)
        record = self._find(order.declaration.id)
        refusals.require_same(order, record)
        if order.leg is MoveLeg.BACKUP:
            return self._back_up(order, record, dry_run)
        self._evidence.require(order, record, is_run=not dry_run)
        operation = None if record is None else self._answers.operation(record)
        if record is not None and is_open(operation) and not _is_past(order, record):
            return self._go_on(order, record, dry_run)
        if order.refuse:
            return self._refuse(order, record, dry_run)
        if record is not None and _is_past(order, record):
            return self._past(order, record)
        if order.leg is MoveLeg.PREPARE and record is not None:
            same = record.state is MoveState.PREPARED and self._is_same(order, record)
            if same:
                return self._still_prepared(order, record)
        return self._begin(order, record, dry_run)

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
        voiding = is_open(operation) and record.shape is not None and record.shape.leg == VOID
        if not voiding:
            self._require_unreleased(record, operation)
        if dry_run:
            return self._answers.answer(record, record.state, changed=True, after=MoveState.VOID)
        before = record.state
        if voiding:
            self._resume(record, {}, actor)
        else:
            self._void(record, operation, actor)
        after = self._present(move)
        return self._answers.answer(after, before, changed=True)

    def view(self, move: str) -> dict[str, Any] | None:
        """One move with what is seen now; None for one that this host does not know."""
        record = self._find(move)
        return None if record is None else self._answers.view(record, self._answers.sight([record]))

    def page(self, after: str, limit: int) -> list[dict[str, Any]]:
        """Moves in the order of their ids; the server is looked at once where one is open."""
        return self._answers.page(after, limit)

    def adrift(self) -> list[dict[str, Any]]:
        """The licenses of open moves that are active nowhere, or may be, with the move's name."""
        return self._answers.adrift()

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
        work = self._work_of(record, operation, {}, operation.actor)
        resumed = self._engine.resume(work)
        return [] if resumed is None else [operation.id]

    def attest(
        self, operation: OperationRecord, happened: bool, statement: str, actor: str
    ) -> None:
        """A person's word on what cannot be observed."""
        record = self._record_of(operation)
        work = self._work_of(record, operation, {}, operation.actor)
        try:
            self._engine.attest(work, operation, happened, statement, actor)
        except Problem as problem:
            # The word was taken; what comes next needs codes, and the next run brings them.
            if problem.code is not ProblemCode.CODES_MISSING:
                raise

    # Backup ----------------------------------------------------------------------------

    def _back_up(
        self, order: MoveOrder, record: MoveRecord | None, dry_run: bool
    ) -> dict[str, Any]:
        fresh = (MoveState.BACKED_UP, MoveState.VOID)
        if record is not None and record.state not in fresh:
            return self._past(order, record)
        if order.declaration.source_lost:
            raise refusals.no_source(order.declaration)
        if order.licenses is None:
            raise refusals.needs(order, "the licenses of the server with their profiles")
        known = None if record is None else record.backup
        made = self._backups.made(order.licenses, known)
        before = MoveState.NONE if record is None else record.state
        changed = made != known or before is not MoveState.BACKED_UP
        after = MoveRecord(order.declaration, Side.SOURCE, MoveState.BACKED_UP, made)
        if record is not None:
            after = record.advanced(MoveState.BACKED_UP, backup=made, licenses={})
        if changed and not dry_run:
            with self._journal.transaction() as unit:
                self._require_unchanged(unit, record, order.declaration)
                records.put(unit, after)
                self._backups.keep(unit, made, order.actor)
            after = self._present(order.declaration.id)
        shown = None if dry_run and record is None else after
        planned = MoveState.BACKED_UP if dry_run else None
        answer = self._answers.answer(shown, before, changed, after=planned)
        return {**answer, "backup": made.as_document()}

    # Beginning a leg ---------------------------------------------------------------------

    def _begin(self, order: MoveOrder, known: MoveRecord | None, dry_run: bool) -> dict[str, Any]:
        before = MoveState.NONE if known is None else known.state
        if (
            known is not None
            and known.state not in STARTS[order.leg]
            and (not dry_run or known.state in (MoveState.REFUSED, MoveState.RESTORED))
        ):
            # A plan may run ahead of its legs, but not of a move that is over.
            raise refusals.out_of_order(order, known.state)
        record = self._intake.accept(order, known, dry_run)
        rows = self._looks.rows(record) if order.leg is MoveLeg.PREPARE else None
        if rows is not None and is_refused(rows) and not dry_run:
            raise refusals.not_ready(order.declaration, rows)
        shape = shape_of(order, record, self._driver)
        steps = steps_of(record, shape, self._means(record, {}, order.actor))
        plan = plan_view(order, record, shape, steps, warnings_of(shape, self._driver))
        report = None if rows is None else _report(rows)
        if dry_run:
            answer = self._answers.answer(known, before, changed=True, after=ENDS[order.leg])
            return {**answer, "report": report, "plan": plan}
        self._require_confirmed(order, shape, plan)
        missing = tuple(
            n
            for n in codes_needed(shape)
            if n not in order.codes and not self._looks.needs_no_code(record, shape, n)
        )
        if missing:
            raise codes_missing(missing)
        begun = record.advanced(GOES_ON[order.leg], attempt=record.attempt + 1, shape=shape)

        def declare(unit: Unit) -> None:
            self._require_unchanged(unit, known, order.declaration)
            records.put(unit, begun)
            self._evidence.keep(unit, order, begun)
            detail = {"leg": order.leg.value, "plan": plan["digest"]}
            action = "confirmed" if needs_confirmation(shape) else "begun"
            unit.audit.append(order.actor, action, order.declaration.subject, detail)

        self._engine.run(self._work(begun, order.codes, order.actor), declare)
        answer = self._answers.answer(self._present(record.id), before, changed=True)
        return {**answer, "report": report}

    # What is open, past, refused or given up ------------------------------------------

    def _go_on(self, order: MoveOrder, record: MoveRecord, dry_run: bool) -> dict[str, Any]:
        shape = record.shape
        if shape is None or shape.leg != order.leg.value or order.refuse:
            raise refusals.busy(order, record)
        strangers = sorted(set(order.codes) - set(record.numbers))
        if strangers:
            raise refusals.not_released(order.declaration, strangers)
        if dry_run:
            return self._answers.answer(record, record.state, changed=False)
        before, steps = record.state, marks(self._answers.operation(record))
        self._resume(record, order.codes, order.actor)
        after = self._present(record.id)
        return self._answers.answer(
            after, before, changed=marks(self._answers.operation(after)) != steps
        )

    def _past(self, order: MoveOrder, record: MoveRecord) -> dict[str, Any]:
        gives = GIVES.get(order.leg)
        answer = self._answers.answer(record, record.state, changed=False)
        document = None if gives is None else record.document(gives)
        return {**answer, "document": document, "backup": record.backup.as_document()}

    def _is_same(self, order: MoveOrder, record: MoveRecord) -> bool:
        brought = self._intake.brought(order, record)
        same = backup_digest(brought) == backup_digest(record.backup)
        return same and order.required == record.required

    def _still_prepared(self, order: MoveOrder, record: MoveRecord) -> dict[str, Any]:
        """What was fit once is looked at again, because the source goes by it now."""
        rows = self._looks.rows(record)
        if is_refused(rows):
            raise refusals.not_ready(order.declaration, rows)
        return {**self._past(order, record), "report": _report(rows)}

    def _refuse(self, order: MoveOrder, record: MoveRecord | None, dry_run: bool) -> dict[str, Any]:
        """The target's durable no: written first, then said."""
        if record is None:
            raise refusals.out_of_order(order, MoveState.NONE)
        if record.state is MoveState.REFUSED:
            answer = self._answers.answer(record, record.state, changed=False)
            return {**answer, "document": record.document(MoveDocument.REFUSED)}
        if record.state is MoveState.ARRIVED or order.declaration.source_lost:
            raise refusals.out_of_order(order, record.state)
        known = record
        words = {n: self._looks.word_on_refusal(order, record, n) for n in record.numbers}
        if dry_run:
            return self._answers.answer(record, record.state, changed=True, after=MoveState.REFUSED)
        for number, word in words.items():
            if word != RETURNED:
                record = record.with_progress(number, activated=word)
        with self._journal.transaction() as unit:
            self._require_unchanged(unit, known, order.declaration)
            answers = record.document(MoveDocument.RELEASED)
            facts, kind = {"licenses": words}, MoveDocument.REFUSED
            signer, declared = self._identity, order.declaration
            document = seal_move(unit, signer, kind, declared, answers, facts)
            refused = record.advanced(MoveState.REFUSED)
            records.put(unit, refused.with_document(MoveDocument.REFUSED, document))
            unit.audit.append(order.actor, "refused", order.declaration.subject, words)
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
        shape = Shape(VOID, maintenance=was_on, by_person=self._by_person("maintenance"))
        begun = replace(known, attempt=known.attempt + 1, shape=shape)

        def declare(unit: Unit) -> None:
            self._require_unchanged(unit, known, record.declaration)
            records.put(unit, begun)

        self._engine.run(self._work(begun, {}, actor), declare)

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
        if record.state is MoveState.RELEASING and self._looks.left_unnoticed(record):
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

    def _work(self, record: MoveRecord, codes: dict[str, Secret], actor: str) -> Work:
        if record.shape is None:
            raise LookupError(f"the move {record.id} has no operation")
        means = self._means(record, codes, actor)
        return Work(
            operation_id(record),
            KIND,
            record.declaration.subject,
            None,
            self._holder,
            actor,
            steps_of(record, record.shape, means),
            DeclarationKey(records.MOVE, record.id),
        )

    def _work_of(
        self, record: MoveRecord, operation: OperationRecord, codes: dict[str, Secret], actor: str
    ) -> Work:
        makers = makers_of(record, self._means(record, codes, actor))
        return work_from(operation, makers, actor)

    def _resume(self, record: MoveRecord, codes: dict[str, Secret], actor: str) -> None:
        operation = self._answers.operation(record)
        if operation is not None:
            self._engine.resume(self._work_of(record, operation, codes, actor))

    def _means(self, record: MoveRecord, codes: dict[str, Secret], actor: str) -> Means:
        attempts = [operation_id(record, n) for n in range(record.attempt, 0, -1)]
        return Means(
            driver=self._driver,
            codes=codes,
            heard=lambda names: heard(self._journal, attempts, names),
            check=lambda part: self._looks.require_bound(record, part),
            target_refusal=lambda: self._looks.target_refusal(record),
            not_arrived=lambda: self._looks.not_arrived(record),
            active_here=lambda: self._looks.active_here(record),
            not_left=lambda: self._looks.not_left(record),
            close=partial(close_leg, self._identity, record.id),
        )

    def _require_confirmed(self, order: MoveOrder, shape: Shape, plan: dict[str, Any]) -> None:
        if needs_confirmation(shape) and order.confirmation != plan["digest"]:
            raise refusals.unconfirmed(order, plan["digest"])

    def _require_unchanged(
        self, unit: Unit, known: MoveRecord | None, declaration: MoveDeclaration
    ) -> None:
        """Others may have been here since it was looked at; one move at a time changes a server."""
        if records.find(unit, declaration.id) != known:
            raise refusals.just_changed(declaration)
        for other in records.in_states(unit, HOLDING):
            if other.id != declaration.id:
                raise refusals.other_move(declaration, other)

    def _require_mine(self, order: MoveOrder) -> None:
        declaration = order.declaration
        if declaration.vendor != self.vendor:
            raise refusals.other_vendor(declaration, self.vendor)
        if declaration.source == declaration.target:
            raise refusals.same_host(declaration)
        mine = declaration.source if order.leg.side is Side.SOURCE else declaration.target
        if mine != self._identity.name:
            raise refusals.wrong_host(order, mine, self._identity.name)

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


def _is_past(order: MoveOrder, record: MoveRecord) -> bool:
    return not order.refuse and record.state in PAST[order.leg]


def _report(rows: tuple[RuleRow, ...]) -> dict[str, Any]:
    verdict = "refused" if is_refused(rows) else "open"
    return {"verdict": verdict, "rules": [row.as_document() for row in rows]}
