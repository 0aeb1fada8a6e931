# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes of USB dongles: what is plugged, what speaks against migrating, migrating."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from seatkeeper_agent.api.changing import actor_of, job_runner_of, observed_first, require
from seatkeeper_agent.api.contract import (
    PAGE_LIMIT_DEFAULT,
    body_of,
    component,
    described,
    limit_of,
    page_of,
)
from seatkeeper_agent.api.jobs import Job
from seatkeeper_agent.api.problems import problem_document
from seatkeeper_agent.api.reading import agent_of
from seatkeeper_agent.api.roles import Role
from seatkeeper_agent.domain.planned_steps import digest
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.operations.declared.dongles import migration_request
from seatkeeper_agent.operations.dongles.migration import MigrationService
from seatkeeper_agent.operations.dongles.report import Stated, dongle_view, report_view
from seatkeeper_agent.operations.transfer_operations import operation_id
from seatkeeper_agent.vendors.registry import tables_of

router = APIRouter(prefix="/v1")

Identifier = Annotated[str, Path(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


@router.get("/dongles", summary="Dongles on this host", **described(component("dongles")))
def read_dongles(request: Request) -> dict[str, Any]:
    """All license dongles on USB; why none can be seen is told, not raised."""
    agent = agent_of(request)
    try:
        found, problem = agent.dongles.listing(), None
    except Problem as error:
        found, problem = [], problem_document(error)
    return {"dongles": found, "source": agent.usb.source, "problem": problem, "next": None}


@router.get(
    "/dongles/{dongle}/eligibility",
    summary="What speaks for and against migrating a dongle",
    **described(component("eligibility")),
)
def read_eligibility(
    request: Request, dongle: str, isolate: bool = False, target_user: str | None = None
) -> dict[str, Any]:
    """Every rule of the vendor as a row; what cannot be observed is unknown."""
    reports = agent_of(request).dongles.once()
    found = reports.find(dongle)
    rows = reports.rows(found, isolate, Stated(target_user=target_user))
    return {"dongle": dongle_view(found), **report_view(rows)}


@router.put(
    "/migrations/{migration}",
    summary="Migrate a dongle's licenses to an account",
    **described(component("migration-result"), request="migration-order", follows=True),
)
async def put_migration(request: Request, migration: Identifier, dry_run: bool = False) -> Response:
    """Irreversible: runs only with the confirmation of exactly the plan that a dry run gave."""
    service, actor = _service(request), actor_of(request)
    body = await body_of(request, "migration-order")
    if body.get("plan_digest") is not None and not dry_run:
        require(request, Role.MIGRATOR, "confirm an irreversible plan")
    wanted = migration_request(service, migration, body)
    kind = "migration" + "?" * dry_run
    # What is asked for differently is followed apart.
    job = Job(
        operation_id(migration, kind + digest(body)),
        kind,
        f"migration of dongle {wanted.dongle}",
        lambda: service.put(wanted, actor, dry_run),
    )
    job = observed_first(request, service.vendor, job, dry_run)
    return await job_runner_of(request).run(request, job)


@router.get("/migrations", summary="Migrations", **described(page_of("migrations", "migration")))
def read_migrations(
    request: Request, limit: int = PAGE_LIMIT_DEFAULT, after: str = ""
) -> dict[str, Any]:
    """What became of every dongle that was to be migrated here."""
    size = limit_of(limit)
    entries = _service(request).page(after, size)
    return {"migrations": entries, "next": entries[-1]["id"] if len(entries) == size else None}


@router.get("/migrations/{migration}", summary="One migration", **described(component("migration")))
def read_migration(request: Request, migration: str) -> dict[str, Any]:
    """How it stands, what was noticed, what arrived."""
    found = _service(request).view(migration)
    if found is None:
        raise Problem(
            ProblemCode.MIGRATION_UNKNOWN,
            f"This host knows no migration {migration}.",
            "Look at the list of migrations.",
        )
    return found


@router.delete(
    "/migrations/{migration}",
    summary="Give a migration up",
    **described(component("migration-given-up"), follows=True),
)
async def delete_migration(
    request: Request, migration: Identifier, dry_run: bool = False
) -> Response:
    """Only before its irreversible step; afterwards it is decided by what is seen or attested."""
    service, actor = _service(request), actor_of(request)
    kind = "given_up" + "?" * dry_run
    job = Job(
        operation_id(migration, kind),
        kind,
        f"migration {migration}",
        lambda: service.give_up(migration, actor, dry_run),
    )
    return await job_runner_of(request).run(request, job)


def _service(request: Request) -> MigrationService:
    service = agent_of(request).migrations
    if service is None:
        raise Problem(
            ProblemCode.VENDOR_UNKNOWN,
            "No license server that migrates dongles is on this host.",
            f"Install the server, or name it in the agent's settings under {tables_of('dongles')}.",
        )
    return service
