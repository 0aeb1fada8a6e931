# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes of license servers: settings, activation, seats for offline use."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from seatkeeper_agent.api.changing import actor_of, job_runner_of, observed_first
from seatkeeper_agent.api.contract import (
    PAGE_LIMIT_DEFAULT,
    body_of,
    component,
    described,
    limit_of,
    page_of,
)
from seatkeeper_agent.api.jobs import Job
from seatkeeper_agent.api.reading import agent_of
from seatkeeper_agent.domain.planned_steps import digest
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.operations.declared.servers import (
    account_request,
    answer_request,
    server_borrow_request,
    server_request,
)
from seatkeeper_agent.operations.servers.activation import ActivationService
from seatkeeper_agent.operations.servers.borrows import ServerBorrowService
from seatkeeper_agent.operations.transfer_operations import operation_id
from seatkeeper_agent.operations.vendors import ServerServices

router = APIRouter(prefix="/v1/servers/{vendor}")

Identifier = Annotated[str, Path(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


@router.get("", summary="A server and what it tells", **described(component("server")))
def read_server(request: Request, vendor: str) -> dict[str, Any]:
    """Settings, and for servers with an account: version, activation, licenses."""
    return _services(request, vendor).settings.read()


@router.put(
    "",
    summary="Declare a server's settings",
    **described(component("settings-result"), request="settings", follows=True),
)
async def put_server(request: Request, vendor: str, dry_run: bool = False) -> Response:
    """Named keys and services are made true; all others are kept."""
    service = _services(request, vendor).settings
    body, actor = await body_of(request, "settings"), actor_of(request)
    wanted = server_request(body)
    job = _job(vendor, "settings", dry_run, body, lambda: service.put(wanted, actor, dry_run))
    return await job_runner_of(request).run(request, observed_first(request, vendor, job, dry_run))


@router.get("/activation", summary="A server's activation", **described(component("activation")))
def read_activation(request: Request, vendor: str) -> dict[str, Any]:
    """Whether it is activated; how and for whom where this agent did it."""
    return _activation(request, vendor).read()


@router.put(
    "/activation",
    summary="Activate online",
    **described(component("activation-result"), request="activation-order", follows=True),
)
async def put_activation(request: Request, vendor: str, dry_run: bool = False) -> Response:
    """The password is used and kept nowhere."""
    service, actor = _activation(request, vendor), actor_of(request)
    body = await body_of(request, "activation-order")
    wanted = account_request(body)
    job = _job(
        vendor,
        "activation",
        dry_run,
        {"account": wanted.account, "already_active": wanted.is_active},
        lambda: service.activate(wanted, actor, dry_run),
    )
    return await job_runner_of(request).run(request, observed_first(request, vendor, job, dry_run))


@router.delete(
    "/activation",
    summary="Deactivate",
    **described(component("activation-result"), follows=True),
)
async def delete_activation(
    request: Request, vendor: str, dry_run: bool = False, plan_digest: str | None = None
) -> Response:
    """Gives the activation up, however it was made; refused while something depends on it."""
    service, actor = _activation(request, vendor), actor_of(request)
    job = _job(
        vendor,
        "deactivation",
        dry_run,
        {"plan_digest": plan_digest},
        lambda: service.deactivate(actor, dry_run, plan_digest),
    )
    return await job_runner_of(request).run(request, observed_first(request, vendor, job, dry_run))


@router.post(
    "/activation/request",
    summary="The request file of an offline activation",
    **described(component("activation-request")),
)
async def request_activation(
    request: Request, vendor: str, dry_run: bool = False
) -> dict[str, Any]:
    """The same one until it was used."""
    service, actor = _activation(request, vendor), actor_of(request)
    return await run_in_threadpool(service.request, actor, dry_run)


@router.post(
    "/activation/response",
    summary="Hand over the answer file of an offline activation",
    **described(component("activation-result"), request="activation-answer", follows=True),
)
async def answer_activation(request: Request, vendor: str, dry_run: bool = False) -> Response:
    """An answer that is seen not to fit is refused before it reaches the server."""
    service, actor = _activation(request, vendor), actor_of(request)
    body = await body_of(request, "activation-answer")
    wanted = answer_request(body)
    kind = "activation_by_files"
    job = _job(vendor, kind, dry_run, body, lambda: service.respond(wanted, actor, dry_run))
    return await job_runner_of(request).run(request, observed_first(request, vendor, job, dry_run))


@router.get(
    "/borrows",
    summary="Seats declared for offline use",
    **described(page_of("borrows", "server-borrow-record")),
)
def read_borrows(
    request: Request, vendor: str, limit: int = PAGE_LIMIT_DEFAULT, after: str = ""
) -> dict[str, Any]:
    """What was declared at this server."""
    size = limit_of(limit)
    entries = _borrows(request, vendor).page(after, size)
    return {"borrows": entries, "next": entries[-1]["id"] if len(entries) == size else None}


@router.get(
    "/borrows/{borrow}",
    summary="One borrow for offline use",
    **described(component("server-borrow-record")),
)
def read_borrow(request: Request, vendor: str, borrow: str) -> dict[str, Any]:
    """The declaration and what is borrowed for it."""
    found = _borrows(request, vendor).view(borrow)
    if found is None:
        raise Problem(
            ProblemCode.BORROW_UNKNOWN,
            f"No borrow {borrow} was declared at this server.",
            "Look at the list of borrows.",
        )
    return found


@router.put(
    "/borrows/{borrow}",
    summary="Declare seats for offline use",
    **described(component("server-borrow-result"), request="server-borrow", follows=True),
)
async def put_borrow(
    request: Request, vendor: str, borrow: Identifier, dry_run: bool = False
) -> Response:
    """Borrows, renews or returns on the server's page, by a browser or a person."""
    service, actor = _borrows(request, vendor), actor_of(request)
    body = await body_of(request, "server-borrow")
    wanted = server_borrow_request(borrow, body)
    job = _job(borrow, "server_borrow", dry_run, body, lambda: service.put(wanted, actor, dry_run))
    return await job_runner_of(request).run(request, observed_first(request, vendor, job, dry_run))


def _job(subject: str, kind: str, dry_run: bool, public: dict[str, Any], work: Any) -> Job:
    """What is asked for differently is followed apart; ``public`` never holds a password."""
    distinct = f"{kind}{'?' * dry_run}{digest(public)}"
    return Job(operation_id(subject, distinct), kind, f"{kind} of {subject}", work)


def _services(request: Request, vendor: str) -> ServerServices:
    servers = agent_of(request).servers
    if vendor not in servers:
        raise Problem(
            ProblemCode.VENDOR_UNKNOWN,
            f"This agent drives no server of the vendor {vendor[:40]!r}.",
            f"It drives {', '.join(servers)}; name another one in its settings.",
        )
    return servers[vendor]


def _activation(request: Request, vendor: str) -> ActivationService:
    service = _services(request, vendor).activation
    if service is None:
        raise _without(vendor, "an activation")
    return service


def _borrows(request: Request, vendor: str) -> ServerBorrowService:
    service = _services(request, vendor).borrows
    if service is None:
        raise _without(vendor, "seats for offline use; borrow by /v1/borrows")
    return service


def _without(vendor: str, what: str) -> Problem:
    return Problem(
        ProblemCode.CAPABILITY_REFUSED,
        f"The server of {vendor} has no {what.removeprefix('an ')}.",
        "Declare it for a server that has.",
    )
