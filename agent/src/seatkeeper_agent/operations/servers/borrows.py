# SPDX-License-Identifier: GPL-3.0-or-later
"""Seats of an account that a server holds for offline use, declared until a date.

The vendor lends for two weeks at most and tells no way but its page (grade T). A declared end
that comes sooner is kept by returning the seats then; a later one by AUTO-RENEW.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from seatkeeper_agent.domain.planned_steps import Instructions
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import (
    DeclarationKey,
    DeclarationRecord,
    OperationRecord,
)
from seatkeeper_agent.domain.servers import ServerStatus
from seatkeeper_agent.domain.transfers import NAMESPACE
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.engine import Engine, driver_problem
from seatkeeper_agent.operations.in_the_way import require_unheld
from seatkeeper_agent.operations.people import awaited_view, planned_view
from seatkeeper_agent.operations.ports import DriverError
from seatkeeper_agent.operations.server_ports import LicenseServerDriver, PageDriver
from seatkeeper_agent.operations.servers.borrow_steps import (
    BORROW,
    AutoRenew,
    Borrow,
    Release,
)
from seatkeeper_agent.operations.servers.settings import holder_of
from seatkeeper_agent.operations.steps import Makers, OperationSpec, Step, work_from
from seatkeeper_agent.operations.views import moment

KIND = "server_borrow"
LENT_SECONDS = 14 * 24 * 3600
"""How long the vendor lends at most (grade T)."""


@dataclass(frozen=True)
class ServerBorrowRequest:
    """What is declared; ``seats`` 0 means that nothing is borrowed, ``until`` is in seconds."""

    id: str
    name: str
    product: str
    seats: int
    until: int
    auto_renew: bool = False


class BorrowInstructions(Protocol):
    """What a person does on the page."""

    def borrow(self, product: str, seats: int, auto_renew: bool) -> Instructions:
        """Take seats."""

    def release(self, product: str) -> Instructions:
        """Give them back."""

    def set_auto_renew(self, product: str, enabled: bool) -> Instructions:
        """Have them renewed, or not."""


class ServerBorrowService:
    """Borrows of one vendor's server on this host. All failures are Problems."""

    def __init__(
        self,
        journal: Journal,
        engine: Engine,
        driver: LicenseServerDriver,
        page: PageDriver | None,
        instructions: BorrowInstructions,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._journal = journal
        self._engine = engine
        self._driver = driver
        self._page = page
        self._instructions = instructions
        self._clock = clock
        self._holder = holder_of(driver.vendor)

    def put(self, request: ServerBorrowRequest, actor: str, dry_run: bool) -> dict[str, Any]:
        """Make it so, up to where a person has to do something."""
        now = int(self._clock())
        known, operation = self._found(request.id)
        if operation is not None and known is not None and not dry_run:
            self._engine.resume(self._spec_of(operation, operation.actor))
            known, operation = self._found(request.id)
            if operation is not None:
                return self._answer(known, operation, False, {}, {})
        self._check(request, known, now)
        present = self._present(request, known)
        names = self._wanted(request, present, now)
        before = {"product": request.product, **present}
        after = _after(request, present, names)
        if dry_run and names:
            with self._journal.reading() as unit:
                require_unheld(unit, self._holder, None if operation is None else operation.id)
        if dry_run or not names:
            if operation is not None and names:
                # It is carried on first, so that a plan waits for the same.
                return self._answer(known, operation, False, before, after)
            steps = self._steps(request.id, _document(request, names, present, 0))
            shown = [planned_view(step) for step in steps]
            return self._answer(known, None, bool(names), before, after, shown)
        attempt = 1 if known is None else known.document["attempt"] + 1
        document = _document(request, names, present, attempt)

        def declare(unit: Unit) -> None:
            if unit.declarations.get(BORROW, request.id) != known:
                raise _overtaken(request.name)
            unit.declarations.put(BORROW, request.id, document)
            detail = {"seats": request.seats, "until": moment(request.until)}
            unit.audit.append(actor, "borrow", f"borrow {request.name!r}", detail)

        declared = DeclarationRecord(BORROW, request.id, document, now, now)
        self._engine.run(self._spec(declared, actor), declare)
        found, _ = self._found(request.id)
        return self._answer(found, self._last(found), True, before, after)

    def view(self, borrow_id: str) -> dict[str, Any] | None:
        """One borrow; None if it was never declared here."""
        known, _ = self._found(borrow_id)
        return None if known is None else self._view(known)

    def page(self, after: str, limit: int) -> list[dict[str, Any]]:
        """Borrows in the order of their ids."""
        with self._journal.reading() as unit:
            records = unit.declarations.page(BORROW, after, limit)
        return [self._view(record) for record in records]

    def resume(self, actor: str) -> list[str]:
        """Take up what was interrupted or waits."""
        with self._journal.reading() as unit:
            operation = unit.operations.holding(self._holder)
        if operation is None or operation.kind != KIND:
            return []
        resumed = self._engine.resume(self._spec_of(operation, actor))
        return [] if resumed is None else [operation.id]

    def attest(
        self, operation: OperationRecord, happened: bool, statement: str, actor: str
    ) -> None:
        """A person's word on what cannot be observed."""
        spec = self._spec_of(operation, operation.actor)
        self._engine.attest(spec, operation, happened, statement, actor)

    def _check(
        self, request: ServerBorrowRequest, known: DeclarationRecord | None, now: int
    ) -> None:
        if known is not None and known.document["product"] != request.product:
            raise Problem(
                ProblemCode.DECLARATION_DIFFERS,
                f"The borrow {request.name!r} is known here with the product"
                f" {known.document['product']}.",
                "Return it, and give the new borrow a new name.",
            )
        other = self._other(request) if request.seats else None
        if other is not None:
            raise Problem(
                ProblemCode.DECLARATION_DIFFERS,
                f"The seats of {request.product} that this server holds for offline use are"
                f" declared by the borrow {other.document['name']!r}; it keeps one number a"
                " product.",
                "Declare all of them in one borrow.",
            )
        if request.seats and request.until > now + LENT_SECONDS:
            raise Problem(
                ProblemCode.PERIOD_TOO_LONG,
                f"The borrow {request.name!r} would end at {moment(request.until)}; the vendor"
                f" lends for two weeks at most, which is until {moment(now + LENT_SECONDS)}.",
                "Declare an earlier end, and move it on in time, or set auto_renew.",
            )
        if request.seats and request.until <= now and known is None:
            raise Problem(
                ProblemCode.PERIOD_IN_THE_PAST,
                f"The borrow {request.name!r} would end at {moment(request.until)}, which is past.",
                "Declare until as a date ahead.",
            )

    def _other(self, request: ServerBorrowRequest) -> DeclarationRecord | None:
        """Another declared borrow whose seats of the product are, or are being, borrowed."""
        with self._journal.reading() as unit:
            records = unit.declarations.of_product(BORROW, request.product)
            held = unit.operations.holding(self._holder)
        return next(
            (
                record
                for record in records
                if record.id != request.id
                and (record.document["borrowed"] or (held and held.id == _operation_id(record)))
            ),
            None,
        )

    def _present(
        self, request: ServerBorrowRequest, known: DeclarationRecord | None
    ) -> dict[str, Any]:
        """What is borrowed now, as far as server, page and journal tell."""
        product = request.product
        try:
            status: ServerStatus = self._driver.status()
            rows = self._page.borrowed() if self._page is not None else []
        except DriverError as error:
            raise driver_problem("reading what is borrowed", error) from error
        # What another declaration has borrowed is not this one's to give back.
        if product not in status.offline_products or self._other(request) is not None:
            return {"seats": 0, "until": None, "auto_renew": False}
        remembered = {} if known is None else known.document["borrowed"] or {}
        row = next((entry for entry in rows if entry.product == product), None)
        if row is not None:
            return {
                "seats": row.seats,
                "until": moment(row.until),
                "auto_renew": bool(row.auto_renew),
            }
        return {
            "seats": remembered.get("seats"),
            "until": remembered.get("until"),
            "auto_renew": remembered.get("auto_renew", False),
        }

    def _wanted(self, request: ServerBorrowRequest, present: dict[str, Any], now: int) -> list[str]:
        """The steps that make it so."""
        seats = request.seats if request.until > now else 0
        if seats == 0:
            return ["release"] if present["seats"] != 0 else []
        if present["seats"] == 0:
            return ["borrow"]
        if present["seats"] not in (None, seats):
            return ["release", "borrow"]
        late = present["until"] is not None and present["until"] < (moment(request.until) or "")
        renew = request.auto_renew or late
        return ["auto_renew"] if renew != present["auto_renew"] else []

    def _steps(self, borrow_id: str, document: dict[str, Any]) -> tuple[Step, ...]:
        product, seats = {"product": document["product"]}, {"seats": document["seats"]}
        arguments: dict[str, dict[str, Any]] = {
            Release.type: product,
            Borrow.type: {**product, **seats, "auto_renew": document["auto_renew"]},
            AutoRenew.type: {**product, **seats, "enabled": not document["renewing"]},
        }
        makers = self._makers(borrow_id)
        return tuple(makers[name](arguments[name]) for name in document["steps"])

    def _makers(self, borrow_id: str) -> Makers:
        server, page, guidance = self._driver, self._page, self._instructions

        def borrow(product: str, seats: int, auto_renew: bool) -> Step:
            keep = partial(_remember, borrow_id, seats, auto_renew)
            to_do = guidance.borrow(product, seats, auto_renew)
            return Borrow(server, page, product, to_do, seats, auto_renew, keep)

        def release(product: str) -> Step:
            to_do = guidance.release(product)
            return Release(server, page, product, to_do, partial(_forget, borrow_id))

        def switch(product: str, seats: int, enabled: bool) -> Step:
            keep = partial(_remember, borrow_id, seats, enabled)
            to_do = guidance.set_auto_renew(product, enabled)
            return AutoRenew(server, page, product, to_do, seats, enabled, keep)

        return {
            Borrow.type: lambda given: borrow(**given),
            Release.type: lambda given: release(**given),
            AutoRenew.type: lambda given: switch(**given),
        }

    def _spec(self, known: DeclarationRecord, actor: str) -> OperationSpec:
        return OperationSpec(
            _operation_id(known),
            KIND,
            f"borrow {known.document['name']!r}",
            None,
            self._holder,
            actor,
            self._steps(known.id, known.document),
            DeclarationKey(BORROW, known.id),
        )

    def _spec_of(self, operation: OperationRecord, actor: str) -> OperationSpec:
        return work_from(operation, self._makers(operation.declared_id), actor)

    def _found(self, borrow_id: str) -> tuple[DeclarationRecord | None, OperationRecord | None]:
        """The borrow, and its operation while that is open."""
        with self._journal.reading() as unit:
            known = unit.declarations.get(BORROW, borrow_id)
            held = unit.operations.holding(self._holder)
        own = None if known is None else _operation_id(known)
        return known, held if held is not None and held.id == own else None

    def _last(self, known: DeclarationRecord | None) -> OperationRecord | None:
        if known is None:
            return None
        with self._journal.reading() as unit:
            return unit.operations.get(_operation_id(known))

    def _view(self, known: DeclarationRecord) -> dict[str, Any]:
        document, operation = known.document, self._last(known)
        return {
            "id": known.id,
            "name": document["name"],
            "product": document["product"],
            "seats": document["seats"],
            "until": document["until"],
            "auto_renew": document["auto_renew"],
            "borrowed": document["borrowed"],
            "operation": None
            if operation is None
            else {"id": operation.id, "state": operation.state.value},
        }

    def _answer(
        self,
        known: DeclarationRecord | None,
        operation: OperationRecord | None,
        changed: bool,
        before: dict[str, Any],
        after: dict[str, Any],
        steps: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        done = [] if operation is None else [planned_view(step) for step in operation.steps]
        waits = operation is not None and operation.awaited is not None
        return {
            "changed": changed,
            "before": before,
            "after": after,
            "plan": {"steps": done if steps is None else steps},
            "borrow": None if known is None else self._view(known),
            "operation": None
            if operation is None
            else {"id": operation.id, "state": operation.state.value},
            "waiting": [awaited_view(operation)] if operation is not None and waits else [],
        }


def _overtaken(name: str) -> Problem:
    return Problem(
        ProblemCode.CONTAINER_BUSY,
        f"The borrow {name!r} was not begun, because somebody else has just declared it.",
        "Run the playbook again.",
    )


def _operation_id(known: DeclarationRecord) -> str:
    return str(uuid.uuid5(NAMESPACE, f"{KIND}/{known.id}/{known.document['attempt']}"))


def _document(
    request: ServerBorrowRequest, names: list[str], present: dict[str, Any], attempt: int
) -> dict[str, Any]:
    return {
        "id": request.id,
        "name": request.name,
        "product": request.product,
        "seats": request.seats,
        "until": moment(request.until),
        "auto_renew": request.auto_renew,
        "steps": names,
        "renewing": present["auto_renew"],
        "attempt": attempt,
        "borrowed": None if present["seats"] == 0 else present,
    }


def _after(
    request: ServerBorrowRequest, present: dict[str, Any], names: list[str]
) -> dict[str, Any]:
    after = {"product": request.product, **present}
    if "release" in names:
        after |= {"seats": 0, "until": None, "auto_renew": False}
    if "borrow" in names:
        after |= {"seats": request.seats, "until": None, "auto_renew": request.auto_renew}
    if "auto_renew" in names:
        after |= {"auto_renew": not present["auto_renew"]}
    return after


def _remember(
    borrow_id: str, seats: int, renewing: bool, unit: Unit, evidence: dict[str, Any]
) -> None:
    """What is borrowed after a step; seen on the page, or as declared where nothing shows it."""
    until = evidence.get("until") or unit.now + LENT_SECONDS
    _keep(
        unit,
        borrow_id,
        {
            "seats": evidence.get("seats", seats),
            "until": moment(until),
            "auto_renew": renewing,
            "seen": "seats" in evidence,
        },
    )


def _forget(borrow_id: str, unit: Unit, _evidence: dict[str, Any]) -> None:
    """Nothing is borrowed any more."""
    _keep(unit, borrow_id, None)


def _keep(unit: Unit, borrow_id: str, borrowed: dict[str, Any] | None) -> None:
    found = unit.declarations.get(BORROW, borrow_id)
    if found is None:
        raise LookupError(f"the borrow {borrow_id} is not in the journal")
    unit.declarations.put(BORROW, borrow_id, {**found.document, "borrowed": borrowed})
