# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is at the other end of the socket and what they may do. Deny by default.

The kernel tells user and groups of the process that connected; nothing in a request can change
them, and the name service is not asked who is in which group.
It is asked for the numbers of the groups that give a role and for the names of users, both
beside the event loop and with a deadline: it may be a directory on the network.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import IntEnum
from typing import TypeVar

from seatkeeper_agent.host import Peer, host
from seatkeeper_agent.settings import Roles

LOOK_UP_SECONDS_MAX = 2.0
KEPT_SECONDS = 60.0
NAMES_MAX = 1_000

_T = TypeVar("_T")


class Role(IntEnum):
    """Each role may do what the ones below it may."""

    NOBODY = 0
    OBSERVER = 1
    OPERATOR = 2
    MIGRATOR = 3


class People:
    """What the name service says: which groups give which role, and what users are called.

    What it said last counts where it does not answer in time.
    """

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self._roles_by_gid = _roles_by_gid(roles)
        self._looked_up_at = time.monotonic()
        self._groups_stamp = host().groups_stamp()
        self._names: dict[int, tuple[str, float]] = {}
        # One thread: a name service that hangs holds this one and no other.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="names")

    async def role_of(self, peer: Peer) -> Role:
        """The highest role that the peer's user or groups give it."""
        if peer.uid is None or peer.gid is None:
            return Role.NOBODY
        if peer.is_own:
            return Role.MIGRATOR
        await self._keep_current()
        given = self._roles_by_gid
        return max(given.get(gid, Role.NOBODY) for gid in (peer.gid, *peer.groups))

    async def name_of(self, peer: Peer) -> str:
        """The user's name for the audit; the number where nobody tells a name in time."""
        if peer.uid is None:
            return "unknown"
        name, until = self._names.get(peer.uid, ("", 0.0))
        if time.monotonic() < until:
            return name
        uid, name = peer.uid, name or f"uid {peer.uid}"
        with suppress(TimeoutError):
            name = await self._looked_up(lambda: host().user_name(uid) or f"uid {uid}")
        if len(self._names) >= NAMES_MAX:
            self._names.clear()
        self._names[uid] = (name, time.monotonic() + KEPT_SECONDS)
        return name

    async def _keep_current(self) -> None:
        stamp = host().groups_stamp()
        if stamp == self._groups_stamp and time.monotonic() < self._looked_up_at + KEPT_SECONDS:
            return
        self._groups_stamp, self._looked_up_at = stamp, time.monotonic()
        with suppress(TimeoutError):
            self._roles_by_gid = await self._looked_up(lambda: _roles_by_gid(self._roles))

    async def _looked_up(self, look_up: Callable[[], _T]) -> _T:
        answer = asyncio.get_running_loop().run_in_executor(self._thread, look_up)
        return await asyncio.wait_for(answer, LOOK_UP_SECONDS_MAX)


def _roles_by_gid(roles: Roles) -> dict[int, Role]:
    """The highest role of each group that is there."""
    found: dict[int, Role] = {}
    for role, names in (
        (Role.OBSERVER, roles.observer),
        (Role.OPERATOR, roles.operator),
        (Role.MIGRATOR, roles.migrator),
    ):
        for name in names:
            # A group that is not there, has no possible name or is not told gives nothing.
            number = host().group_id(name)
            if number is not None:
                found[number] = role
    return found
