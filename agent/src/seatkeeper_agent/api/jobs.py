# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work: wait for it a while, then let the client follow its operation."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse, Response

from seatkeeper_agent.api.bounds import Body
from seatkeeper_agent.api.problems import problem_document, problem_of

WORKERS_MAX = 8
REMEMBERED_MAX = 1_000
WAIT_SECONDS_DEFAULT = 60
WAIT_SECONDS_MAX = 300

_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,4})")

Answer = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """Work that was asked for; the id is that of its operation, as far as it has one."""

    id: str
    kind: str
    subject: str
    work: Callable[[], Answer]


class JobRunner:
    """Runs requests in threads and remembers the answers of those that were slow."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(WORKERS_MAX, thread_name_prefix="work")
        # Not the jobs: what they are to do may hold passwords and activation codes.
        self._jobs: OrderedDict[str, tuple[Answer, Future[Answer]]] = OrderedDict()

    async def run(self, request: Request, job: Job) -> Response:
        """200 with the answer, or 202 with the operation when it takes longer than wished."""
        future = self._pool.submit(job.work)
        _hold_until_done(request, future)
        self._remember(job, future)
        if not await _is_done(future, wait_seconds(request)):
            operation = {"id": job.id, "state": "running"}
            return JSONResponse(
                {"operation": operation}, 202, {"Location": f"/v1/operations/{job.id}"}
            )
        return JSONResponse(future.result())

    async def follow(self, operation_id: str, seconds: float) -> Answer | None:
        """How remembered work stands, waiting a while; None if it is not remembered."""
        if operation_id not in self._jobs:
            return None
        about, future = self._jobs[operation_id]
        if not await _is_done(future, seconds):
            return {**about, "state": "running"}
        error = future.exception()
        if error is None:
            return {**about, "state": "done", "result": future.result()}
        problem = problem_of(error)
        if problem is None:
            raise error
        return {**about, "state": "failed", "problem": problem_document(problem)}

    def forget(self, operation_ids: list[str]) -> None:
        """Drop the answers of operations that went on since: the journal knows better."""
        for operation_id in operation_ids:
            self._jobs.pop(operation_id, None)

    def close(self) -> None:
        """Wait for what is running; nothing new is taken."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _remember(self, job: Job, future: Future[Answer]) -> None:
        self._jobs[job.id] = ({"kind": job.kind, "subject": job.subject}, future)
        self._jobs.move_to_end(job.id)
        while len(self._jobs) > REMEMBERED_MAX:
            self._jobs.popitem(last=False)


def _hold_until_done(request: Request, future: Future[Answer]) -> None:
    """Work that goes on without its client still holds what it was asked with."""
    body: Body = request.state.body
    body.hold()
    _when_done(future, body.release)


def _when_done(future: Future[Answer], call: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()

    def notify(_future: Future[Answer]) -> None:
        # The loop may be gone when the last work ends.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(call)

    future.add_done_callback(notify)


async def _is_done(future: Future[Answer], seconds: float) -> bool:
    """Wait a while for the end, however it ends; whether it has come."""
    ended = asyncio.Event()
    _when_done(future, ended.set)
    with suppress(TimeoutError):
        await asyncio.wait_for(ended.wait(), seconds)
    return future.done()


def wait_seconds(request: Request) -> float:
    """How long the client wants to wait (RFC 7240, ``Prefer: wait=N``)."""
    found = _WAIT.search(request.headers.get("prefer", ""))
    wished = int(found.group(1)) if found else WAIT_SECONDS_DEFAULT
    return float(min(wished, WAIT_SECONDS_MAX))
