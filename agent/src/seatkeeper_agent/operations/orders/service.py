# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders of license moves at a vendor: one resumable operation each, most of it people's steps."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seatkeeper_agent.domain.plans import Instructions, Performer
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
    operation_id,
    order_id,
    plan_view,
)
from seatkeeper_agent.operations.orders.ports import OrderDesk, OrderDocument
from seatkeeper_agent.operations.orders.steps import (
    Attested,
    MakeDocuments,
    OpenCase,
    SendMail,
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
        """Take up what was interrupted or waits."""
        with self._journal.reading() as unit:
            open_operations = unit.operations.page(True, "", LISTED_MAX)
        resumed = []
        for operation in open_operations:
            if operation.kind == KIND and operation.state is not OperationState.IN_DOUBT:
                self._engine.run(self._work(self._declared_by(operation), operation.actor))
                resumed.append(operation.id)
        return resumed

    def attest(
        self, operation: OperationRecord, happened: bool, statement: str, actor: str
    ) -> None:
        """A person's word on what nothing shows."""
        work = self._work(self._declared_by(operation), operation.actor)
        self._engine.attest(work, happened, statement, actor)

    def _begin(
        self,
        request: OrderRequest,
        known: DeclarationRecord | None,
        judged: Judged,
        actor: str,
        dry_run: bool,
    ) -> dict[str, Any]:
        attempt = 1 if known is None else known.document["attempt"] + 1
        document = {
            "declaration": request.declaration,
            "case_number": request.case_number,
            "attempt": attempt,
            "made_at": moment(int(datetime.now(UTC).timestamp())),
        }
        identity = order_id(request.declaration["name"])
        plan = plan_view(request.declaration, judged, self._steps(identity, document))
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
        with self._journal.transaction() as unit:
            unit.declarations.put(ORDER, identity, document)
            detail = {"plan": plan["digest"], "total": judged.quote.as_document()["total"]}
            unit.audit.append(actor, "confirmed", f"order {request.declaration['name']!r}", detail)
        return self._run(identity, judged, actor, "none")

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
        if dry_run:
            return self._answer(known, judged, before, number != known.document["case_number"])
        if number is not None and known.document["case_number"] is None:
            with self._journal.transaction() as unit:
                unit.declarations.put(ORDER, known.id, {**known.document, "case_number": number})
                detail = {"case_number": number}
                unit.audit.append(actor, "case", f"order {request.declaration['name']!r}", detail)
        return self._run(known.id, judged, actor, before)

    def _run(self, identity: str, judged: Judged, actor: str, before: str) -> dict[str, Any]:
        known = self._known(identity)
        if known is None:
            raise LookupError(f"the order {identity} was not written")
        steps_before = _progress(self._operation(known))
        self._engine.run(self._work(known, actor))
        changed = _progress(self._operation(known)) != steps_before
        return self._answer(known, judged, before, changed)

    def _steps(self, identity: str, document: dict[str, Any]) -> tuple[Step, ...]:
        desk, order = self._desk, judge(document["declaration"], self._desk.policy()).order
        folder = self._folder_of(identity)
        send = desk.send if desk.sends_mail else None

        def attested(
            name: str, title: str, told: Instructions, who: Performer, reversible: bool = True
        ) -> Attested:
            return Attested(name, title, told, who, reversible)

        by_hand = [
            attested(
                "authorize",
                "sending the credit card authorization",
                desk.authorize(order),
                Performer.PERSON,
            )
        ]
        return (
            MakeDocuments("papers", folder, lambda: self._made({**document, "case_number": None})),
            OpenCase(desk.case(order), lambda: self._case_number(identity)),
            MakeDocuments("papers_with_case", folder, lambda: self._made_now(identity)),
            SendMail(
                mail=lambda: self._mail(identity),
                send=send,
                told=desk.mail(order),
                was_intended=self._was_intended(identity, document["attempt"], "send"),
            ),
            *(by_hand if desk.sends_mail else ()),
            attested(
                "move",
                "the vendor moving the licenses",
                desk.move(order),
                Performer.VENDOR,
                reversible=False,
            ),
            attested(
                "register_old",
                f"registering {order.moves[0].source.name}, which the licenses left",
                desk.register_old(order),
                Performer.PERSON,
            ),
            attested(
                "register_new",
                f"registering {order.moves[0].target.name} with the moved keys",
                desk.register_new(order),
                Performer.PERSON,
            ),
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

    def _was_intended(self, identity: str, attempt: int, name: str) -> bool:
        with self._journal.reading() as unit:
            operation = unit.operations.get(operation_id(identity, attempt))
        steps = operation.steps if operation else ()
        return any(s.name == name and s.state is not StepState.PLANNED for s in steps)

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
        raise LookupError(f"operation {operation.id} belongs to no order")

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

    def _answer(
        self, known: DeclarationRecord, judged: Judged, before: str, changed: bool
    ) -> dict[str, Any]:
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
