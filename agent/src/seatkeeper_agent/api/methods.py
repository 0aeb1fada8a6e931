# SPDX-License-Identifier: GPL-3.0-or-later
"""HEAD where GET is answered, and which methods a path has (RFC 9110, 9.3.2 and 10.2.1)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = ("GET", "PUT", "POST", "DELETE")
_HEAD = "HEAD"


class Methods:
    """Has HEAD answered as GET is, with the same headers and without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        if scope["type"] != "http" or scope["method"] != _HEAD:
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            await send({**message, "body": b""} if "body" in message else message)

        state = {**scope.get("state", {}), "method": _HEAD}
        await self._app({**scope, "method": "GET", "state": state}, receive, sending)


def method_of(request: Request) -> str:
    """The method that was asked with."""
    return str(getattr(request.state, "method", request.method))


def allowed(request: Request) -> list[str]:
    """The methods that the path of a request has."""
    found = [method for method in METHODS if _is_there(request, method)]
    return [*found, _HEAD] if "GET" in found else found


def _is_there(request: Request, method: str) -> bool:
    # A copy: the router writes into it what it finds on its way.
    scope = {key: value for key, value in request.scope.items() if key != "fastapi"}
    requested = {**scope, "method": method, "path_params": {}}
    return any(route.matches(requested)[0] is Match.FULL for route in request.app.routes)
