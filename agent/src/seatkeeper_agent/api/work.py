# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work: wait for it a while, then let the client follow its operation."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse, Response

from seatkeeper_agent.api.problems import problem_document
from seatkeeper_agent.domain.problems import Problem

WORKERS_MAX = 8
REMEMBERED_MAX = 1_000
WAIT_SECONDS_DEFAULT = 60
WAIT_SECONDS_MAX = 300

_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,4})")

Answer = dict[str, Any]


class Workshop:
    """Runs requests in threads and remembers the answers of those that were slow."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(WORKERS_MAX, thread_name_prefix="work")
        self._futures: OrderedDict[str, Future[Answer]] = OrderedDict()

    async def run(
        self, request: Request, operation_id: str, work: Callable[[], Answer]
    ) -> Response:
        """200 with the answer, or 202 with the operation when it takes longer than wished."""
        future = self._pool.submit(work)
        self._remember(operation_id, future)
        try:
            wrapped = asyncio.shield(asyncio.wrap_future(future))
            answer = await asyncio.wait_for(wrapped, wait_seconds(request))
        except TimeoutError:
            operation = {"id": operation_id, "state": "running"}
            place = {"Location": f"/v1/operations/{operation_id}"}
            return JSONResponse({"operation": operation}, 202, place)
        return JSONResponse(answer)

    async def follow(self, operation_id: str, seconds: float) -> Answer | None:
        """How remembered work stands, waiting a while; None if it is not remembered."""
        future = self._futures.get(operation_id)
        if future is None:
            return None
        await asyncio.wait([asyncio.wrap_future(future)], timeout=seconds)
        if not future.done():
            return {"state": "running"}
        error = future.exception()
        if isinstance(error, Problem):
            return {"state": "failed", "problem": problem_document(error)}
        if error is not None:
            raise error
        return {"state": "done", "result": future.result()}

    def close(self) -> None:
        """Wait for what is running; nothing new is taken."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _remember(self, operation_id: str, future: Future[Answer]) -> None:
        self._futures[operation_id] = future
        self._futures.move_to_end(operation_id)
        while len(self._futures) > REMEMBERED_MAX:
            self._futures.popitem(last=False)


def wait_seconds(request: Request) -> float:
    """How long the client wants to wait (RFC 7240, ``Prefer: wait=N``)."""
    found = _WAIT.search(request.headers.get("prefer", ""))
    wished = int(found.group(1)) if found else WAIT_SECONDS_DEFAULT
    return float(min(wished, WAIT_SECONDS_MAX))
