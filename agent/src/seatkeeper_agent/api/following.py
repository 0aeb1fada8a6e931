# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes to follow work: operations, their progress as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from seatkeeper_agent.api.changing import actor_of, require, workshop_of
from seatkeeper_agent.api.contract import (
    PAGE_LIMIT_DEFAULT,
    Which,
    body_of,
    component,
    described,
    limit_of,
    page_of,
)
from seatkeeper_agent.api.reading import agent_of
from seatkeeper_agent.api.roles import Role
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.operations.views import operation_view

router = APIRouter(prefix="/v1")

FOLLOW_SECONDS_MAX = 600
LOOK_SECONDS = 0.2
WAIT_SECONDS_MAX = 60


@router.get("/operations", summary="Operations", **described(page_of("operations", "operation")))
def read_operations(
    request: Request, state: Which = "all", limit: int = PAGE_LIMIT_DEFAULT, after: str = ""
) -> dict[str, Any]:
    """Journaled work; ``state=open`` for what holds a container."""
    size = limit_of(limit)
    with agent_of(request).journal.reading() as unit:
        records = unit.operations.page(state == "open", after, size)
    last = records[-1].id if len(records) == size else None
    return {"operations": [operation_view(record) for record in records], "next": last}


@router.get("/operations/{operation}", summary="One operation", **described(component("operation")))
async def read_operation(request: Request, operation: str, wait: int = 0) -> dict[str, Any]:
    """How it stands; waits up to ``wait`` seconds for the end of work that runs here."""
    seconds = max(0, min(wait, WAIT_SECONDS_MAX))
    followed = await workshop_of(request).follow(operation, seconds)
    view = await run_in_threadpool(_view, request, operation)
    if view is None and followed is None:
        raise Problem(
            ProblemCode.OPERATION_UNKNOWN,
            f"This host knows no operation {operation}.",
            "Look at the list of operations.",
        )
    empty = {"id": operation, "problem": None, "result": None}
    return {**empty, **(view or {}), **(followed or {})}


@router.get(
    "/operations/{operation}/events",
    summary="Progress as server-sent events",
    response_class=StreamingResponse,
)
async def read_events(request: Request, operation: str) -> StreamingResponse:
    """An event whenever the operation changed, until it no longer runs."""
    if await run_in_threadpool(_view, request, operation) is None:
        raise Problem(
            ProblemCode.OPERATION_UNKNOWN,
            f"This host knows no operation {operation}.",
            "Look at the list of operations.",
        )
    return StreamingResponse(_events(request, operation), media_type="text/event-stream")


@router.post(
    "/operations/{operation}/attest",
    summary="Attest what nothing can observe",
    **described(component("operation"), request="attestation"),
)
async def attest(request: Request, operation: str) -> dict[str, Any]:
    """Free a container that was frozen after a rolled-back snapshot; needs a migrator."""
    require(request, Role.MIGRATOR, "attest")
    body = await body_of(request, "attestation")
    recovery, actor = agent_of(request).recovery, actor_of(request)
    await run_in_threadpool(recovery.attest, operation, body["statement"], actor)
    return await run_in_threadpool(_view, request, operation) or {}


async def _events(request: Request, operation: str) -> AsyncIterator[str]:
    shown: dict[str, Any] | None = None
    for _look in range(int(FOLLOW_SECONDS_MAX / LOOK_SECONDS)):
        view = await run_in_threadpool(_view, request, operation)
        if view is not None and view != shown:
            shown = view
            yield f"event: operation\ndata: {json.dumps(view)}\n\n"
        if view is None or view["state"] != "running" or await request.is_disconnected():
            return
        await asyncio.sleep(LOOK_SECONDS)


def _view(request: Request, operation: str) -> dict[str, Any] | None:
    with agent_of(request).journal.reading() as unit:
        record = unit.operations.get(operation)
    return None if record is None else operation_view(record)
