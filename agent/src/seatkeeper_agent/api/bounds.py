# SPDX-License-Identifier: GPL-3.0-or-later
"""What one user, and all users together, can take of the agent at any time.

Connections, and bodies from their head until the work with them is done, are counted by the user
at the other end. Each user has a share, so that nobody can take another's; all users together
have one as well, which root and the agent's own user are not part of: a playbook gets in whatever
others do. Whatever the other end has to do has a deadline.
"""

from __future__ import annotations

from asyncio import TimerHandle
from collections import Counter
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.host import Peer, host

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

CONNECTIONS_EACH = 64
CONNECTIONS_TOGETHER = 256
BODY_BYTES_MAX = 8 * 1024 * 1024
BODIES_BYTES_EACH = 2 * BODY_BYTES_MAX
BODIES_BYTES_TOGETHER = 8 * BODY_BYTES_MAX
BODY_BYTES_COUNTED_MIN = 128 * 1024
"""What a request that may change something counts at least: its work takes memory as well."""


class Awaited(Enum):
    """What has to come next, and from whom."""

    HEAD = "head"
    BODY = "body"
    READER = "reader"
    AGENT = "agent"


SECONDS_MAX = {Awaited.HEAD: 10.0, Awaited.BODY: 30.0, Awaited.READER: 30.0, Awaited.AGENT: 30.0}
"""How long each may take. The agent is not ended after its time, but looked at again."""

_UNANSWERED = (h11.IDLE, h11.SEND_RESPONSE)
_ALL = "All users together, but for root and the agent's own,"


class Body:
    """The body of one request in flight, counted until it is released as often as it was held."""

    def __init__(self, taken: Counter[int | None], uid: int | None, size: int) -> None:
        self._taken, self._uid, self._size = taken, uid, size
        self._holders = 1
        taken[uid] += size

    def hold(self) -> None:
        """Count it until one more release."""
        self._holders += 1

    def release(self) -> None:
        """One holder needs it no more. In the event loop only."""
        self._holders -= 1
        if self._holders == 0:
            self._taken[self._uid] -= self._size
            if not self._taken[self._uid]:
                del self._taken[self._uid]


class Bodies:
    """All bodies in flight."""

    def __init__(self) -> None:
        self._taken: Counter[int | None] = Counter()

    def take(self, peer: Peer, size: int) -> Body:
        """Count one more body of a size in bytes; Problem where there is no room for it."""
        together = _together(self._taken)
        if size and self._taken[peer.uid] + size > BODIES_BYTES_EACH:
            raise _overloaded(_user(peer), BODIES_BYTES_EACH, "bytes of requests")
        if size and not peer.is_own and together + size > BODIES_BYTES_TOGETHER:
            raise _overloaded(_ALL, BODIES_BYTES_TOGETHER, "bytes of requests")
        return Body(self._taken, peer.uid, size)


class WithPeer:
    """Adds the peer's identity to every request of one connection."""

    def __init__(self, app: ASGIApp, peer: Peer) -> None:
        self._app = app
        self._peer = peer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with the peer in the scope."""
        scope["seatkeeper.peer"] = self._peer
        await self._app(scope, receive, send)


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 that asks the kernel who is at the other end, and holds it to the bounds.

    uvicorn's own limits know no users, and its time limit is for idle connections only.
    """

    _awaited: Awaited | None = None
    _timer: TimerHandle | None = None
    is_refused = False

    def connection_made(self, transport: Any) -> None:
        """Called by asyncio for each connection; one too many is told so and closed."""
        self.peer = host().peer_of(transport.get_extra_info("socket"))
        self.app = WithPeer(self.app, self.peer)
        problem = self._refusal()
        super().connection_made(transport)
        if problem is not None:
            self.is_refused = True
            self._end(problem)
        self._set_deadline()

    def data_received(self, data: bytes) -> None:
        """What came may be the end of what was awaited."""
        super().data_received(data)
        self._set_deadline()

    def on_response_complete(self) -> None:
        """The next head is awaited, or the reader."""
        super().on_response_complete()
        self._set_deadline()

    def pause_writing(self) -> None:
        """The other end does not read."""
        super().pause_writing()
        self._set_deadline()

    def resume_writing(self) -> None:
        """It reads on."""
        super().resume_writing()
        self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        super().connection_lost(exc)
        if self._timer is not None:
            self._timer.cancel()

    def _refusal(self) -> Problem | None:
        others = [each for each in self.connections if isinstance(each, BoundedProtocol)]
        held = Counter(each.peer.uid for each in others if not each.is_refused)
        if held[self.peer.uid] >= CONNECTIONS_EACH:
            return _overloaded(_user(self.peer), CONNECTIONS_EACH, "connections")
        if not self.peer.is_own and _together(held) >= CONNECTIONS_TOGETHER:
            return _overloaded(_ALL, CONNECTIONS_TOGETHER, "connections")
        return None

    def _set_deadline(self) -> None:
        """One for what is awaited now; what was awaited before as well keeps its own."""
        awaited = self._what_is_awaited()
        if awaited is self._awaited:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._awaited = awaited
        self._timer = self.loop.call_later(SECONDS_MAX[awaited], self._be_late)

    def _what_is_awaited(self) -> Awaited:
        if self.transport.is_closing() or self.flow.write_paused:
            return Awaited.READER
        if self.conn.their_state is h11.IDLE:
            return Awaited.HEAD
        return Awaited.BODY if self.conn.their_state is h11.SEND_BODY else Awaited.AGENT

    def _be_late(self) -> None:
        awaited, self._awaited, self._timer = self._what_is_awaited(), None, None
        if awaited is Awaited.READER:
            self.transport.abort()
        elif awaited is not Awaited.AGENT and self.conn.our_state in _UNANSWERED:
            self._end(_late(awaited))
        elif awaited is not Awaited.AGENT:
            self.transport.abort()
        self._set_deadline()

    def _end(self, problem: Problem) -> None:
        """Answer in the application's place and close."""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.write(_answer(problem))
        self.transport.close()


def _together(held: Counter[int | None]) -> int:
    return sum(amount for uid, amount in held.items() if not Peer(uid, None).is_own)


def _user(peer: Peer) -> str:
    return f"The user with the number {peer.uid}"


def _overloaded(who: str, most: int, what: str) -> Problem:
    return Problem(
        ProblemCode.AGENT_OVERLOADED,
        f"{who} may have {most} {what} at this agent at one time, and no more are free.",
        "Close some or wait until they have ended, then run again.",
    )


def _late(awaited: Awaited) -> Problem:
    return Problem(
        ProblemCode.REQUEST_INVALID,
        f"The request's {awaited.value} did not arrive within {SECONDS_MAX[awaited]:.0f} seconds.",
        "Send it whole.",
    )


def _answer(problem: Problem) -> bytes:
    # An idle agent has not loaded what this needs.
    from seatkeeper_agent.api.problems import problem_response

    response = problem_response(problem)
    status = HTTPStatus(response.status_code)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode(), b"connection: close"]
    lines += [name + b": " + value for name, value in response.raw_headers]
    return b"\r\n".join([*lines, b"", bytes(response.body)])
