# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is at the other end of the socket and what they may do. Deny by default.

The kernel tells user and groups of the process that connected (SO_PEERCRED, SO_PEERGROUPS);
nothing in a request can change them, and the name service is not asked who is in which group.
It is asked for the numbers of the groups that give a role and for the names of users, both
beside the event loop and with a deadline: it may be a directory on the network.
"""

from __future__ import annotations

import asyncio
import errno
import grp
import os
import pwd
import socket
import struct
import time
from array import array
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TypeVar

from seatkeeper_agent.settings import Roles

LOOK_UP_SECONDS_MAX = 2.0
KEPT_SECONDS = 60.0
NAMES_MAX = 1_000
GROUP_FILE = Path("/etc/group")

_CREDENTIALS = struct.Struct("3i")
_SO_PEERGROUPS = 59  # asm-generic/socket.h; Python has no name for it
_OPTION_BYTES_MAX = 1024  # what Python's getsockopt can take
_GROUPS_MAX = 65_536  # NGROUPS_MAX of Linux
_T = TypeVar("_T")


class Role(IntEnum):
    """Each role may do what the ones below it may."""

    NOBODY = 0
    OBSERVER = 1
    OPERATOR = 2
    MIGRATOR = 3


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end; ids are None where the kernel does not tell them."""

    uid: int | None
    gid: int | None
    groups: tuple[int, ...] = ()

    @property
    def is_own(self) -> bool:
        """Whether it is root or the agent's own user."""
        return self.uid is not None and self.uid in (0, os.geteuid())


def peer_of(connection: socket.socket | None) -> Peer:
    """Ask the kernel; an unknown peer if it is no unix socket."""
    if connection is None or connection.family != socket.AF_UNIX:
        return Peer(None, None)
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _pid, uid, gid = _CREDENTIALS.unpack(raw)
    return Peer(uid, gid, tuple(array("I", _groups(connection))))


def _groups(connection: socket.socket) -> bytes:
    try:
        return connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _OPTION_BYTES_MAX)
    except OSError as error:
        if error.errno != errno.ERANGE:
            raise
    # More groups than Python's own call can take, as a directory may give.
    import ctypes

    found = (ctypes.c_uint32 * _GROUPS_MAX)()
    size = ctypes.c_uint32(ctypes.sizeof(found))
    call = ctypes.CDLL(None, use_errno=True).getsockopt
    descriptor, level = connection.fileno(), socket.SOL_SOCKET
    if call(descriptor, level, _SO_PEERGROUPS, found, ctypes.byref(size)) != 0:
        raise OSError(ctypes.get_errno(), "the kernel does not tell the peer's groups")
    return bytes(found)[: size.value]


class People:
    """What the name service says: which groups give which role, and what users are called.

    What it said last counts where it does not answer in time.
    """

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self._roles_by_gid = _roles_by_gid(roles)
        self._looked_up_at = time.monotonic()
        self._group_file = _stamp()
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
            name = await self._looked_up(lambda: _name(uid))
        if len(self._names) >= NAMES_MAX:
            self._names.clear()
        self._names[uid] = (name, time.monotonic() + KEPT_SECONDS)
        return name

    async def _keep_current(self) -> None:
        stamp = _stamp()
        if stamp == self._group_file and time.monotonic() < self._looked_up_at + KEPT_SECONDS:
            return
        self._group_file, self._looked_up_at = stamp, time.monotonic()
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
            with suppress(KeyError, ValueError, OSError):
                found[grp.getgrnam(name).gr_gid] = role
    return found


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OSError):
        return f"uid {uid}"


def _stamp() -> tuple[int, int] | None:
    """What tells that groups of this host were changed."""
    try:
        status = GROUP_FILE.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
