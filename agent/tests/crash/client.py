# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to an agent that may die at any moment."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any

ANSWER_SECONDS_MAX = 300.0


class NoAnswerError(Exception):
    """The agent was not there, or went away before it had answered."""


class RefusedError(Exception):
    """The agent answered with a problem."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(f"{problem.get('code')}: {problem.get('detail')}")
        self.code = str(problem.get("code"))


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS_MAX)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ANSWER_SECONDS_MAX)
        self.sock.connect(str(self._path))


def ask(socket_path: Path, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """One request; NoAnswerError or RefusedError unless it is answered with 200."""
    connection = _UnixConnection(socket_path)
    headers = {"Content-Type": "application/json", "Prefer": "wait=60"}
    content = None if body is None else json.dumps(body)
    try:
        connection.request(method, path, content, headers)
        answer = connection.getresponse()
        document: dict[str, Any] = json.loads(answer.read())
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswerError(f"{method} {path}: {type(error).__name__} {error}") from error
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise RefusedError(document)
    return document
