# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where a request is let in or not."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from seatkeeper_agent.api.problems import problem_response
from seatkeeper_agent.api.roles import Peer, Role, role_of
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.settings import Roles

BODY_BYTES_MAX = 8 * 1024 * 1024
OPEN_PATHS = frozenset({"/livez", "/readyz"})
HOSTS = frozenset({"localhost", "seatkeeper"})
_READING = frozenset({"GET", "HEAD"})


class Gate:
    """Checks host, origin, size and role before anything else sees the request."""

    def __init__(self, app: ASGIApp, roles: Roles) -> None:
        self._app = app
        self._roles = roles

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through with its role, or answer with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        peer = scope.get("seatkeeper.peer", Peer(None, None))
        role = role_of(peer, self._roles)
        problem = _refusal(scope, peer, role)
        if problem is not None:
            await problem_response(problem)(scope, receive, send)
            return
        scope.setdefault("state", {}).update(peer=peer, role=role)
        await self._app(scope, receive, send)


def _refusal(scope: Scope, peer: Peer, role: Role) -> Problem | None:
    headers = {name.lower(): value for name, value in scope["headers"]}
    host = headers.get(b"host", b"").decode("latin-1").rsplit(":", 1)[0]
    if b"origin" in headers or host not in HOSTS:
        return Problem(
            ProblemCode.FORBIDDEN,
            "The request names a browser origin or a host that is not this agent.",
            "Ask through the agent's socket, with the host name localhost.",
        )
    length = headers.get(b"content-length", b"0")
    if b"transfer-encoding" in headers or not length.isdigit() or int(length) > BODY_BYTES_MAX:
        return Problem(
            ProblemCode.REQUEST_TOO_LARGE,
            f"The request's body is larger than {BODY_BYTES_MAX} bytes or does not tell its size.",
            "Send less, with a Content-Length.",
        )
    needed = Role.OBSERVER if scope["method"] in _READING else Role.OPERATOR
    if scope["path"] in OPEN_PATHS or role >= needed:
        return None
    return Problem(
        ProblemCode.FORBIDDEN,
        f"The user {peer.name} may not {scope['method']} {scope['path']}: that needs the role"
        f" {needed.name.lower()}.",
        "Add the user to a group that the agent's settings name under [roles].",
    )
