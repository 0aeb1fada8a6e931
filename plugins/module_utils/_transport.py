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
import ssl
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.error import HTTPError, URLError

from ansible.module_utils.urls import Request

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


class UnixSocketTransport(Transport):
    """The agent of the host that the module runs on, by its unix socket."""

    def __init__(self, socket_path: str) -> None:
        self._socket_path = socket_path
        # The requests are plain HTTP; an own context spares loading the CA bundle each time.
        self._request = Request(
            unix_socket=socket_path,
            use_proxy=False,
            follow_redirects="none",
            context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )

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
        if len(os.fsencode(self._socket_path)) > SOCKET_PATH_BYTES_MAX:
            raise LicenseProblem.of(
                AGENT_MISSING,
                f"The path {self._socket_path} is longer than the {SOCKET_PATH_BYTES_MAX} bytes"
                " that a unix socket can have.",
                "Give the agent a socket with a shorter path and set agent_socket to it.",
            )
        try:
            with _bounded_connect(timeout_seconds):
                return self._exchange(method, path, body, headers, timeout_seconds)
        except (URLError, OSError, http.client.HTTPException) as error:
            raise self._explained(error, timeout_seconds) from error

    def _exchange(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        timeout_seconds: float,
    ) -> Answer:
        url = f"http://localhost{path}"
        try:
            response = self._request.open(
                method, url, data=body, headers=headers, timeout=timeout_seconds
            )
        except HTTPError as refused:
            with refused:
                return _read(t.cast(http.client.HTTPResponse, refused.fp))
        with response:
            return _read(response)

    def _explained(self, error: BaseException, timeout_seconds: float) -> LicenseProblem:
        causes = list(_causes(error))
        numbers = [cause.errno for cause in causes if isinstance(cause, OSError) and cause.errno]
        number = numbers[-1] if numbers else None
        if number in (errno.ENOENT, errno.ENOTDIR):
            return self._missing()
        if number in (errno.EACCES, errno.EPERM):
            return self._forbidden()
        if number == errno.ECONNREFUSED:
            return self._stopped()
        if number == errno.EAGAIN:
            return self._overloaded()
        if any(isinstance(cause, (socket.timeout, TimeoutError)) for cause in causes):
            return self._late(timeout_seconds)
        lost = (ConnectionError, http.client.IncompleteRead)
        if any(isinstance(cause, lost) for cause in causes):
            return self._lost()
        return self._unknown(causes[-1])

    def _missing(self) -> LicenseProblem:
        return LicenseProblem.of(
            AGENT_MISSING,
            f"There is no socket {self._socket_path}: seatkeeper-agent is not installed on this"
            " host, does not run, or uses another socket.",
            "Start it with 'seatkeeper-agent serve' or its service, or set agent_socket to the"
            " path that its settings name.",
        )

    def _forbidden(self) -> LicenseProblem:
        user = _user_name(os.geteuid())
        group = _group_of(self._socket_path)
        return LicenseProblem.of(
            AGENT_FORBIDDEN,
            f"The user {user} may not use the socket {self._socket_path}, which is for the group"
            f" {group}.",
            f"Add the user to the group {group} and log in anew, or set 'become: true'.",
        )

    def _stopped(self) -> LicenseProblem:
        return LicenseProblem.of(
            AGENT_STOPPED,
            f"Nobody listens on the socket {self._socket_path}: seatkeeper-agent has stopped and"
            " left it behind, or it is no socket.",
            "Start seatkeeper-agent; its log says why it stopped.",
        )

    def _overloaded(self) -> LicenseProblem:
        return LicenseProblem.of(
            AGENT_OVERLOADED,
            f"The agent at {self.place} takes no more connections at the moment.",
            "Run the playbook again; if it stays so, look at the agent's log.",
        )

    def _late(self, timeout_seconds: float) -> LicenseProblem:
        return LicenseProblem.of(
            AGENT_TIMEOUT,
            f"The agent at {self.place} did not answer within {timeout_seconds:.0f} seconds.",
            "Look at the agent's log, or set timeout to more seconds.",
        )

    def _lost(self) -> LicenseProblem:
        return LicenseProblem.of(
            AGENT_LOST,
            f"The connection to the agent at {self.place} broke before its answer was complete.",
            "Run the playbook again: what was begun is carried on, not repeated.",
        )

    def _unknown(self, cause: BaseException) -> LicenseProblem:
        shown = " ".join(f"{type(cause).__name__}: {cause}".split())
        return LicenseProblem.of(
            AGENT_UNKNOWN,
            f"What answers at {self.place} does not speak HTTP as an agent does ({shown}).",
            "Set agent_socket to the socket of seatkeeper-agent.",
        )


def _read(response: http.client.HTTPResponse) -> Answer:
    content = response.read(ANSWER_BYTES_MAX + 1)
    if len(content) > ANSWER_BYTES_MAX:
        raise http.client.HTTPException(f"an answer of over {ANSWER_BYTES_MAX} bytes")
    # http.client does not complain by itself when a limited read ends early.
    if response.length:
        raise http.client.IncompleteRead(content)
    return Answer(response.status, response.headers.get_content_type(), content)


@contextmanager
def _bounded_connect(timeout_seconds: float) -> t.Iterator[None]:
    """Ansible sets a unix socket's time limit only once it is connected; this bounds the rest."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(timeout_seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _causes(error: BaseException) -> t.Iterator[BaseException]:
    """The error and what it came from; Ansible wraps a failed connect and drops its number."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        reason = getattr(current, "reason", None)
        inner = reason if isinstance(reason, BaseException) else None
        current = inner or current.__cause__ or current.__context__


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
