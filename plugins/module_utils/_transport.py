# SPDX-License-Identifier: GPL-3.0-or-later
"""How one HTTP request reaches an agent: the seam under everything that the modules ask.

A transport sends one request and returns one answer, or says in one problem why it cannot.
It neither retries nor understands what is said; that is the client's part.
"""

from __future__ import annotations

import abc
import errno
import grp
import http.client
import os
import pwd
import socket
import typing as t
from dataclasses import dataclass

from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    AGENT_FORBIDDEN,
    AGENT_LOST,
    AGENT_MISSING,
    AGENT_OVERLOADED,
    AGENT_STOPPED,
    AGENT_TIMEOUT,
    AGENT_UNKNOWN,
    LicenseProblem,
)

ANSWER_BYTES_MAX = 64 * 1024 * 1024
SOCKET_PATH_BYTES_MAX = 107
"""Linux: a unix socket's path has 108 bytes with its closing zero."""


@dataclass(frozen=True)
class Answer:
    """What came back for one request, whatever its status."""

    status: int
    media_type: str
    body: bytes


class Transport(abc.ABC):
    """One way to reach one agent."""

    @property
    @abc.abstractmethod
    def place(self) -> str:
        """Where the agent is, as a person would name it in a sentence."""

    @abc.abstractmethod
    def exchange(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        timeout_seconds: float,
    ) -> Answer:
        """Send one request and read its whole answer; LicenseProblem when there is none."""


_SENTENCES: t.Final = {
    AGENT_MISSING: (
        (
            "There is no socket {socket}: seatkeeper-agent is not installed on this host, does not"
            " run, or uses another socket."
        ),
        (
            "Start it with 'seatkeeper-agent serve' or its service, or set agent_socket to the path"
            " that its settings name."
        ),
    ),
    AGENT_FORBIDDEN: (
        "The user {user} may not use the socket {socket}, which is for the group {group}.",
        "Add the user to the group {group} and log in anew, or set 'become: true'.",
    ),
    AGENT_STOPPED: (
        (
            "Nobody listens on the socket {socket}: seatkeeper-agent has stopped and left it"
            " behind, or it is no socket."
        ),
        "Start seatkeeper-agent; its log says why it stopped.",
    ),
    AGENT_OVERLOADED: (
        "The agent at the socket {socket} takes no more connections at the moment.",
        "Run the playbook again; if it stays so, look at the agent's log.",
    ),
    AGENT_TIMEOUT: (
        "The agent at the socket {socket} did not answer within {seconds} seconds.",
        "Look at the agent's log, or set timeout to more seconds.",
    ),
    AGENT_LOST: (
        "The connection to the agent at the socket {socket} broke before its answer was complete.",
        "Run the playbook again: what was begun is carried on, not repeated.",
    ),
    AGENT_UNKNOWN: (
        "What answers at the socket {socket} does not speak HTTP as an agent does ({shown}).",
        "Set agent_socket to the socket of seatkeeper-agent.",
    ),
}


def no_answer(code: str, socket_path: str, **members: str) -> LicenseProblem:
    """Why a socket gives no answer, in the same words whoever has tried it."""
    detail, next_action = _SENTENCES[code]
    told = {"socket": socket_path, **members}
    return LicenseProblem.of(code, detail.format_map(told), next_action.format_map(told))


def require_short(socket_path: str) -> None:
    """LicenseProblem for a path that no unix socket can have."""
    if len(os.fsencode(socket_path)) > SOCKET_PATH_BYTES_MAX:
        raise LicenseProblem.of(
            AGENT_MISSING,
            f"The path {socket_path} is longer than the {SOCKET_PATH_BYTES_MAX} bytes that a unix"
            " socket can have.",
            "Give the agent a socket with a shorter path and set agent_socket to it.",
        )


class UnixSocketTransport(Transport):
    """An agent by its unix socket, from the machine that has it."""

    def __init__(self, socket_path: str) -> None:
        self._socket_path = socket_path

    @property
    def place(self) -> str:
        return f"the socket {self._socket_path}"

    def exchange(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        timeout_seconds: float,
    ) -> Answer:
        require_short(self._socket_path)
        connection = _UnixConnection(self._socket_path, timeout_seconds)
        try:
            connection.request(method, path, body, headers)
            return _read(connection.getresponse())
        except (OSError, http.client.HTTPException) as error:
            raise self._explained(error, timeout_seconds) from error
        finally:
            connection.close()

    def _explained(self, error: Exception, timeout_seconds: float) -> LicenseProblem:
        number = error.errno if isinstance(error, OSError) else None
        place = self._socket_path
        if number in (errno.ENOENT, errno.ENOTDIR):
            return no_answer(AGENT_MISSING, place)
        if number in (errno.EACCES, errno.EPERM):
            user, group = _user_name(os.geteuid()), _group_of(place)
            return no_answer(AGENT_FORBIDDEN, place, user=user, group=group)
        if number == errno.ECONNREFUSED:
            return no_answer(AGENT_STOPPED, place)
        if number == errno.EAGAIN:
            return no_answer(AGENT_OVERLOADED, place)
        if isinstance(error, (socket.timeout, TimeoutError)):
            return no_answer(AGENT_TIMEOUT, place, seconds=f"{timeout_seconds:.0f}")
        if isinstance(error, (ConnectionError, http.client.IncompleteRead)):
            return no_answer(AGENT_LOST, place)
        shown = " ".join(f"{type(error).__name__}: {error}".split())
        return no_answer(AGENT_UNKNOWN, place, shown=shown)


class _UnixConnection(http.client.HTTPConnection):
    """HTTP on a unix socket. With a time limit a full queue is told at once, and not waited for."""

    def __init__(self, socket_path: str, timeout_seconds: float) -> None:
        super().__init__("localhost", timeout=timeout_seconds)
        self._socket_path = socket_path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._socket_path)


def _read(response: http.client.HTTPResponse) -> Answer:
    content = response.read(ANSWER_BYTES_MAX + 1)
    if len(content) > ANSWER_BYTES_MAX:
        raise http.client.HTTPException(f"an answer of over {ANSWER_BYTES_MAX} bytes")
    # http.client does not complain by itself when a limited read ends early.
    if response.length:
        raise http.client.IncompleteRead(content)
    return Answer(response.status, response.headers.get_content_type(), content)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_of(path: str) -> str:
    """The group of the socket, or of the nearest folder above it that may be looked at."""
    nearest = os.path.abspath(path)
    while nearest != os.sep and not os.path.exists(nearest):
        nearest = os.path.dirname(nearest)
    gid = os.stat(nearest).st_gid
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
