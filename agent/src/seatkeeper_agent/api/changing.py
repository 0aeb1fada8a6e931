# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes that change: transfers leg by leg, borrows, and taking up what was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from seatkeeper_agent.api.contract import (
    PAGE_LIMIT_DEFAULT,
    Which,
    body_of,
    component,
    described,
    limit_of,
    page_of,
)
from seatkeeper_agent.api.jobs import Job, JobRunner
from seatkeeper_agent.api.reading import agent_of
from seatkeeper_agent.api.roles import Role
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import OperationRecord, TransferRecord
from seatkeeper_agent.domain.transfers import Leg
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.declared.borrow import borrow_request
from seatkeeper_agent.operations.legs import LegRequest, unknown
from seatkeeper_agent.operations.transfer_operations import KIND_OF_STATE, operation_id
from seatkeeper_agent.operations.views import declaration_from_view, transfer_view

router = APIRouter(prefix="/v1")

Identifier = Annotated[str, Path(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
_KIND_OF_LEG = {Leg.ISSUE: "debit", Leg.INSTALL: "credit", Leg.CONFIRM: "confirm"}


def actor_of(request: Request) -> str:
    """Who asks, for the audit."""
    return str(request.state.name)


def require(request: Request, role: Role, doing: str) -> None:
    """Refuse what needs more than the gate asked for."""
    if request.state.role >= role:
        return
    raise Problem(
        ProblemCode.FORBIDDEN,
        f"The user {actor_of(request)} may not {doing}: that needs the role {role.name.lower()}.",
        f"Have a {role.name.lower()} do it.",
    )


def job_runner_of(request: Request) -> JobRunner:
    """Where long work runs."""
    job_runner: JobRunner = request.app.state.job_runner
    return job_runner


def observed_first(request: Request, vendor: str, job: Job, dry_run: bool) -> Job:
    """The same job, after a look at what is in doubt at the vendor's server."""
    if dry_run:
        return job
    agent, actor = agent_of(request), actor_of(request)

    def work() -> dict[str, Any]:
        agent.look_again(vendor, actor)
        return job.work()

    return replace(job, work=work)


# Before the legs: their path would match this one as well.
@router.post(
    "/transfers/{transfer}/resume",
    summary="Drive an interrupted leg on",
    **described(component("resume-result"), follows=True),
)
async def resume_transfer(request: Request, transfer: str) -> Response:
    """The same steps as the forward path; nothing is tried blindly."""
    agent, actor = agent_of(request), actor_of(request)
    job_runner = job_runner_of(request)

    def work() -> dict[str, Any]:
        resumed = agent.containers.recovery.resume(transfer, actor)
        job_runner.forget(resumed)
        return {"changed": bool(resumed), "resumed": resumed}

    job = Job(operation_id(transfer, "resume"), "resume", f"transfer {transfer}", work)
    return await job_runner.run(request, job)


@router.post(
    "/transfers/{transfer}/{leg}",
    summary="One leg of a transfer",
    **described(component("leg-result"), request="leg", follows=True),
)
async def run_leg(
    request: Request, transfer: Identifier, leg: Leg, dry_run: bool = False
) -> Response:
    """Idempotent: a leg that was done gives the same document again, unchanged."""
    body = await body_of(request, "leg")
    wanted = _leg_request(request, transfer, leg, body)
    agent = agent_of(request)

    def work() -> dict[str, Any]:
        transfers = agent.containers.transfers
        done = transfers.plan(wanted) if dry_run else transfers.run(wanted)
        return _leg_result(request, done)

    kind = _KIND_OF_LEG.get(leg, leg.value) + "?" * dry_run
    job = Job(operation_id(wanted.declaration.id, kind), leg.value, wanted.subject, work)
    return await job_runner_of(request).run(request, job)


@router.get("/transfers", summary="Transfers", **described(page_of("transfers", "transfer")))
def read_transfers(
    request: Request, state: Which = "all", limit: int = PAGE_LIMIT_DEFAULT, after: str = ""
) -> dict[str, Any]:
    """Transfers as this host knows them; ``state=open`` for those not settled."""
    size = limit_of(limit)
    with agent_of(request).journal.reading() as unit:
        records = unit.transfers.page(state == "open", after, size)
        views = [_transfer(unit, record) for record in records]
    full = len(records) == size
    last = f"{records[-1].declaration.id}/{records[-1].side.value}" if full else None
    return {"transfers": views, "next": last}


@router.get("/transfers/{transfer}", summary="One transfer", **described(component("transfer")))
def read_transfer(request: Request, transfer: str) -> dict[str, Any]:
    """The transfer's state on this host with its documents."""
    with agent_of(request).journal.reading() as unit:
        records = unit.transfers.both(transfer)
        if not records:
            raise unknown(transfer)
        return _transfer(unit, records[0])


@router.delete(
    "/transfers/{transfer}",
    summary="Give a transfer up",
    **described(component("void-result")),
)
def void_transfer(request: Request, transfer: str, dry_run: bool = False) -> dict[str, Any]:
    """Only while nothing was debited or imported here."""
    agent = agent_of(request)
    done = agent.containers.transfers.void(transfer, actor_of(request), dry_run)
    with agent.journal.reading() as unit:
        records = unit.transfers.both(transfer)
        return {"changed": done["changed"], "transfer": _transfer(unit, records[0])}


@router.post(
    "/resume",
    summary="Drive everything interrupted on",
    **described(component("resume-result"), follows=True),
)
async def resume_all(request: Request) -> Response:
    """What cannot go on is told with its problem and does not stop the others."""
    agent, actor = agent_of(request), actor_of(request)
    job_runner = job_runner_of(request)

    def work() -> dict[str, Any]:
        resumed, problems = agent.resume_all(actor)
        job_runner.forget(resumed)
        return {
            "changed": bool(resumed),
            "resumed": resumed,
            "problems": [problem.as_document() for problem in problems],
            "open": [
                {"id": entry.id, "kind": entry.kind, "subject": entry.subject}
                for entry in agent.containers.recovery.open_operations()
            ],
        }

    job = Job(operation_id("all", "resume"), "resume", "everything interrupted", work)
    return await job_runner.run(request, job)


@router.put(
    "/borrows/{borrow}",
    summary="Declare a borrow at the borrower",
    **described(component("borrow-result"), request="borrow"),
)
async def put_borrow(request: Request, borrow: Identifier, dry_run: bool = False) -> dict[str, Any]:
    """Tells which transfers have to be carried so that the declaration becomes true."""
    body = await body_of(request, "borrow")
    wanted = borrow_request(borrow, body)
    service, actor = agent_of(request).containers.borrows, actor_of(request)
    return await run_in_threadpool(service.put, wanted, actor, dry_run)


@router.get(
    "/borrows",
    summary="Declared borrows",
    **described(page_of("borrows", "borrow-record")),
)
def read_borrows(
    request: Request, limit: int = PAGE_LIMIT_DEFAULT, after: str = ""
) -> dict[str, Any]:
    """What this host declared as the borrower."""
    size = limit_of(limit)
    entries = agent_of(request).containers.borrows.page(after, size)
    return {"borrows": entries, "next": entries[-1]["id"] if len(entries) == size else None}


@router.get("/borrows/{borrow}", summary="One borrow", **described(component("borrow-record")))
def read_borrow(request: Request, borrow: str) -> dict[str, Any]:
    """The borrow with its lots."""
    found = agent_of(request).containers.borrows.view(borrow)
    if found is None:
        raise Problem(
            ProblemCode.BORROW_UNKNOWN,
            f"This host declared no borrow {borrow}.",
            "Look at the list of borrows.",
        )
    return found


def _leg_request(request: Request, transfer: str, leg: Leg, body: dict[str, Any]) -> LegRequest:
    confirmation = body.get("plan_digest")
    if confirmation is not None:
        require(request, Role.MIGRATOR, "confirm an irreversible plan")
    try:
        declaration = declaration_from_view(transfer, body["transfer"])
    except ValueError as error:
        raise Problem(
            ProblemCode.REQUEST_INVALID,
            f"The transfer cannot be read: {error}.",
            "Correct the declaration.",
        ) from error
    return LegRequest(
        leg=leg,
        declaration=declaration,
        actor=actor_of(request),
        document=body.get("document"),
        decision=body.get("decision", "install"),
        confirmation=confirmation,
        update_counter=body.get("update_counter"),
        evidence=body.get("evidence"),
        facts=body.get("facts", {}),
    )


def _leg_result(request: Request, done: dict[str, Any]) -> dict[str, Any]:
    view = None
    if done["record"] is not None:
        with agent_of(request).journal.reading() as unit:
            view = _transfer(unit, done["record"])
    return {
        "changed": done["changed"],
        "transfer": view,
        "before": done["before"],
        "after": done["after"],
        "facts": done["facts"],
        "plan": {
            "digest": done["digest"],
            "confirmation_required": done["confirmation_required"],
            "steps": done["steps"],
        },
        "document": done["document"],
        "operation": None if view is None else view["operation"],
    }


def _transfer(unit: Unit, record: TransferRecord) -> dict[str, Any]:
    return transfer_view(record, _last_operation(unit, record))


def _last_operation(unit: Unit, record: TransferRecord) -> OperationRecord | None:
    kind = KIND_OF_STATE.get(record.state) or {
        "source": "confirm",
        "target": "credit",
    }.get(record.side.value, "")
    find: Callable[[str], OperationRecord | None] = unit.operations.get
    return find(operation_id(record.declaration.id, kind))
