# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between operating systems, behind one interface.

``host()`` gives the implementation of the one that this is. It is called where something is done,
never while a module is imported: every other module can be imported on any of them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import socket
    import subprocess
    from pathlib import Path


class HostUnsupported(Exception):
    """There is no implementation for this operating system, in one sentence."""


class HostRefused(Exception):
    """What this host does not give, or what must not be used, in one sentence."""


class FileUnusable(Exception):
    """A file that cannot be read or replaced; ``path`` is the file itself, behind all links."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end; ids are None where the kernel does not tell them."""

    uid: int | None
    gid: int | None
    groups: tuple[int, ...] = ()

    @property
    def is_own(self) -> bool:
        """Whether it is the administrator or the agent's own user."""
        return self.uid is not None and host().is_trusted(self.uid)


@dataclass(frozen=True, slots=True)
class User:
    """A user of this host with its own group."""

    name: str
    uid: int
    gid: int


class Host(Protocol):
    """What an operating system has to give. OSError where nothing else is said."""

    # The peer: who is at the other end, and what that one is called.
    def peer_of(self, connection: socket.socket | None) -> Peer:
        """Ask the kernel; an unknown peer where it cannot tell."""

    def is_trusted(self, uid: int) -> bool:
        """Whether it is the administrator or the user of this process."""

    def user_id(self) -> int:
        """The user of this process."""

    def is_administrator(self) -> bool:
        """Whether that one may do everything."""

    def user(self, name: str) -> User | None:
        """The user of this name; None where there is none."""

    def user_name(self, uid: int) -> str | None:
        """What a user is called; None where nobody tells. It may take long."""

    def group_id(self, name: str) -> int | None:
        """The number of a group; None where there is none. It may take long."""

    def group_of(self, path: Path) -> str:
        """The group of a file, or of the nearest folder above it that may be looked at."""

    def groups_stamp(self) -> object:
        """Something that is another one as soon as the groups of this host were changed."""

    # The door: where requests come in.
    def listener(self, path: Path, backlog: int) -> tuple[socket.socket, bool]:
        """A listening socket, and whether it was made here. HostRefused where there is none."""

    # The process itself, and the children that it starts.
    def confine(self) -> None:
        """Deny this process, and whatever it starts, what it does not need; before any thread."""

    def start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        stdin: int,
        stderr: int,
        folder: str | None = None,
        user: User | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a program so that it can be ended with whatever it starts; its output is a pipe."""

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """End a program at once, with what it has started and what stayed with it."""

    def end_marked(self, variable: str, mark: str, seconds_max: float = 5.0) -> bool:
        """End all but this one that carry a mark in their environment; whether none is left."""

    def arrivals(self, connection: socket.socket, starter: int) -> Iterator[None]:
        """Each time that something has come, as long as the process that started this one lives."""

    # Services.
    def service_command(self, verb: str, service: str) -> tuple[str, ...]:
        """The command that starts or stops a service of this host."""

    def are_ports_limited(self) -> bool:
        """Whether a run of a playbook has limited who reaches the ports of license servers."""

    # Locks, which end with the process that holds them.
    def lock_file(self, path: Path) -> IO[str]:
        """Hold a file, made if need be. BlockingIOError where another process holds it."""

    def lock_folder(self, folder: Path) -> int | None:
        """Hold a folder; None where another process holds it or has replaced it meanwhile."""

    def is_folder_of(self, folder: Path, uid: int) -> bool:
        """Whether it is a folder, and no link, that belongs to that user."""

    def unlock(self, lock: int) -> None:
        """Let go of a folder."""

    # Files: private, whole, durable.
    def private_file(self, path: Path, replace: bool = False) -> int:
        """Make a file for this user alone and open it for writing; never through a link.

        FileExistsError where something is there, unless it is to be replaced.
        """

    def give_to(self, folder: Path, user: User) -> None:
        """Give a folder that was just made to another user."""

    def opened_to(self, path: Path) -> str | None:
        """How a file or folder is open to others; None where it is private."""

    def read_private(self, path: Path, bytes_max: int) -> bytes | None:
        """A file's bytes, one more than ``bytes_max`` at most; None where it is not private."""

    def read_file(self, path: Path, bytes_max: int) -> bytes:
        """A file's bytes, never through somebody else's link. HostRefused, FileUnusable."""

    def replace_file(self, path: Path, content: bytes, expected: bytes, bytes_max: int) -> None:
        """Put ``content`` in the place of ``expected``, whole, durably, same owner and mode.

        HostRefused where the file no longer holds ``expected``; FileUnusable.
        """

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable."""

    def memory_folders(self) -> list[Path]:
        """Places for secrets that no disk sees, best first; they may not be there."""

    def read_device(self, path: Path, bytes_max: int) -> bytes:
        """What the kernel shows of a device, without ever waiting for it."""

    def write_device(self, path: Path, content: bytes) -> None:
        """EFFECT: tell the kernel something of a device."""


@cache
def host() -> Host:
    """The operating system that this is. HostUnsupported."""
    if sys.platform == "linux":
        from seatkeeper_agent.host import linux

        return linux
    raise HostUnsupported(f"The agent runs on Linux, and this is {sys.platform}.")
