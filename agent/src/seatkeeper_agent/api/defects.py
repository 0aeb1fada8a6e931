# SPDX-License-Identifier: GPL-3.0-or-later
"""A failure that nobody foresaw: one line in the log, a problem for the client."""

from __future__ import annotations

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seatkeeper_agent.api.problems import problem_response
from seatkeeper_agent.domain.problems import Problem, ProblemCode


class Defects:
    """Catches here, so that the server neither prints a traceback nor drops the connection."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; answer with a problem where the answer has not begun."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnect:
            return  # nobody is left to be answered
        except Exception as error:
            _log(scope, error)
            if begun:
                raise
            await problem_response(_problem(scope))(scope, receive, send)


def _log(scope: Scope, error: Exception) -> None:
    from seatkeeper_agent.log import logger

    logger().error("defect", method=scope["method"], path=scope["path"], exc_info=error)


def _problem(scope: Scope) -> Problem:
    return Problem(
        ProblemCode.INTERNAL,
        f"The agent failed at {scope['method']} {scope['path']}; its log has the details.",
        "Report it with the log; running again is safe.",
    )
