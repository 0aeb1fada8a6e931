# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders of license moves at a vendor: one resumable operation each, most of it people's steps."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import (
    DeclarationRecord,
    OperationRecord,
    OperationState,
    StepState,
)
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.orders.plan import (
    KIND,
    Judged,
    OrderRequest,
    judge,
    just_changed,
    operation_id,
    order_id,
    plan_view,
    require_case_number,
)
from seatkeeper_agent.operations.orders.ports import OrderDesk, OrderDocument
from seatkeeper_agent.operations.orders.steps import (
    MakeDocuments,
    OpenCase,
    SendMail,
    steps_of_people,
)
from seatkeeper_agent.operations.people import awaited_view, planned_view
from seatkeeper_agent.operations.ports import Description
from seatkeeper_agent.operations.steps import Step, Work
from seatkeeper_agent.operations.views import moment

ORDER = "order"
LISTED_MAX = 10_000
MAIL_NAME = "cover-mail.eml"


class OrderService:
    """Orders placed from this host. All failures are Problems; ``folder`` takes the papers."""

    def __init__(self, journal: Journal, engine: Engine, desk: OrderDesk, folder: Path) -> None:
        self._journal = journal
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
        judged = judge(request.declaration, self._desk.policy())
        known = self._known(order_id(request.declaration["name"]))
        running = None if known is None else self._operation(known)
        if known is not None and _is_begun(running):
            self._require_same(request, known)
            return self._go_on(known, request, judged, actor, dry_run)
        return self._begin(request, known, judged, actor, dry_run)

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
            open_operations = unit.operations.page(True, "", LISTED_MAX)
        resumed: list[str] = []
        problems: list[Problem] = []
        for operation in open_operations:
            if operation.kind != KIND or operation.state is OperationState.IN_DOUBT:
                continue
            try:
                # What somebody has given up meanwhile is not begun again.
                work = self._work(self._declared_by(operation), operation.actor)
                if self._engine.resume(work) is not None:
                    resumed.append(operation.id)
            except Problem as problem:
                problems.append(problem)
        if problems:
            raise problems[0]
        return resumed

    def attest(
        self, operation: OperationRecord, happened: bool, statement: str, actor: str
    ) -> None:
        """A person's word on what nothing shows."""
        work = self._work(self._declared_by(operation), operation.actor)
        self._engine.attest(work, operation, happened, statement, actor)

    def _begin(
        self,
        request: OrderRequest,
        known: DeclarationRecord | None,
        judged: Judged,
        actor: str,
        dry_run: bool,
    ) -> dict[str, Any]:
        identity = order_id(request.declaration["name"])
        document = self._document(request, known)
        steps = self._steps(identity, document)
        plan = plan_view(request.declaration, judged, steps, document["mails_before"])
        answer = {
            "changed": not judged.refused,
            "before": {"state": "none"},
            "after": {"state": "none" if judged.refused else "waiting"},
            "report": judged.report(),
            "quote": judged.quote.as_document(),
            "plan": plan,
            "order": None,
            "operation": None,
            "waiting": [],
        }
        if dry_run:
            return answer
        self._require_allowed(request, judged, plan)
        record = DeclarationRecord(ORDER, identity, document, 0, 0)

        def declare(unit: Unit) -> None:
            # Others may have begun, and even ended, since it was looked at.
            if unit.declarations.get(ORDER, identity) != known:
                raise just_changed(request)
            unit.declarations.put(ORDER, identity, document)
            detail = {"plan": plan["digest"], "total": judged.quote.as_document()["total"]}
            unit.audit.append(actor, "confirmed", f"order {request.declaration['name']!r}", detail)

        self._engine.run(self._work(record, actor), declare)
        return self._answer(identity, judged, "none", True)

    def _document(self, request: OrderRequest, known: DeclarationRecord | None) -> dict[str, Any]:
        """What is remembered of a new attempt; ``known`` is the one before, which has failed."""
        before: dict[str, Any] = {"attempt": 0, "mails_before": 0, "case_number": None}
        sent = False
        if known is not None:
            before = known.document
            operation = self._operation(known)
            steps = operation.steps if operation else ()
            sent = any(s.name == "send" and s.state is not StepState.PLANNED for s in steps)
        number = request.case_number
        return {
            "declaration": request.declaration,
            "case_number": before["case_number"] if number is None else number,
            "attempt": before["attempt"] + 1,
            "mails_before": before["mails_before"] + sent,
            # As it was when it was begun: the steps of an open operation stay what they are.
            "mailed": self._desk.sends_mail,
            "made_at": moment(int(datetime.now(UTC).timestamp())),
        }

    def _go_on(
        self,
        known: DeclarationRecord,
        request: OrderRequest,
        judged: Judged,
        actor: str,
        dry_run: bool,
    ) -> dict[str, Any]:
        before = self._view(known)["state"]
        number = request.case_number
        if number is not None and known.document["case_number"] not in (None, number):
            raise Problem(
                ProblemCode.DECLARATION_DIFFERS,
                f"The order {request.declaration['name']!r} has the case number"
                f" {known.document['case_number']}, not {number}.",
                "Declare that one.",
            )
        is_new = number is not None and number != known.document["case_number"]
        if dry_run:
            return self._answer(known.id, judged, before, is_new)
        if is_new:
            self._keep_case_number(known, request, actor)
        steps_before = _progress(self._operation(known))
        self._engine.resume(self._work(known, actor))
        changed = _progress(self._operation(known)) != steps_before
        return self._answer(known.id, judged, before, changed)

    def _keep_case_number(
        self, known: DeclarationRecord, request: OrderRequest, actor: str
    ) -> None:
        document = {**known.document, "case_number": request.case_number}
        with self._journal.transaction() as unit:
            present = unit.declarations.get(ORDER, known.id)
            # Others may have declared it, or begun another attempt, since it was looked at.
            if present is None or present.document not in (known.document, document):
                raise just_changed(request)
            if present.document != document:
                unit.declarations.put(ORDER, known.id, document)
                detail = {"case_number": request.case_number}
                unit.audit.append(actor, "case", f"order {request.declaration['name']!r}", detail)

    def _steps(self, identity: str, document: dict[str, Any]) -> tuple[Step, ...]:
        desk, order = self._desk, judge(document["declaration"], self._desk.policy()).order
        folder = self._folder_of(identity)
        return (
            MakeDocuments("papers", folder, lambda: self._made({**document, "case_number": None})),
            OpenCase(desk.case(order), lambda: self._case_number(identity)),
            MakeDocuments("papers_with_case", folder, lambda: self._made_now(identity)),
            SendMail(
                mail=lambda: self._mail(identity),
                send=desk.send if document["mailed"] else None,
                told=desk.mail(order),
            ),
            *steps_of_people(desk, order, document["mailed"]),
        )

    def _work(self, known: DeclarationRecord, actor: str) -> Work:
        return Work(
            operation_id(known.id, known.document["attempt"]),
            KIND,
            f"order {known.document['declaration']['name']!r}",
            None,
            f"order/{known.id}",
            actor,
            self._steps(known.id, known.document),
        )

    def _made(self, document: dict[str, Any]) -> list[OrderDocument]:
        judged = judge(document["declaration"], self._desk.policy())
        at = datetime.fromisoformat(document["made_at"])
        return self._desk.documents(judged.order, judged.quote, document["case_number"], at)

    def _made_now(self, identity: str) -> list[OrderDocument]:
        known = self._known(identity)
        return [] if known is None else self._made(known.document)

    def _mail(self, identity: str) -> bytes:
        return next(e.content for e in self._made_now(identity) if e.name == MAIL_NAME)

    def _case_number(self, identity: str) -> str | None:
        known = self._known(identity)
        return None if known is None else known.document["case_number"]

    def _folder_of(self, identity: str) -> Path:
        return self._folder / identity

    def _require_allowed(self, request: OrderRequest, judged: Judged, plan: dict[str, Any]) -> None:
        name = request.declaration["name"]
        if judged.refused:
            unmet = [row for row in judged.rows if row.verdict.value == "not_met"]
            told = "; ".join(f"required is that {row.required}: {row.observed}" for row in unmet)
            raise Problem(
                ProblemCode.ORDER_NOT_ALLOWED,
                f"The order {name!r} breaks rules: {told}.",
                unmet[0].advice,
                judged.report(),
            )
        if request.confirmation != plan["digest"]:
            raise Problem(
                ProblemCode.CONFIRMATION_REQUIRED,
                f"What the order {name!r} sets going costs money and cannot be undone, and the"
                f" confirmation given is"
                f" {'missing' if request.confirmation is None else 'for another plan'}.",
                f"Confirm exactly this plan with confirmation {plan['digest']} if it shall run.",
                {"digest": plan["digest"]},
            )

    def _require_same(self, request: OrderRequest, known: DeclarationRecord) -> None:
        present = known.document["declaration"]
        differing = [key for key in present if present[key] != request.declaration.get(key)]
        if differing:
            raise Problem(
                ProblemCode.DECLARATION_DIFFERS,
                f"The order {present['name']!r} was placed with another {', '.join(differing)}.",
                "Give the changed order a new name; what was placed goes on as it was.",
            )

    def _known(self, identity: str) -> DeclarationRecord | None:
        with self._journal.reading() as unit:
            return unit.declarations.get(ORDER, identity)

    def _operation(self, known: DeclarationRecord) -> OperationRecord | None:
        with self._journal.reading() as unit:
            return _operation_of(unit, known)

    def _declared_by(self, operation: OperationRecord) -> DeclarationRecord:
        with self._journal.reading() as unit:
            for record in unit.declarations.page(ORDER, "", LISTED_MAX):
                if operation_id(record.id, record.document["attempt"]) == operation.id:
                    return record
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
            "case_number": known.document["case_number"],
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

    def _answer(self, identity: str, judged: Judged, before: str, changed: bool) -> dict[str, Any]:
        known = self._known(identity)
        if known is None:
            raise LookupError(f"the order {identity} was not written")
        view, operation = self._view(known), self._operation(known)
        waits = operation is not None and operation.awaited is not None
        return {
            "changed": changed,
            "before": {"state": before},
            "after": {"state": view["state"]},
            "report": judged.report(),
            "quote": judged.quote.as_document(),
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


def _progress(operation: OperationRecord | None) -> tuple[str, ...]:
    return () if operation is None else tuple(step.state.value for step in operation.steps)
