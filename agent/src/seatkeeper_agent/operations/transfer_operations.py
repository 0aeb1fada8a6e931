# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations made of a transfer's steps, chosen by the state that the transfer is in."""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Any

from seatkeeper_agent.domain.licenses import Measure
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import (
    Account,
    DeclarationKey,
    OperationRecord,
    OperationState,
    TransferRecord,
)
from seatkeeper_agent.domain.transfers import NAMESPACE, Declaration, Leg, Mode, Side, State
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.documents import Document, is_refusal, sent_in
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.foresight import foresee
from seatkeeper_agent.operations.legs import LegRequest, subject
from seatkeeper_agent.operations.locks import Locks
from seatkeeper_agent.operations.ports import LicenseDriver
from seatkeeper_agent.operations.steps import Makers, OperationSpec, work_from
from seatkeeper_agent.operations.transfer_steps import Confirm, Credit, CreditBack, Debit, Expire

KIND_OF_STATE = {
    State.CREATED: "debit",
    State.DEBITING: "debit",
    State.ACCEPTED: "credit",
    State.CREDITING: "credit",
    State.IN_TRANSIT: "confirm",
    State.CREDITING_BACK: "credit_back",
}
TRANSFER = "transfer"
"""The kind of what a transfer's operations are declared by."""

_UNDER_WAY = {
    Leg.ISSUE: (State.DEBITING,),
    Leg.INSTALL: (State.ACCEPTED, State.CREDITING),
    Leg.CONFIRM: (State.IN_TRANSIT, State.CREDITING_BACK),
}
"""States in which a leg goes on with what it, or the one before it, has begun."""

FREEZE = "freeze"
"""The kind of an operation that does nothing but keep a container or an exchange from all work."""
FREEZE_OWED = "freeze_owed"
"""The kind of what remembers a container that is frozen as soon as the work on it has ended."""
FREEZES_MAX = 1_000


def operation_id(transfer_id: str, kind: str) -> str:
    """The id of an operation, its idempotency key: the same in every run."""
    return str(uuid.uuid5(NAMESPACE, f"operation/{transfer_id}/{kind}"))


class TransferOperations:
    """Runs the operation that a transfer's state calls for."""

    def __init__(
        self, journal: Journal, driver: LicenseDriver, identity: Identity, engine: Engine
    ) -> None:
        self._journal = journal
        self._driver = driver
        self._identity = identity
        self._engine = engine
        self._locks = Locks()

    def through(self, driver: LicenseDriver) -> TransferOperations:
        """The same, with steps that look through another driver; for a plan, which runs none."""
        return TransferOperations(self._journal, driver, self._identity, self._engine)

    def held(self, declaration: Declaration) -> AbstractContextManager[None]:
        """One thing at a time per transfer: legs, giving up, and recovery."""
        return self._locks.held(subject(declaration))

    def run(self, record: TransferRecord, actor: str, reversible: bool = True) -> str:
        """Run it to its end; gives its id. Problem if it cannot be."""
        given = self._given(record, reversible)
        return self._run(self._spec(record, KIND_OF_STATE[record.state], actor, **given))

    def foresee(
        self,
        wanted: LegRequest,
        record: TransferRecord | None,
        document: Document | None,
        reversible: bool,
    ) -> None:
        """Problem where the leg's operation would be kept from its effect, as far as shows now."""
        imagined = _imagined(wanted, record, document)
        if imagined is None:
            return
        kind = KIND_OF_STATE[imagined.state]
        with self._journal.reading() as unit:
            begun = unit.operations.get(operation_id(imagined.declaration.id, kind))
        if begun is not None and begun.intended is not None:
            spec = work_from(begun, self._makers(imagined, begun.id), wanted.actor)
        else:
            spec = self._spec(imagined, kind, wanted.actor, **self._given(imagined, reversible))
        foresee(self._journal, spec)

    def resume(self, record: TransferRecord, actor: str) -> str:
        """Go on with the operation that the transfer's state calls for, as it was begun."""
        with self._journal.reading() as unit:
            identity = operation_id(record.declaration.id, KIND_OF_STATE[record.state])
            begun = unit.operations.get(identity)
        if begun is None:
            return self.run(record, actor)
        return self._run(work_from(begun, self._makers(record, begun.id), actor))

    def expire(self, record: TransferRecord, actor: str) -> str:
        """Post the end of a borrow whose seats are seen to have come back."""
        return self._run(self._spec(record, Expire.type, actor))

    def held_by(self, record: TransferRecord) -> dict[str, int]:
        """What the ledger has of the item in the transfer's container, per measure."""
        item = record.declaration.item
        codes = f"{item.firm_code}:{item.product_code}"
        with self._journal.reading() as unit:
            return {
                measure.value: unit.ledger.balance(
                    Account.CONTAINER, record.container, codes, measure
                )
                for measure in Measure
            }

    def parent_vendor_id(self, declaration: Declaration) -> str | None:
        """The vendor's id of the transfer that a return undoes or an extension prolongs."""
        if declaration.parent is None:
            return None
        side = Side.TARGET if declaration.mode is Mode.RETURN else Side.SOURCE
        with self._journal.reading() as unit:
            parent = unit.transfers.get(declaration.parent, side)
        return None if parent is None else parent.vendor_transfer_id

    def _makers(self, record: TransferRecord, operation: str) -> Makers:
        shared = (self._driver, self._identity, record, operation)
        return {
            Debit.type: lambda given: Debit(*shared, **given),
            Credit.type: lambda _: Credit(*shared),
            Confirm.type: lambda _: Confirm(*shared),
            CreditBack.type: lambda _: CreditBack(*shared),
            Expire.type: lambda _: Expire(*shared, partial(self.held_by, record)),
        }

    def _given(self, record: TransferRecord, reversible: bool) -> dict[str, Any]:
        """What the step of a transfer's state is made from."""
        if KIND_OF_STATE[record.state] != Debit.type:
            return {}
        parent = self.parent_vendor_id(record.declaration)
        return {"reversible": reversible, "parent_vendor_id": parent}

    def _spec(
        self, record: TransferRecord, kind: str, actor: str, **arguments: Any
    ) -> OperationSpec:
        declaration = record.declaration
        identity = operation_id(declaration.id, kind)
        return OperationSpec(
            identity,
            kind,
            subject(declaration),
            record.side,
            record.container,
            actor,
            (self._makers(record, identity)[kind](arguments),),
            DeclarationKey(TRANSFER, declaration.id),
        )

    def _run(self, spec: OperationSpec) -> str:
        try:
            self._engine.run(spec)
        except Problem:
            freeze_owed(self._journal)
            raise
        freeze_owed(self._journal)
        return spec.id

    def abandon(self, unit: Unit, record: TransferRecord) -> None:
        """Let go of the container of a transfer that is given up before any intent.

        A process that ended between taking the container and writing the intent left it taken.
        """
        kind = KIND_OF_STATE.get(record.state)
        held = unit.operations.holding(record.container)
        if kind is None or held is None or held.state is not OperationState.RUNNING:
            return
        if held.id == operation_id(record.declaration.id, kind):
            problem = Problem(
                ProblemCode.RUNTIME_UNFINISHED,
                f"The {subject(record.declaration)} was given up before anything was done.",
                "Declare another transfer.",
            )
            unit.operations.set_state(held.id, OperationState.FAILED, problem.as_document())


def _imagined(
    wanted: LegRequest, record: TransferRecord | None, document: Document | None
) -> TransferRecord | None:
    """A transfer as the leg itself would make it before its operation begins.

    None where a leg has no operation, or where those before it have to run first.
    """
    declaration, present = wanted.declaration, record or _unknown(wanted)
    match wanted.leg:
        case Leg.ISSUE if present.state in (State.NONE, State.CREATED):
            return replace(present, declaration=declaration, state=State.CREATED)
        case Leg.INSTALL if present.state in (State.NONE, State.REQUESTED, State.VOID):
            known = replace(present, declaration=declaration, state=State.ACCEPTED)
            if document is None:
                return known
            sent = sent_in(document, declaration)
            return replace(known, amounts=sent.amounts, vendor_transfer_id=sent.vendor_transfer_id)
        case Leg.CONFIRM if document is not None and is_refusal(document):
            return replace(present, state=State.CREDITING_BACK)
    is_on_its_way = present.state in _UNDER_WAY.get(wanted.leg, ())
    return present if is_on_its_way else None


def _unknown(wanted: LegRequest) -> TransferRecord:
    return TransferRecord(wanted.declaration, wanted.leg.side, State.NONE, {}, {}, None, None, 0, 0)


def require_unfrozen(journal: Journal, *containers: str) -> None:
    """Problem if one of them was or is to be frozen; ``containers`` may name exchanges too."""
    with journal.reading() as unit:
        holders = [unit.operations.holding(name) for name in containers]
        owed = unit.declarations.page(FREEZE_OWED, "", FREEZES_MAX)
    for holder in holders:
        if holder is not None and holder.kind == FREEZE and holder.problem is not None:
            raise Problem.from_document(holder.problem)
    for entry in owed:
        if entry.id in containers:
            problem = Problem.from_document(entry.document["problem"])
            # There is no operation yet that could be attested.
            problem.next_action = (
                "Run the playbook again: as soon as the work under way there has ended it is"
                " frozen, and seatkeeper-agent status then says what to settle, and how."
            )
            raise problem


def freeze(
    journal: Journal, container: str, actor: str, problem: Problem, subject_text: str = ""
) -> None:
    """Keep a container from all work until a person has attested what is true.

    ``subject_text`` is what people read where it is something else that is frozen. Where other
    work holds it, nothing new begins there, and it is frozen when that has ended.
    """
    text = subject_text or f"container {container}"
    with journal.transaction() as unit:
        holder = unit.operations.holding(container)
        if holder is None:
            _open_freeze(unit, container, text, actor, problem)
        elif not _is_frozen(holder):
            document = {"actor": actor, "subject": text, "problem": problem.as_document()}
            unit.declarations.put(FREEZE_OWED, container, document)
            detail = {"problem": problem.code.value, "held_by": holder.id}
            unit.audit.append(actor, "to_be_frozen", text, detail)


def freeze_owed(journal: Journal) -> None:
    """Freeze what was to be frozen and is free by now."""
    with journal.reading() as unit:
        owed = unit.declarations.page(FREEZE_OWED, "", FREEZES_MAX)
    for container in [entry.id for entry in owed]:
        with journal.transaction() as unit:
            entry = unit.declarations.get(FREEZE_OWED, container)
            if entry is None or unit.operations.holding(container) is not None:
                continue
            problem = Problem.from_document(entry.document["problem"])
            problem_document = entry.document
            _open_freeze(
                unit, container, problem_document["subject"], problem_document["actor"], problem
            )
            unit.declarations.remove(FREEZE_OWED, container)


def _is_frozen(holder: OperationRecord) -> bool:
    """Whether what holds a container waits for a person to settle a rollback already."""
    problem_document = holder.problem or {}
    is_rolled_back = problem_document.get("code") == ProblemCode.SNAPSHOT_ROLLED_BACK.value
    return holder.kind == FREEZE or (holder.state is OperationState.IN_DOUBT and is_rolled_back)


def _open_freeze(
    unit: Unit, container: str, subject_text: str, actor: str, problem: Problem
) -> None:
    frozen_id = operation_id(container, FREEZE)
    unit.operations.open(frozen_id, FREEZE, subject_text, None, container, actor, steps=[])
    unit.operations.set_state(frozen_id, OperationState.IN_DOUBT, problem.as_document())
    unit.audit.append(actor, "frozen", subject_text, {"problem": problem.code.value})
