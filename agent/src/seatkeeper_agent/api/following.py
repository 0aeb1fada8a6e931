# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes to follow work: operations, their progress as server-sent events."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from seatkeeper_agent.api.changing import actor_of, job_runner_of, require
from seatkeeper_agent.api.contract import (
    PAGE_LIMIT_DEFAULT,
    Which,
    body_of,
    component,
    described,
    limit_of,
    page_of,
)
from seatkeeper_agent.api.methods import method_of
from seatkeeper_agent.api.reading import agent_of
from seatkeeper_agent.api.roles import Role
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import OperationRecord
from seatkeeper_agent.journal.events import EventsForgotten
from seatkeeper_agent.operations.clock import OPERATION as CLOCK
from seatkeeper_agent.operations.people import awaited_view
from seatkeeper_agent.operations.views import operation_view

router = APIRouter(prefix="/v1")

FOLLOW_SECONDS_MAX = 600
LOOK_SECONDS = 0.2
READ_ANEW_SECONDS = 10.0
"""Time alone changes little of what is shown: a deadline passes."""
EVENTS_MAX = 1_000
WAIT_SECONDS_MAX = 60
EVENTS = "text/event-stream"


@router.get("/operations", summary="Operations", **described(page_of("operations", "operation")))
def read_operations(
    request: Request, state: Which = "all", limit: int = PAGE_LIMIT_DEFAULT, after: str = ""
) -> dict[str, Any]:
    """Journaled work; ``state=open`` for what holds a container."""
    size = limit_of(limit)
    with agent_of(request).journal.reading() as unit:
        records = unit.operations.page(state == "open", after, size)
    last = records[-1].id if len(records) == size else None
    return {"operations": [_shown(record) for record in records], "next": last}


@router.get("/waiting", summary="What waits for whom", **described(page_of("waiting", "waiting")))
def read_waiting(request: Request) -> dict[str, Any]:
    """Steps of people and vendors that are not done yet, the oldest first."""
    with agent_of(request).journal.reading() as unit:
        records = unit.operations.waiting()
    return {"waiting": [awaited_view(record) for record in records], "next": None}


@router.get("/operations/{operation}", summary="One operation", **described(component("operation")))
async def read_operation(request: Request, operation: str, wait: int = 0) -> dict[str, Any]:
    """How it stands; waits up to ``wait`` seconds for the end of work that runs or waits here."""
    seconds = max(0, min(wait, WAIT_SECONDS_MAX))
    deadline = time.monotonic() + seconds
    standing = await _standing(request, operation, seconds)
    followed = _Followed(request, operation)
    while standing["state"] == "waiting" and time.monotonic() < deadline:
        if request.app.state.is_ending() or await request.is_disconnected():
            break
        await asyncio.sleep(LOOK_SECONDS)
        standing = await followed.look()
    return standing


@router.get(
    "/operations/{operation}/events",
    summary="Progress as server-sent events",
    response_class=StreamingResponse,
    **described({"type": "string"}, media_type=EVENTS),
)
async def read_events(request: Request, operation: str) -> Response:
    """An event whenever the operation changed, until it no longer runs."""
    first = await _standing(request, operation, 0)
    if method_of(request) == "HEAD":
        return Response(media_type=EVENTS)
    return StreamingResponse(_events(request, first), media_type=EVENTS)


@router.post(
    "/operations/{operation}/attest",
    summary="Attest what nothing can observe",
    **described(component("operation"), request="attestation"),
)
async def attest(request: Request, operation: str) -> dict[str, Any]:
    """Say whether a step that waits or is in doubt happened, or free a frozen container.

    Needs a migrator; who said what is kept in the audit.
    """
    require(request, Role.MIGRATOR, "attest")
    body = await body_of(request, "attestation")
    agent, actor, outcome = agent_of(request), actor_of(request), body.get("outcome")
    statement = body["statement"]
    if operation == CLOCK:
        await run_in_threadpool(agent.clock.confirm, statement, actor)
    elif outcome is None:
        await run_in_threadpool(agent.containers.recovery.attest, operation, statement, actor)
    else:
        record = await run_in_threadpool(_record, request, operation)
        _require_step(record, body.get("step"))
        await run_in_threadpool(agent.attest, record, outcome == "done", statement, actor)
    return await run_in_threadpool(_view, request, operation) or {}


def _require_step(record: OperationRecord, named: str | None) -> None:
    """Problem for a word on another step than the one that waits; a retry must not count twice."""
    at = "none" if record.intended is None else record.intended.name
    if named not in (None, at):
        raise Problem(
            ProblemCode.STEP_OVER,
            f"The word given is for the step {named!r}, and the operation {record.id} is at"
            f" {at!r}; nothing was written down.",
            "Look at what waits, and give your word on that step if it is so.",
        )


@dataclass
class _Followed:
    """An operation that is read anew when an event, or the work under way, tells of a change."""

    request: Request
    operation: str
    standing: dict[str, Any] = field(default_factory=dict)
    _cursor: int | None = None
    _state: str | None = None
    _read_at: float = 0.0

    async def look(self) -> dict[str, Any]:
        """As it stands now; Problem for what nobody knows."""
        work = await job_runner_of(self.request).follow(self.operation, 0)
        state = None if work is None else work["state"]
        has_news = await run_in_threadpool(self._has_news)
        is_old = time.monotonic() - self._read_at > READ_ANEW_SECONDS
        if has_news or is_old or state != self._state:
            self._state, self._read_at = state, time.monotonic()
            self.standing = await _standing(self.request, self.operation, 0)
        return self.standing

    def _has_news(self) -> bool:
        """Whether the journal tells of it since the last look; yes where that is not known."""
        with agent_of(self.request).journal.reading() as unit:
            try:
                found = (
                    None if self._cursor is None else unit.events.after(self._cursor, EVENTS_MAX)
                )
            except EventsForgotten:
                found = None
            if found is None:
                self._cursor = unit.events.newest()
                return True
        if found:
            self._cursor = found[-1].cursor
        return any(event.operation == self.operation for event in found)


async def _events(request: Request, standing: dict[str, Any]) -> AsyncIterator[str]:
    followed = _Followed(request, standing["id"])
    shown: dict[str, Any] | None = None
    for _look in range(int(FOLLOW_SECONDS_MAX / LOOK_SECONDS)):
        if standing != shown:
            shown = standing
            yield f"event: operation\ndata: {json.dumps(standing)}\n\n"
        ending = request.app.state.is_ending() or await request.is_disconnected()
        if standing["state"] not in ("running", "waiting") or ending:
            return
        await asyncio.sleep(LOOK_SECONDS)
        standing = await followed.look()


async def _standing(request: Request, operation: str, seconds: float) -> dict[str, Any]:
    """The operation as the journal and the work under way tell it; Problem for neither."""
    followed = await job_runner_of(request).follow(operation, seconds)
    view = await run_in_threadpool(_view, request, operation)
    if view is None and followed is None:
        raise _unknown(operation)
    # Work that never was in the journal: what only reads, or asks the other host for something.
    empty: dict[str, Any] = {"id": operation, "side": None, "container": "", "steps": []}
    standing = {**empty, "problem": None, "result": None, **(followed or {}), **(view or {})}
    if followed is not None and (view is None or view["state"] != "in_doubt"):
        standing |= {name: followed.get(name) for name in ("state", "problem", "result")}
    return standing


def _view(request: Request, operation: str) -> dict[str, Any] | None:
    with agent_of(request).journal.reading() as unit:
        record = unit.operations.get(operation)
    return None if record is None else _shown(record)


def _record(request: Request, operation: str) -> OperationRecord:
    with agent_of(request).journal.reading() as unit:
        record = unit.operations.get(operation)
    if record is None:
        raise _unknown(operation)
    return record


def _shown(record: OperationRecord) -> dict[str, Any]:
    awaited = None if record.awaited is None else awaited_view(record)
    return {**operation_view(record), "waiting": awaited}


def _unknown(operation: str) -> Problem:
    return Problem(
        ProblemCode.OPERATION_UNKNOWN,
        f"This host knows no operation {operation}.",
        "Look at the list of operations.",
    )
