# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where a request is let in or not."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from seatkeeper_agent.api.bounds import BODY_BYTES_COUNTED_MIN, BODY_BYTES_MAX, Bodies
from seatkeeper_agent.api.problems import problem_response
from seatkeeper_agent.api.roles import People, Role
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.host import Peer
from seatkeeper_agent.settings import Roles

STATE_PATH = "/v2/state"
"""Whether it is asked for a dry run says its body, so that the route itself looks at the role."""

OPEN_PATHS = frozenset({"/livez", "/readyz"})
HOSTS = frozenset({"localhost", "seatkeeper"})
_READING = frozenset({"GET", "HEAD"})


class AccessControl:
    """Checks host, origin, size, role and share before anything else sees the request."""

    def __init__(self, app: ASGIApp, roles: Roles) -> None:
        self._app = app
        self._people = People(roles)
        self._bodies = Bodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through with its role, or answer with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        peer = scope.get("seatkeeper.peer", Peer(None, None))
        role, name = await self._who(scope, peer)
        headers = {name.lower(): value for name, value in scope["headers"]}
        try:
            _check(scope, headers, name, role)
            body = self._bodies.take(peer, _counted(scope, headers))
        except Problem as problem:
            await problem_response(problem)(scope, receive, send)
            return
        scope.setdefault("state", {}).update(name=name, role=role, body=body)
        try:
            await self._app(scope, receive, send)
        finally:
            body.release()

    async def _who(self, scope: Scope, peer: Peer) -> tuple[Role, str]:
        # Whether the process lives is told also while the name service does not answer.
        if scope["path"] in OPEN_PATHS:
            return Role.NOBODY, "unknown"
        return await self._people.role_of(peer), await self._people.name_of(peer)


def _counted(scope: Scope, headers: dict[bytes, bytes]) -> int:
    length = int(headers.get(b"content-length", b"0"))
    return length if scope["method"] in _READING else max(length, BODY_BYTES_COUNTED_MIN)


def _check(scope: Scope, headers: dict[bytes, bytes], name: str, role: Role) -> None:
    host = headers.get(b"host", b"").decode("latin-1").rsplit(":", 1)[0]
    if b"origin" in headers or host not in HOSTS:
        raise Problem(
            ProblemCode.FORBIDDEN,
            "The request names a browser origin or a host that is not this agent.",
            "Ask through the agent's socket, with the host name localhost.",
        )
    length = headers.get(b"content-length", b"0")
    if b"transfer-encoding" in headers or not length.isdigit() or int(length) > BODY_BYTES_MAX:
        raise Problem(
            ProblemCode.REQUEST_TOO_LARGE,
            f"The request's body is larger than {BODY_BYTES_MAX} bytes or does not tell its size.",
            "Send less, with a Content-Length.",
        )
    needed = Role.OBSERVER if _only_looks(scope) else Role.OPERATOR
    if scope["path"] in OPEN_PATHS or role >= needed:
        return
    raise Problem(
        ProblemCode.FORBIDDEN,
        f"The user {name} may not {scope['method']} {scope['path']}: that needs the role"
        f" {needed.name.lower()}.",
        "Add the user to a group that the agent's settings name under [roles], and log in anew.",
    )


def _only_looks(scope: Scope) -> bool:
    """Whether the request changes nothing; a route without dry runs refuses the word for it."""
    if scope["method"] in _READING or scope["path"] == STATE_PATH:
        return True
    asked = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return asked.get("dry_run") == ["true"]
