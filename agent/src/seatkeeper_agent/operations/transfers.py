# SPDX-License-Identifier: GPL-3.0-or-later
"""The five legs of a transfer, each idempotent: any prefix of them may have run already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from seatkeeper_agent.domain.dependencies import NOTHING, Dependencies
from seatkeeper_agent.domain.exchange import GIVES
from seatkeeper_agent.domain.licenses import Item, Measure
from seatkeeper_agent.domain.planned_steps import PlannedStep, digest, plan_digest
from seatkeeper_agent.domain.preflight import PeerFacts
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import DocumentKind, Envelope, TransferRecord
from seatkeeper_agent.domain.transfers import (
    NOT_BEGUN,
    Declaration,
    Leg,
    Place,
    Side,
    State,
    moved_amounts,
)
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.checks import Checks
from seatkeeper_agent.operations.dependencies import of_item
from seatkeeper_agent.operations.documents import (
    Document,
    Sent,
    is_refusal,
    payload_of,
    seal_in,
)
from seatkeeper_agent.operations.engine import driver_problem
from seatkeeper_agent.operations.evidence import Evidence
from seatkeeper_agent.operations.leg_steps import Shown, leg_step
from seatkeeper_agent.operations.legs import (
    PAST,
    LegRequest,
    completed,
    differs,
    out_of_order,
    unknown,
)
from seatkeeper_agent.operations.observations import ItemObservation, the_container
from seatkeeper_agent.operations.one_look import OneLook
from seatkeeper_agent.operations.ports import DriverError, LicenseDriver
from seatkeeper_agent.operations.received import ReceivedDocuments
from seatkeeper_agent.operations.refusals import Refusals
from seatkeeper_agent.operations.transfer_operations import TransferOperations


class TransferService:
    """Transfers of one vendor's licenses on this host. All failures are Problems."""

    def __init__(
        self,
        journal: Journal,
        driver: LicenseDriver,
        identity: Identity,
        checks: Checks,
        transfer_operations: TransferOperations,
        evidence: Evidence,
        look: OneLook | None = None,
    ) -> None:
        """``look`` is the driver again, where the service is for plans only."""
        self._journal = journal
        self._driver = driver
        self._identity = identity
        self._checks = checks
        self._transfer_operations = transfer_operations
        self._evidence = evidence
        self._look = look
        self._refusals = Refusals(journal, identity, checks, transfer_operations, evidence)
        self._received = ReceivedDocuments(journal, evidence, self._refusals)

    # The legs --------------------------------------------------------------------------

    def plan(self, wanted: LegRequest) -> dict[str, Any]:
        """What the leg would do; nothing is touched. Refusals are those of the run."""
        if self._look is None:
            return self.planning().plan(wanted)
        try:
            return self._plan(wanted)
        except DriverError as error:
            raise _leg_problem(wanted, error) from error

    def planning(self) -> TransferService:
        """The same for all plans of one request, of which each counts for those after it."""
        look = OneLook(self._driver)
        return TransferService(
            self._journal,
            look,
            self._identity,
            self._checks.through(look),
            self._transfer_operations.through(look),
            self._evidence,
            look,
        )

    def _plan(self, wanted: LegRequest) -> dict[str, Any]:
        wanted, record = self._settle(wanted)
        self._evidence.require(wanted, is_run=False)
        if self._is_past(wanted, record):
            self._received.refuse_replay(wanted, record, is_run=False)
            return self._unchanged(wanted, record)
        document = self._received.planned(wanted, record)
        reported = wanted.facts if document is None else document.facts
        if record is not None and record.declaration != wanted.declaration:
            record = None
        facts: dict[str, Any] = {}
        reversible, counter, depending, item = True, None, NOTHING, None
        observation = self._observation(wanted)
        amounts = dict(reported.get("amounts") or self._declared_amounts(wanted.declaration))
        if wanted.leg is Leg.REQUEST:
            self._checks.target(wanted.declaration)
            facts = self._checks.target_facts(wanted.declaration)
        if wanted.leg is Leg.ISSUE and (record is None or record.state is State.CREATED):
            item, reversible = self._check_source(wanted, observation, reported, bool(reported))
            self._checks.not_stale(wanted, item)
            depending = self._depending(wanted, observation, item)
            counter = item.update_counter
            amounts = _named(moved_amounts(wanted.declaration, item))
            facts = {"amounts": amounts}
        before = after = Shown.of(observation)
        refuses = wanted.leg is Leg.INSTALL and (
            wanted.decision == "refuse" or self._refusals.has_ended(wanted)
        )
        if not refuses:
            self._transfer_operations.foresee(wanted, record, document, reversible)
            after = before.after(wanted.declaration, wanted.leg, amounts)
            if self._look is not None:
                self._look.planned(wanted, observation, item, amounts)
        answer = self._answer(
            wanted,
            record,
            before.as_document(),
            after.as_document(),
            facts,
            "planned",
            leg_step(wanted.declaration, wanted.leg, reversible, refuses),
            counter,
        )
        if depending.found:
            step = leg_step(wanted.declaration, wanted.leg, reversible)
            planned = (wanted.declaration.as_document(), [step], counter, depending.in_a_plan())
            answer |= {"digest": plan_digest(*planned), "confirmation_required": True}
        return answer

    def run(self, wanted: LegRequest) -> dict[str, Any]:
        """Bring the leg to its end, from wherever it stands."""
        with self._transfer_operations.held(wanted.declaration):
            return self._run(wanted)

    def _run(self, wanted: LegRequest) -> dict[str, Any]:
        wanted, record = self._settle(wanted)
        self._evidence.require(wanted, is_run=True)
        if self._is_past(wanted, record):
            self._refuse_replay(wanted, record)
            return self._unchanged(wanted, record)
        before = Shown.of(self._observation(wanted))
        legs: dict[Leg, Callable[[LegRequest, TransferRecord | None], bool]] = {
            Leg.REQUEST: self._request,
            Leg.ISSUE: self._issue,
            Leg.INSTALL: self._install,
            Leg.CONFIRM: self._confirm,
            Leg.ACKNOWLEDGE: self._acknowledge,
        }
        try:
            reversible = legs[wanted.leg](wanted, record)
        except DriverError as error:
            raise _leg_problem(wanted, error) from error
        except Problem as problem:
            self._audit_refusal(wanted, problem)
            raise
        after = Shown.of(self._observation(wanted))
        record = self._record(wanted.declaration.id, wanted.leg.side)
        shown = (before.as_document(), after.as_document())
        refused = record is not None and record.state is State.REFUSED
        step = leg_step(wanted.declaration, wanted.leg, reversible, refused)
        return self._answer(wanted, record, *shown, {}, "done", step, None)

    def void(self, transfer_id: str, actor: str, dry_run: bool) -> dict[str, Any]:
        """Give up a transfer of which nothing has been debited or imported."""
        with self._journal.reading() as unit:
            records = unit.transfers.both(transfer_id)
        if not records:
            raise unknown(transfer_id)
        with self._transfer_operations.held(records[0].declaration):
            return self._void(transfer_id, actor, dry_run)

    def _void(self, transfer_id: str, actor: str, dry_run: bool) -> dict[str, Any]:
        with self._journal.reading() as unit:
            records = unit.transfers.both(transfer_id)
        changed = False
        for record in records:
            if record.state is State.VOID:
                continue
            if record.state not in (State.CREATED, State.REQUESTED):
                raise Problem(
                    ProblemCode.LEG_OUT_OF_ORDER,
                    f"The transfer {record.declaration.name!r} is {record.state.value} on this"
                    " host and can no longer be given up: seats have left or may have left.",
                    "Bring it to its end, then return it.",
                )
            changed = True
            if not dry_run:
                with self._journal.transaction() as unit:
                    self._transfer_operations.abandon(unit, record)
                    unit.transfers.advance(transfer_id, record.side, State.VOID)
                    unit.audit.append(actor, "void", f"transfer {record.declaration.name!r}", {})
        return {"changed": changed, "records": records}

    # Each leg -------------------------------------------------------------------------

    def _request(self, wanted: LegRequest, record: TransferRecord | None) -> bool:
        declaration = wanted.declaration
        if record is not None and record.state not in NOT_BEGUN[Side.TARGET]:
            raise out_of_order(wanted, record.state)
        self._checks.target(declaration)
        artefact = self._driver.create_request(
            declaration.target.container, declaration.firm_code, declaration.mode
        )
        facts = self._checks.target_facts(declaration)
        with self._journal.transaction() as unit:
            kind = DocumentKind.REQUEST
            envelope = seal_in(unit, self._identity, kind, declaration, artefact, None, facts)
            if record is None:
                unit.transfers.insert(declaration, Side.TARGET, State.REQUESTED)
                unit.transfers.put_document(declaration.id, Side.TARGET, kind, envelope)
            else:
                self._begin_anew(unit, record, wanted)
                old = digest(record.documents[DocumentKind.REQUEST])
                unit.transfers.supersede_request(declaration.id, envelope, old)
            unit.audit.append(wanted.actor, "requested", wanted.subject, {})
        return True

    def _issue(self, wanted: LegRequest, record: TransferRecord | None) -> bool:
        if record is not None and record.state is State.DEBITING:
            self._transfer_operations.resume(record, wanted.actor)
            return True
        document = self._received.request(wanted, record, is_run=True)
        observation = self._observation(wanted)
        item, reversible = self._check_source(wanted, observation, document.facts, True)
        depending = self._depending(wanted, observation, item)
        self._checks.not_stale(wanted, item)
        self._checks.confirmed(wanted, item, reversible, depending)
        with self._journal.transaction() as unit:
            if record is None:
                unit.transfers.insert(wanted.declaration, Side.SOURCE, State.CREATED)
                put = unit.transfers.put_document
            else:
                self._begin_anew(unit, record, wanted)
                put = unit.transfers.replace_document
            self._evidence.keep(unit, put, wanted, document)
            unit.audit.append(wanted.actor, "created", wanted.subject, {})
        self._transfer_operations.run(self._present(wanted), wanted.actor, reversible)
        return reversible

    def _begin_anew(self, unit: Unit, record: TransferRecord, wanted: LegRequest) -> None:
        """Correct what has not begun, and ask again for what was given up."""
        declaration = wanted.declaration
        if record.declaration != declaration:
            self._transfer_operations.abandon(unit, record)
            unit.transfers.correct(declaration, record.side)
            detail = {"earlier": record.declaration.as_document()}
            unit.audit.append(wanted.actor, "corrected", wanted.subject, detail)
        if record.state is State.VOID:
            unit.transfers.advance(declaration.id, record.side, State.REQUESTED)

    def _install(self, wanted: LegRequest, record: TransferRecord | None) -> bool:
        if self._received.says_no(wanted, record, is_run=True):
            self._refusals.refuse(wanted, record)
            return True
        if record is None:
            raise out_of_order(wanted, State.NONE)
        if record.state in (State.REQUESTED, State.VOID):
            self._accept(wanted, record, *self._received.transfer(wanted, record, is_run=True))
        self._transfer_operations.run(self._present(wanted), wanted.actor)
        return True

    def _accept(
        self, wanted: LegRequest, record: TransferRecord, document: Document, sent: Sent
    ) -> None:
        declaration = wanted.declaration
        with self._journal.transaction() as unit:
            if record.declaration != declaration:
                # The source had debited what was declared before it was corrected here.
                unit.transfers.correct(declaration, Side.TARGET)
            self._evidence.keep(unit, unit.transfers.put_document, wanted, document)
            unit.transfers.note(
                declaration.id,
                Side.TARGET,
                sent.amounts,
                sent.vendor_transfer_id,
                sent.vendor_update_counter,
            )
            unit.transfers.advance(declaration.id, Side.TARGET, State.ACCEPTED)
            detail = {"peer_audit_head": document.past.head}
            unit.audit.append(wanted.actor, "accepted", wanted.subject, detail)

    def _confirm(self, wanted: LegRequest, record: TransferRecord | None) -> bool:
        if record is not None and record.state is State.CREDITING_BACK:
            self._transfer_operations.resume(record, wanted.actor)
            return True
        document = self._received.receipt(wanted, record, is_run=True)
        if document is not None:
            with self._journal.transaction() as unit:
                self._evidence.keep(unit, unit.transfers.put_document, wanted, document)
                if is_refusal(document):
                    unit.transfers.advance(wanted.declaration.id, Side.SOURCE, State.CREDITING_BACK)
                detail = {
                    "decision": document.facts["decision"],
                    "peer_audit_head": document.past.head,
                }
                unit.audit.append(wanted.actor, "receipt", wanted.subject, detail)
        self._transfer_operations.run(self._present(wanted), wanted.actor)
        return True

    def _acknowledge(self, wanted: LegRequest, record: TransferRecord | None) -> bool:
        document = self._received.acknowledgement(wanted, record, is_run=True)
        with self._journal.transaction() as unit:
            self._evidence.keep(unit, unit.transfers.put_document, wanted, document)
            unit.transfers.advance(wanted.declaration.id, Side.TARGET, State.RECEIPTED)
            unit.audit.append(wanted.actor, "acknowledged", wanted.subject, {})
        return True

    def compare(self, wanted: LegRequest, is_run: bool) -> None:
        """Problem where the peer's copy proves a rollback, though no leg is to be done."""
        self._evidence.require(self._settle(wanted)[0], is_run)

    # What the legs share --------------------------------------------------------------

    def _settle(self, wanted: LegRequest) -> tuple[LegRequest, TransferRecord | None]:
        """Complete the declaration, check that this host is meant, find the record."""
        side, declaration = wanted.leg.side, wanted.declaration
        mine = declaration.source if side is Side.SOURCE else declaration.target
        if mine.agent != self._identity.name:
            raise Problem(
                ProblemCode.WRONG_HOST,
                f"The leg {wanted.leg.value} of transfer {declaration.name!r} belongs to the agent"
                f" {mine.agent!r}, this one is {self._identity.name!r}.",
                "Run it on that host, or correct the agent's name.",
            )
        record = self._record(declaration.id, side)
        if record is not None:
            declaration = completed(declaration, record)
            mine = declaration.source if side is Side.SOURCE else declaration.target
        if not mine.container or record is None:
            try:
                mine = Place(mine.agent, the_container(self._driver, mine.container or None))
            except DriverError as error:
                raise driver_problem("reading the containers", error) from error
        if side is Side.SOURCE:
            declaration = replace(declaration, source=mine)
        else:
            declaration = replace(declaration, target=mine)
        if not (declaration.source.container and declaration.target.container):
            raise Problem(
                ProblemCode.REQUEST_INVALID,
                f"The transfer {declaration.name!r} does not name the container at the other end.",
                "Name the containers of both hosts by their serial numbers.",
            )
        if record is not None and not self._may_be_declared(wanted.leg, declaration, record):
            raise differs(declaration, record)
        return replace(wanted, declaration=declaration), record

    def _may_be_declared(self, leg: Leg, declaration: Declaration, record: TransferRecord) -> bool:
        """The same as before, a correction of what has not begun, or what the source began with."""
        if record.declaration == declaration:
            return True
        if record.state not in NOT_BEGUN[record.side]:
            return False
        if leg is Leg.INSTALL:
            with self._journal.reading() as unit:
                return unit.transfers.was_declared(declaration)
        return leg in (Leg.REQUEST, Leg.ISSUE) and declaration.can_correct(record.declaration)

    def _is_past(self, wanted: LegRequest, record: TransferRecord | None) -> bool:
        if record is None or record.state not in PAST[wanted.leg]:
            return False
        if wanted.leg is Leg.REQUEST and record.state is State.REQUESTED:
            is_same = record.declaration == wanted.declaration
            request = record.documents[DocumentKind.REQUEST]
            reported = payload_of(DocumentKind.REQUEST, request).get("facts", {})
            return is_same and not self._checks.request_is_stale(record, reported)
        return True

    def _refuse_replay(self, wanted: LegRequest, record: TransferRecord | None) -> None:
        """As the intake says; what is refused is in the audit."""
        try:
            self._received.refuse_replay(wanted, record, is_run=True)
        except Problem as problem:
            self._audit_refusal(wanted, problem)
            raise

    def _unchanged(self, wanted: LegRequest, record: TransferRecord | None) -> dict[str, Any]:
        try:
            shown = Shown.of(self._observation(wanted)).as_document()
        except Problem:
            # What is past needs no product: the answer is in the journal, the sight is not.
            shown = {"items": []}
        step = leg_step(wanted.declaration, wanted.leg, True)
        answer = self._answer(wanted, record, shown, shown, {}, "done", step, None)
        return {**answer, "changed": False, "steps": []}

    def _answer(
        self,
        wanted: LegRequest,
        record: TransferRecord | None,
        before: dict[str, Any],
        after: dict[str, Any],
        facts: dict[str, Any],
        step_state: str,
        step: PlannedStep,
        update_counter: int | None,
    ) -> dict[str, Any]:
        gives = GIVES.get(wanted.leg)
        is_planned = step_state == "planned"
        # What there is of an earlier time is made anew by the run.
        document = None if gives is None or is_planned else _documents(record).get(gives)
        return {
            "changed": True,
            "record": record,
            "before": before,
            "after": after,
            "facts": facts,
            "steps": [{**step.as_document(), "leg": wanted.leg.value, "state": step_state}],
            "digest": plan_digest(wanted.declaration.as_document(), [step], update_counter),
            "confirmation_required": is_planned and not step.reversible,
            "document": document,
        }

    def _observation(self, wanted: LegRequest) -> ItemObservation:
        declaration = wanted.declaration
        place = declaration.source if wanted.leg.side is Side.SOURCE else declaration.target
        try:
            return ItemObservation.take(self._driver, place.container, declaration)
        except DriverError as error:
            raise driver_problem(f"reading {place.container}", error) from error

    def _declared_amounts(self, declaration: Declaration) -> dict[str, int]:
        if declaration.quantity is None:
            return {}
        measure = Measure.UNITS if declaration.type.value == "units" else Measure.SEATS
        return {measure.value: declaration.quantity}

    def _record(self, transfer_id: str, side: Side) -> TransferRecord | None:
        with self._journal.reading() as unit:
            return unit.transfers.get(transfer_id, side)

    def _present(self, wanted: LegRequest) -> TransferRecord:
        record = self._record(wanted.declaration.id, wanted.leg.side)
        if record is None:
            raise unknown(wanted.declaration.id)
        return record

    def _audit_refusal(self, wanted: LegRequest, problem: Problem) -> None:
        with self._journal.transaction() as unit:
            detail = {"problem": problem.code.value, "detail": problem.detail}
            unit.audit.append(wanted.actor, f"refused:{wanted.leg.value}", wanted.subject, detail)

    def _depending(
        self, wanted: LegRequest, observation: ItemObservation, item: Item
    ) -> Dependencies:
        with self._journal.reading() as unit:
            return of_item(unit, observation, item, wanted.declaration)

    def _check_source(
        self,
        wanted: LegRequest,
        observation: ItemObservation,
        facts: dict[str, Any],
        is_requested: bool,
    ) -> tuple[Item, bool]:
        """A plan may run ahead of the target's request, which is to tell all facts."""
        peer = PeerFacts(facts.get("firm_item_present"), facts.get("box_at"), is_requested)
        parent = self._transfer_operations.parent_vendor_id(wanted.declaration)
        with self._journal.reading() as unit:
            nothing = unit.transfers.lending_nothing(observation.container)
        return self._checks.source(wanted.declaration, observation, peer, parent, nothing)


def _leg_problem(wanted: LegRequest, error: DriverError) -> Problem:
    return driver_problem(f"the {wanted.leg.value} of {wanted.subject}", error)


def _named(amounts: dict[Measure, int]) -> dict[str, int]:
    return {measure.value: amount for measure, amount in amounts.items()}


def _documents(record: TransferRecord | None) -> dict[DocumentKind, Envelope]:
    return {} if record is None else record.documents
