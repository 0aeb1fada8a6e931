# SPDX-License-Identifier: GPL-3.0-or-later
"""One request for all that is declared of a host, with what other hosts gave for it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from seatkeeper_agent.api import schemas
from seatkeeper_agent.api.changing import actor_of, job_runner_of, require
from seatkeeper_agent.api.contract import body_of, component, described
from seatkeeper_agent.api.free_texts import refuse_card_data
from seatkeeper_agent.api.jobs import Job
from seatkeeper_agent.api.look import looked
from seatkeeper_agent.api.reading import agent_of
from seatkeeper_agent.api.roles import Role
from seatkeeper_agent.domain.planned_steps import digest
from seatkeeper_agent.operations.declared.service import DeclaredService
from seatkeeper_agent.operations.transfer_operations import operation_id
from seatkeeper_agent.operations.views import transfer_view

router = APIRouter(prefix="/v2")


@router.put(
    "/state",
    summary="Declare a host's state",
    **described(component("state-result"), request="state", follows=True),
)
async def put_state(request: Request) -> Response:
    """Does, or in a dry run plans, all that the declarations and the brought documents allow.

    Each declaration has a result of its own; one that fails does not hide the others. The answer
    has the documents that follow, each with the agent that it is for, and on request a look at
    the host as it is afterwards, or what its journal has of named transfers.
    """
    body = await body_of(request, "state")
    if not body["dry_run"]:
        require(request, Role.OPERATOR, "change what is declared")
    agent, actor = agent_of(request), actor_of(request)
    service = DeclaredService(agent.kinds(), _check, agent.look_again)
    may_confirm = request.state.role >= Role.MIGRATOR

    def work() -> dict[str, Any]:
        done = service.put(body, actor, may_confirm)
        if body.get("look"):
            done["look"] = looked(request)
        if "records" in body:
            done["records"] = _records(request, body["records"])
        return done

    subject = f"{len(body['declarations'])} declarations"
    job = Job(operation_id(digest(service.public(body)), "state"), "state", subject, work)
    return await job_runner_of(request).run(request, job)


def _records(request: Request, ids: list[str]) -> list[dict[str, Any]]:
    with agent_of(request).journal.reading() as unit:
        records = [record for each in ids for record in unit.transfers.both(each)]
    return [transfer_view(record, None) for record in records]


def _check(name: str, document: Any) -> None:
    refuse_card_data(name, document)
    schemas.check(name, document)
