# SPDX-License-Identifier: GPL-3.0-or-later
"""The application: routes behind the gate, every failure a problem."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from seatkeeper_agent import __version__
from seatkeeper_agent.agent import Agent
from seatkeeper_agent.api import (
    changing,
    dongles,
    following,
    look,
    orders,
    reading,
    server_moves,
    servers,
    state,
    system,
)
from seatkeeper_agent.api.access import AccessControl
from seatkeeper_agent.api.contract import PARSERS_MAX, known_parameters, openapi
from seatkeeper_agent.api.defects import Defects
from seatkeeper_agent.api.jobs import JobRunner
from seatkeeper_agent.api.methods import Methods, allowed, method_of
from seatkeeper_agent.api.problems import problem_of, problem_response
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.identity import IdentityError
from seatkeeper_agent.journal import JournalError
from seatkeeper_agent.operations.clock import CHECK_SECONDS
from seatkeeper_agent.operations.observer import LOOK_SECONDS
from seatkeeper_agent.operations.watcher import Repeating, Watcher
from seatkeeper_agent.schema_messages import FORMS
from seatkeeper_agent.settings import Roles


def create_app(agent: Agent | None, roles: Roles | None = None) -> FastAPI:
    """The agent's API; without an agent only its description can be had."""
    app = FastAPI(
        title="seatkeeper-agent",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    app.state.agent = agent
    app.state.parsers = ThreadPoolExecutor(PARSERS_MAX, thread_name_prefix="parse")
    app.state.is_ending = lambda: False
    for module in (
        reading,
        changing,
        servers,
        server_moves,
        dongles,
        orders,
        state,
        look,
        following,
        system,
    ):
        app.include_router(module.router, dependencies=[Depends(known_parameters)])
    for expected in (Problem, JournalError, IdentityError):
        app.add_exception_handler(expected, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_parameter)
    app.add_exception_handler(HTTPException, _on_route)
    app.add_middleware(Methods)
    app.add_middleware(Defects)
    app.add_middleware(AccessControl, roles=roles or Roles())
    app.openapi = lambda: openapi(app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.job_runner = JobRunner()
    agent: Agent = app.state.agent
    # What a crash left behind is taken up at once; a product that does not answer yet is
    # asked again by the next run.
    recovery = asyncio.get_running_loop().run_in_executor(None, _recover, agent)
    watcher = Watcher(agent.journal, partial(_look_again, agent), partial(_log_defect, "watcher"))
    watcher.start()
    compare = partial(agent.containers.observer.look, "agent")
    report = partial(_log_defect, "observer")
    observing = Repeating("observer", compare, report, LOOK_SECONDS, at_once=True)
    observing.start()
    clock = asyncio.create_task(_check_clock(agent))
    try:
        yield
    finally:
        # First, for the watcher may be looking for the end of a migration.
        agent.end_waiting()
        clock.cancel()
        watcher.stop()
        observing.stop()
        await recovery
        app.state.parsers.shutdown()
        app.state.job_runner.close()
        agent.close_products()


async def _check_clock(agent: Agent) -> None:
    """At intervals, so that a jump is noted also while nothing is asked for."""
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        # A journal that cannot be used is told by every request.
        with suppress(JournalError):
            await asyncio.to_thread(agent.clock.check)


def _look_again(agent: Agent) -> None:
    """What cannot go on is told by its operation, and to whoever asks for it."""
    agent.resume_servers("agent")


def _log_defect(where: str, error: Exception) -> None:
    from seatkeeper_agent.log import logger

    logger().error("defect", where=where, exc_info=error)


def _recover(agent: Agent) -> None:
    from seatkeeper_agent.log import logger

    try:
        resumed, problems = agent.resume_all("agent")
    except (JournalError, IdentityError) as error:
        logger().error("recovery_failed", error=str(error))
        return
    if resumed or problems:
        logger().info("recovered", resumed=resumed, problems=[str(entry) for entry in problems])


async def _on_problem(_request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    if problem is None:
        raise error
    return problem_response(problem)


async def _on_parameter(_request: Request, error: Any) -> Response:
    first = error.errors()[0]
    place = "/".join(str(part) for part in first["loc"])
    form = FORMS.get(first.get("ctx", {}).get("pattern"))
    fault = first["msg"] if form is None else f"it must be {form}"
    return problem_response(
        Problem(
            ProblemCode.REQUEST_INVALID,
            f"The request cannot be used at {place}: {fault}.",
            f"Correct {place}.",
        )
    )


async def _on_route(request: Request, error: Any) -> Response:
    methods, requested = allowed(request), method_of(request)[:20]
    if methods:
        allowed_methods = ", ".join(methods)
        return problem_response(
            Problem(
                ProblemCode.METHOD_NOT_ALLOWED,
                f"The path {request.url.path[:200]} has no {requested}.",
                f"It has {allowed_methods}; ask with one of them.",
            ),
            {"Allow": allowed_methods},
        )
    return problem_response(
        Problem(
            ProblemCode.ROUTE_UNKNOWN,
            f"This agent has no {requested} {request.url.path[:200]} ({error.detail}).",
            "Update the agent or the collection, so that they fit together.",
        )
    )
