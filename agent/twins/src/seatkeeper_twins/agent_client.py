# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask an agent over its unix socket: what lab and demo show was told by the agents themselves."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ANSWER_SECONDS_MAX = 60.0
PAGES_MAX = 1_000


class AgentError(Exception):
    """The agent refused; the text is its own sentence, or says what came instead of an answer."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS_MAX)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ANSWER_SECONDS_MAX)
        self.sock.connect(str(self._path))


class AgentClient:
    """One agent behind a socket; a fresh connection for each request."""

    def __init__(self, socket_path: Path) -> None:
        self.socket_path = socket_path

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON that GET answers; AgentError unless 200, OSError when no agent listens."""
        target = f"{path}?{urlencode(query)}" if query else path
        status, body = self._answer(target)
        if status != http.client.OK:
            raise AgentError(_sentence(status, body, target))
        return json.loads(body)

    def all(self, path: str, member: str, **query: str) -> list[dict[str, Any]]:
        """The entries of all pages of a list."""
        found: list[dict[str, Any]] = []
        after: dict[str, str | int] = {}
        for _ in range(PAGES_MAX):
            page = self.get(path, **query, **after)
            found += page[member]
            if page["next"] is None:
                return found
            after = {"after": page["next"]}
        raise AgentError(f"GET {path} has more than {PAGES_MAX} pages.")

    def is_ready(self) -> bool:
        """Whether GET /readyz answers, ready or frozen; it does so without the product, too."""
        answering = (http.client.OK, http.client.SERVICE_UNAVAILABLE)
        try:
            return self._answer("/readyz")[0] in answering
        except OSError:
            return False

    def _answer(self, target: str) -> tuple[int, bytes]:
        connection = _UnixConnection(self.socket_path)
        try:
            connection.request("GET", target)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except http.client.HTTPException as error:
            raise ConnectionError(f"no complete answer to GET {target}: {error}") from error
        finally:
            connection.close()


def _sentence(status: int, body: bytes, target: str) -> str:
    try:
        problem = json.loads(body)
        return f"{problem['detail']} {problem['next_action']}"
    except (ValueError, KeyError, TypeError):
        return f"GET {target} was answered with status {status}: {body[:200]!r}"
