# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is at the other end of the socket and what they may do. Deny by default.

The kernel tells the peer's user and group (SO_PEERCRED); nothing in a request can change it.
"""

from __future__ import annotations

import grp
import os
import pwd
import socket
import struct
from dataclasses import dataclass
from enum import IntEnum

from seatkeeper_agent.settings import Roles

_CREDENTIALS = struct.Struct("3i")


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

    @property
    def name(self) -> str:
        """For the audit."""
        if self.uid is None:
            return "unknown"
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"uid {self.uid}"


def peer_of(connection: socket.socket | None) -> Peer:
    """Ask the kernel; an unknown peer if it is no unix socket."""
    if connection is None or connection.family != socket.AF_UNIX:
        return Peer(None, None)
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _pid, uid, gid = _CREDENTIALS.unpack(raw)
    return Peer(uid, gid)


def role_of(peer: Peer, roles: Roles) -> Role:
    """The highest role that the peer's user or groups give it."""
    if peer.uid is None or peer.gid is None:
        return Role.NOBODY
    if peer.uid in (0, os.geteuid()):
        return Role.MIGRATOR
    groups = _group_names(peer)
    listed = (
        (Role.MIGRATOR, roles.migrator),
        (Role.OPERATOR, roles.operator),
        (Role.OBSERVER, roles.observer),
    )
    return next((role for role, names in listed if groups.intersection(names)), Role.NOBODY)


def _group_names(peer: Peer) -> set[str]:
    gids = {peer.gid or 0}
    try:
        user = pwd.getpwuid(peer.uid or 0)
        gids.update(os.getgrouplist(user.pw_name, user.pw_gid))
    except KeyError:
        pass
    names: set[str] = set()
    for gid in gids:
        try:
            names.add(grp.getgrgid(gid).gr_name)
        except KeyError:
            continue
    return names
