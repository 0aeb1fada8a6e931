# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes of license servers that move to another machine: backups, profiles, moves leg by leg."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from seatkeeper_agent.api.changing import actor_of, job_runner_of, require
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
from seatkeeper_agent.api.roles import Role
from seatkeeper_agent.domain.planned_steps import digest
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.server_move_legs import MoveLeg
from seatkeeper_agent.operations.declared.server_moves import licenses_of, move_request
from seatkeeper_agent.operations.server_moves import refusals
from seatkeeper_agent.operations.transfer_operations import operation_id
from seatkeeper_agent.operations.vendors import MovableServices
from seatkeeper_agent.schema_messages import PROFILE_NAME
from seatkeeper_agent.vendors.registry import tables_of

router = APIRouter(prefix="/v1")

Identifier = Annotated[str, Path(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
ProfileName = Annotated[str, Path(pattern=PROFILE_NAME)]
_BACKUP: dict[str, Any] = {
    "type": "object",
    "required": ["backup"],
    "properties": {"backup": {"anyOf": [component("server-backup"), {"type": "null"}]}},
}


@router.get("/moves", summary="Moves of license servers", **described(page_of("moves", "move")))
def read_moves(
    request: Request, limit: int = PAGE_LIMIT_DEFAULT, after: str = ""
) -> dict[str, Any]:
    """Where each move stands, and above all which licenses are active nowhere."""
    size = limit_of(limit)
    entries = _services(request).moves.page(after, size)
    return {"moves": entries, "next": entries[-1]["id"] if len(entries) == size else None}


@router.get("/moves/{move}", summary="One move", **described(component("move")))
def read_move(request: Request, move: str) -> dict[str, Any]:
    """Its state on this host, its documents, and where each license is."""
    found = _services(request).moves.view(move)
    if found is None:
        raise refusals.unknown(move)
    return found


@router.post(
    "/moves/{move}/legs/{leg}",
    summary="One leg of a move",
    **described(component("move-leg-result"), request="move-leg", follows=True),
)
async def run_leg(
    request: Request, move: Identifier, leg: MoveLeg, dry_run: bool = False
) -> Response:
    """Idempotent; what cannot be taken back runs only with the confirmation of its very plan."""
    service = _services(request).moves
    body = await body_of(request, "move-leg")
    if body.get("plan_digest") is not None and not dry_run:
        require(request, Role.MIGRATOR, "confirm an irreversible plan")
    wanted = move_request(move, leg, body, actor_of(request))
    kind = f"move_{leg.value}" + "?" * dry_run
    public = {key: value for key, value in body.items() if key != "codes"}
    job = Job(
        operation_id(move, kind + digest(public)),
        kind,
        wanted.declaration.subject,
        lambda: service.run(wanted, dry_run),
    )
    return await job_runner_of(request).run(request, job)


@router.delete(
    "/moves/{move}",
    summary="Give a move up",
    **described(component("move-leg-result"), follows=True),
)
async def delete_move(request: Request, move: Identifier, dry_run: bool = False) -> Response:
    """Only while nothing has left the source; maintenance mode is switched off again."""
    service, actor = _services(request).moves, actor_of(request)
    kind = "move_given_up" + "?" * dry_run
    job = Job(
        operation_id(move, kind),
        kind,
        f"move {move}",
        lambda: service.give_up(move, actor, dry_run),
    )
    return await job_runner_of(request).run(request, job)


@router.get("/servers/{vendor}/backup", summary="A server's backup", **described(_BACKUP))
def read_backup(request: Request, vendor: str) -> dict[str, Any]:
    """The one that was made last; null before the first."""
    found = _services(request, vendor).backups.read()
    return {"backup": None if found is None else found.as_document()}


@router.put(
    "/servers/{vendor}/backup",
    summary="Back a server up",
    **described(component("backup-result"), request="backup-order", follows=True),
)
async def put_backup(request: Request, vendor: str, dry_run: bool = False) -> Response:
    """What another machine needs to become this server, without any secret."""
    services, actor = _services(request, vendor), actor_of(request)
    body = await body_of(request, "backup-order")
    licenses = licenses_of(body["licenses"])
    kind = "backup" + "?" * dry_run
    job = Job(
        operation_id(vendor, kind + digest(body)),
        kind,
        f"backup of {vendor}",
        lambda: services.moves.back_up(licenses, actor, dry_run),
    )
    return await job_runner_of(request).run(request, job)


@router.put(
    "/servers/{vendor}/profiles/{name}",
    summary="Link a profile to a license",
    **described(component("profile-result"), request="profile-order", follows=True),
)
async def put_profile(
    request: Request, vendor: str, name: ProfileName, dry_run: bool = False
) -> Response:
    """Only adding is documented: what shall be absent and is not is refused."""
    service, actor = _services(request, vendor).profiles, actor_of(request)
    body = await body_of(request, "profile-order")
    number = body["license"]

    def work() -> dict[str, Any]:
        if body.get("state") == "absent":
            return service.absent(name)
        return service.put(name, number, actor, dry_run)

    kind = "profile" + "?" * dry_run
    job = Job(operation_id(f"{vendor}/{name}", kind + digest(body)), kind, f"profile {name}", work)
    return await job_runner_of(request).run(request, job)


def _services(request: Request, vendor: str | None = None) -> MovableServices:
    services = agent_of(request).movable
    if services is None or vendor not in (None, services.moves.vendor):
        named = "" if vendor is None else f" of {vendor[:40]!r}"
        raise Problem(
            ProblemCode.VENDOR_UNKNOWN,
            f"No license server{named} that moves to another machine is on this host.",
            f"Install the server, or name it in the agent's settings under {tables_of('movable')}.",
        )
    return services
