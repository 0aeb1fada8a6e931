# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders of license moves at a vendor: one resumable operation each, most of it people's steps."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from seatkeeper_agent.domain.orders import LicenseKey, OtherOrder
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import (
    DeclarationKey,
    DeclarationRecord,
    OperationRecord,
    OperationState,
)
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.foresight import foresee_begun
from seatkeeper_agent.operations.orders.others import LISTED_MAX, documents_of, has_moved, others_of
from seatkeeper_agent.operations.orders.ports import OrderDesk, OrderDocument, PlacedOrder
from seatkeeper_agent.operations.orders.refusals import (
    case_differs,
    done_with_keys,
    just_changed,
    moved_already,
    require_allowed,
    require_case_number,
    require_confirmed,
    require_new_keys,
    require_same,
)
from seatkeeper_agent.operations.orders.requests import (
    KIND,
    ORDER,
    Judged,
    OrderRequest,
    day_of,
    judge,
    judged_as_placed,
    operation_id,
    order_as_placed,
    order_id,
    plan_view,
    require_days,
    unusable,
)
from seatkeeper_agent.operations.orders.steps import (
    AUTHORIZE,
    CASE,
    MOVE,
    NEW_KEYS,
    PAPERS,
    PAPERS_WITH_CASE,
    PURCHASE_ORDER,
    REGISTER_NEW,
    REGISTER_OLD,
    SEND,
    MakeDocuments,
    SendMail,
    authorize_step,
    case_step,
    new_keys_step,
    purchase_order_step,
    register_new_step,
    register_old_step,
    vendor_step,
)
from seatkeeper_agent.operations.people import awaited_view, planned_view
from seatkeeper_agent.operations.ports import Description
from seatkeeper_agent.operations.steps import Makers, OperationSpec, Step, work_from
from seatkeeper_agent.operations.views import moment

MAIL_NAME = "cover-mail.eml"


class OrderService:
    """Orders placed from this host. All failures are Problems; ``folder`` takes the papers."""

    def __init__(
        self,
        journal: Journal,
        engine: Engine,
        desk: OrderDesk,
        folder: Path,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._engine = engine
        self._desk = desk
        self._folder = folder

    @property
    def vendor(self) -> str:
        """Whose staff performs."""
        return self._desk.vendor

    def describe(self) -> Description:
        """The vendor and what is done by whom."""
        return self._desk.describe()

    def put(self, request: OrderRequest, actor: str, dry_run: bool) -> dict[str, Any]:
        """Judge, price and plan it; or, confirmed, do it, up to where somebody has to act."""
        require_case_number(request)
        require_new_keys(request)
        known = self._known(order_id(request.declaration["name"]))
        running = None if known is None else self._operation(known)
        if known is not None and running is not None and _is_begun(running):
            require_same(request, known.document["declaration"], running.state)
            return self._go_on(known, request, actor, dry_run)
        return self._begin(request, known, actor, dry_run)

    def view(self, order: str) -> dict[str, Any] | None:
        """One order; None if it was never placed here."""
        known = self._known(order)
        return None if known is None else self._view(known)

    def page(self, after: str, limit: int) -> list[dict[str, Any]]:
        """Orders in the order of their ids."""
        with self._journal.reading() as unit:
            records = unit.declarations.page(ORDER, after, limit)
        return [self._view(record) for record in records]

    def documents(self, order: str) -> list[dict[str, Any]] | None:
        """The papers as they lie in the order's folder; None for an unknown order."""
        known = self._known(order)
        if known is None:
            return None
        return [
            {
                "name": entry.name,
                "media_type": entry.media_type,
                "path": str(self._folder_of(order) / entry.name),
                "content": base64.b64encode(entry.content).decode(),
            }
            for entry in self._made(known.document)
            if (self._folder_of(order) / entry.name).exists()
        ]

    def resume(self, actor: str) -> list[str]:
        """Take up what was interrupted or waits; one that cannot go on does not stop the others."""
        with self._journal.reading() as unit:
            open_operations = unit.operations.open_for(ORDER)
        resumed: list[str] = []
        problems: list[Problem] = []
        for operation in open_operations:
            if operation.state is OperationState.IN_DOUBT:
                continue
            try:
                # What somebody has given up meanwhile is not begun again.
                spec = self._spec_of(self._declared_by(operation), operation, operation.actor)
                if self._engine.resume(spec) is not None:
                    resumed.append(operation.id)
            except Problem as problem:
                problems.append(problem)
        if problems:
            raise problems[0]
        return resumed

    def attest(
        self, operation: OperationRecord, happened: bool, statement: str, actor: str
    ) -> None:
        """A person's word on what nothing shows; what the vendor has moved is not given up."""
        if has_moved(operation) and not happened:
            raise moved_already(operation)
        spec = self._spec_of(self._declared_by(operation), operation, operation.actor)
        self._engine.attest(spec, operation, happened, statement, actor)

    def _begin(
        self,
        request: OrderRequest,
        known: DeclarationRecord | None,
        actor: str,
        dry_run: bool,
    ) -> dict[str, Any]:
        judged = self._judged_today(request, dry_run)
        require_allowed(request, judged)
        identity = order_id(request.declaration["name"])
        document = self._document(request, known, judged)
        steps = self._steps(identity, document)
        plan = plan_view(request.declaration, judged, steps, document["mails_before"])
        answer = {
            "changed": True,
            "before": {"state": "none"},
            "after": {"state": "waiting"},
            "report": judged.report(),
            "quote": judged.quote.as_document(),
            "plan": plan,
            "order": None,
            "operation": None,
            "waiting": [],
        }
        if dry_run:
            return answer
        require_confirmed(request, plan)
        record = DeclarationRecord(ORDER, identity, document, 0, 0)

        def declare(unit: Unit) -> None:
            # Others may have begun, and even ended, this order or another since it was looked at.
            others = documents_of(self._others(unit, request, dry_run))
            if unit.declarations.get(ORDER, identity) != known or others != document["beside"]:
                raise just_changed(request)
            unit.declarations.put(ORDER, identity, document)
            detail = {"plan": plan["digest"], "total": judged.quote.as_document()["total"]}
            unit.audit.append(actor, "confirmed", f"order {request.declaration['name']!r}", detail)

        self._engine.run(self._spec(record, actor), declare)
        return self._answer(identity, "none", True)

    def _judged_today(self, request: OrderRequest, dry_run: bool) -> Judged:
        with self._journal.reading() as unit:
            others = self._others(unit, request, dry_run)
        policy, today = self._desk.policy(), day_of(self._clock())
        judged = judge(request.declaration, policy, today, others)
        require_days(judged.order)
        return judged

    def _others(self, unit: Unit, request: OrderRequest, dry_run: bool) -> tuple[OtherOrder, ...]:
        try:
            return others_of(unit, request, dry_run)
        except ValueError as error:
            raise unusable(request.declaration["name"], error) from error

    def _document(
        self, request: OrderRequest, known: DeclarationRecord | None, judged: Judged
    ) -> dict[str, Any]:
        """What is remembered of a new attempt; ``known`` is the one before, which has failed."""
        before: dict[str, Any] = {"attempt": 0, "mails_before": 0, "case_number": None}
        sent = False
        if known is not None:
            before = known.document
            operation = self._operation(known)
            sent = operation is not None and bool(operation.begun(SendMail.type))
        number = request.case_number
        return {
            "declaration": request.declaration,
            "case_number": before["case_number"] if number is None else number,
            "attempt": before["attempt"] + 1,
            "mails_before": before["mails_before"] + sent,
            # As it was when it was begun: the steps of an open operation stay what they are.
            "mailed": self._desk.sends_mail,
            "issues_new_keys": judged.order.targets[0].is_software_only,
            "new_keys": list(request.new_keys),
            "fee_of": judged.fee_of,
            "judged_on": judged.order.today.isoformat(),
            "beside": documents_of(judged.order.beside),
            # An order that was placed is judged no more, whatever becomes of rules and prices.
            "report": judged.report(),
            "quote": judged.quote.as_document(),
            "made_at": moment(int(self._clock())),
        }

    def _go_on(
        self, known: DeclarationRecord, request: OrderRequest, actor: str, dry_run: bool
    ) -> dict[str, Any]:
        before = self._view(known)["state"]
        given, operation = self._given(known, request), self._operation(known)
        if dry_run:
            if operation is not None:
                foresee_begun(self._spec_of(known, operation, actor), operation)
            return self._answer(known.id, before, bool(given))
        if given:
            known = self._keep(known, request, given, actor)
        if operation is not None:
            self._engine.resume(self._spec_of(known, operation, actor))
        changed = _progress(self._operation(known)) != _progress(operation)
        return self._answer(known.id, before, changed)

    def _given(self, known: DeclarationRecord, request: OrderRequest) -> dict[str, Any]:
        """What the declaration has by now that somebody else gave; Problem for another one."""
        given: dict[str, Any] = {}
        number, keys = request.case_number, list(request.new_keys)
        if number is not None and number != known.document["case_number"]:
            self._require_case(known, number)
            given["case_number"] = number
        recorded = known.document.get("new_keys", [])
        if keys and keys != recorded:
            operation = self._operation(known)
            if operation is not None and operation.state is OperationState.DONE:
                raise done_with_keys(known.document["declaration"]["name"], recorded)
            given["new_keys"] = keys
        return given

    def _require_case(self, known: DeclarationRecord, number: str) -> None:
        """A number stays, and orders that share a fee share their case."""
        name, present = known.document["declaration"]["name"], known.document["case_number"]
        if present is not None:
            raise case_differs(f"The order {name!r} has the case number {present}, not {number}.")
        with self._journal.reading() as unit:
            records = unit.declarations.page(ORDER, "", LISTED_MAX)
        for other in records:
            shared = other.document["declaration"]["name"]
            theirs = other.document["case_number"]
            is_shared = (
                known.document.get("fee_of") == shared or other.document.get("fee_of") == name
            )
            if is_shared and theirs not in (None, number):
                raise case_differs(
                    f"The orders {name!r} and {shared!r} were confirmed for one fee in one support"
                    f" case, which is {theirs}, not {number}."
                )

    def _keep(
        self,
        known: DeclarationRecord,
        request: OrderRequest,
        given: dict[str, Any],
        actor: str,
    ) -> DeclarationRecord:
        document = {**known.document, **given}
        with self._journal.transaction() as unit:
            present = unit.declarations.get(ORDER, known.id)
            # Others may have declared it, or begun another attempt, since it was looked at.
            if present is None or present.document not in (known.document, document):
                raise just_changed(request)
            if present.document != document:
                unit.declarations.put(ORDER, known.id, document)
                subject = f"order {request.declaration['name']!r}"
                action = "case" if "case_number" in given else "new_keys"
                unit.audit.append(actor, action, subject, given)
        return replace(known, document=document)

    def _steps(self, identity: str, document: dict[str, Any]) -> tuple[Step, ...]:
        """Those of a new attempt."""
        mailed, anew = document["mailed"], document["issues_new_keys"]
        types = (
            PAPERS,
            CASE,
            PAPERS_WITH_CASE,
            *((PURCHASE_ORDER,) if anew else ()),
            SEND,
            *((AUTHORIZE,) if mailed else ()),
            MOVE,
            *((NEW_KEYS,) if anew else ()),
            REGISTER_OLD,
            REGISTER_NEW,
        )
        makers, given = self._makers(identity, document), {SEND: {"by_agent": mailed}}
        return tuple(makers[step_type](given.get(step_type, {})) for step_type in types)

    def _makers(self, identity: str, document: dict[str, Any]) -> Makers:
        desk, folder = self._desk, self._folder_of(identity)
        placed = PlacedOrder(
            order_as_placed(document),
            folder,
            document["case_number"],
            tuple(LicenseKey(**entry) for entry in document.get("new_keys", [])),
            document.get("fee_of"),
        )

        def made() -> list[OrderDocument]:
            return self._made({**document, "case_number": None})

        def send(by_agent: bool) -> Step:
            mail = partial(self._mail, identity)
            return SendMail(mail, desk.send if by_agent else None, desk.mail(placed))

        return {
            PAPERS: lambda _: MakeDocuments(PAPERS, folder, made),
            CASE: lambda _: case_step(desk, placed, partial(self._case_number, identity)),
            PAPERS_WITH_CASE: lambda _: MakeDocuments(
                PAPERS_WITH_CASE, folder, partial(self._made_now, identity)
            ),
            PURCHASE_ORDER: lambda _: purchase_order_step(desk, placed),
            SEND: lambda given: send(**given),
            AUTHORIZE: lambda _: authorize_step(desk, placed),
            MOVE: lambda _: vendor_step(desk, placed),
            NEW_KEYS: lambda _: new_keys_step(desk, placed, partial(self._new_keys, identity)),
            REGISTER_OLD: lambda _: register_old_step(desk, placed),
            REGISTER_NEW: lambda _: register_new_step(desk, placed),
        }

    def _spec(self, known: DeclarationRecord, actor: str) -> OperationSpec:
        return OperationSpec(
            operation_id(known.id, known.document["attempt"]),
            KIND,
            f"order {known.document['declaration']['name']!r}",
            None,
            f"order/{known.id}",
            actor,
            self._steps(known.id, known.document),
            DeclarationKey(ORDER, known.id),
        )

    def _spec_of(
        self, known: DeclarationRecord, operation: OperationRecord, actor: str
    ) -> OperationSpec:
        return work_from(operation, self._makers(known.id, known.document), actor)

    def _made(self, document: dict[str, Any]) -> list[OrderDocument]:
        at = datetime.fromisoformat(document["made_at"])
        return self._desk.documents(order_as_placed(document), document["case_number"], at)

    def _made_now(self, identity: str) -> list[OrderDocument]:
        known = self._known(identity)
        return [] if known is None else self._made(known.document)

    def _mail(self, identity: str) -> bytes:
        return next(e.content for e in self._made_now(identity) if e.name == MAIL_NAME)

    def _case_number(self, identity: str) -> str | None:
        known = self._known(identity)
        return None if known is None else known.document["case_number"]

    def _new_keys(self, identity: str) -> list[dict[str, Any]]:
        known = self._known(identity)
        return [] if known is None else list(known.document.get("new_keys", []))

    def _folder_of(self, identity: str) -> Path:
        return self._folder / identity

    def _known(self, identity: str) -> DeclarationRecord | None:
        with self._journal.reading() as unit:
            return unit.declarations.get(ORDER, identity)

    def _operation(self, known: DeclarationRecord) -> OperationRecord | None:
        with self._journal.reading() as unit:
            return _operation_of(unit, known)

    def _declared_by(self, operation: OperationRecord) -> DeclarationRecord:
        with self._journal.reading() as unit:
            known = unit.declarations.get(ORDER, operation.declared_id)
        if known and operation_id(known.id, known.document["attempt"]) == operation.id:
            return known
        raise Problem(
            ProblemCode.OPERATION_UNKNOWN,
            f"The operation {operation.id} is no order's that is open on this host.",
            "Look at the list of orders.",
        )

    def _view(self, known: DeclarationRecord) -> dict[str, Any]:
        operation = self._operation(known)
        declaration = known.document["declaration"]
        return {
            "id": known.id,
            "name": declaration["name"],
            "vendor": self._desk.vendor,
            "source": declaration["source"]["name"],
            "target": declaration["target"]["name"],
            "keys": declaration["keys"],
            "source_key": declaration["source"]["system_key"],
            "target_key": declaration["target"]["system_key"],
            "case_number": known.document["case_number"],
            "new_keys": known.document.get("new_keys", []),
            "ended_on": _ended_on(operation),
            "state": "none" if operation is None else operation.state.value,
            "folder": str(self._folder_of(known.id)),
            "steps": [planned_view(step) for step in operation.steps] if operation else [],
            "problem": None if operation is None else operation.problem,
            "operation": None
            if operation is None
            else {"id": operation.id, "state": operation.state.value},
            "created_at": moment(known.created_at),
            "updated_at": moment(known.updated_at),
        }

    def _answer(self, identity: str, before: str, changed: bool) -> dict[str, Any]:
        known = self._known(identity)
        if known is None:
            raise LookupError(f"the order {identity} was not written")
        view, operation = self._view(known), self._operation(known)
        waits = operation is not None and operation.awaited is not None
        return {
            "changed": changed,
            "before": {"state": before},
            "after": {"state": view["state"]},
            **judged_as_placed(known.document),
            "plan": {"digest": None, "confirmation_required": False, "steps": view["steps"]},
            "order": view,
            "operation": view["operation"],
            "waiting": [awaited_view(operation)] if operation is not None and waits else [],
        }


def _operation_of(unit: Unit, known: DeclarationRecord) -> OperationRecord | None:
    return unit.operations.get(operation_id(known.id, known.document["attempt"]))


def _is_begun(operation: OperationRecord | None) -> bool:
    """An attempt that failed leaves the way free for another one."""
    return operation is not None and operation.state is not OperationState.FAILED


def _ended_on(operation: OperationRecord | None) -> str | None:
    """The day on which it was done, for whoever counts stations."""
    if operation is None or operation.state is not OperationState.DONE:
        return None
    return day_of(operation.updated_at).isoformat()


def _progress(operation: OperationRecord | None) -> tuple[str, ...]:
    return () if operation is None else tuple(step.state.value for step in operation.steps)
