# SPDX-License-Identifier: GPL-3.0-or-later
"""A small HTTP server on a unix socket: real requests over a real socket, answers by script."""

from __future__ import annotations

import json
import shutil
import socketserver
import tempfile
import threading
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: t.Any


class Hangup(Exception):
    """Raised by a script to close the connection without an answer."""


Script = t.Callable[[Seen], t.Any]


@dataclass
class UnixServer:
    """Where the server listens, what it does and what it has seen."""

    path: Path
    script: Script
    seen: list[Seen] = field(default_factory=list)


def problem(code: str, status: int = 409) -> tuple[int, dict[str, t.Any]]:
    """A problem as an agent answers it."""
    return status, {
        "type": f"urn:seatkeeper:problem:{code}",
        "code": code,
        "title": code,
        "status": status,
        "detail": f"Told about {code}.",
        "next_action": "Do something about it.",
        "retryable": False,
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: UnixServer

    def log_message(self, format: str, *args: t.Any) -> None:  # noqa: A002 - inherited name
        """Stay quiet; tests look at what was seen."""

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length", 0))
        content = self.rfile.read(length)
        body = json.loads(content) if content else None
        query = dict(parse_qsl(parts.query))
        seen = Seen(self.command, parts.path, query, dict(self.headers), body)
        self.state.seen.append(seen)
        try:
            answer = self.state.script(seen)
        except Hangup:
            self.close_connection = True
            return
        if isinstance(answer, bytes):
            self.wfile.write(answer)
            self.close_connection = True
            return
        status, document = answer if isinstance(answer, tuple) else (200, answer)
        self._answer(status, document)

    def _answer(self, status: int, document: t.Any) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        media = "application/problem+json" if status >= 400 else "application/json"
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - names http.server calls


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    # A client that gives up first is part of some tests.
    block_on_close = False

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """A broken connection is what some tests are about."""


@contextmanager
def serving(script: Script) -> t.Iterator[UnixServer]:
    """A server in a folder of its own; its path is short, as unix sockets demand."""
    folder = tempfile.mkdtemp(prefix="unix-")
    state = UnixServer(Path(folder) / "agent.sock", script)
    handler = type("Handler", (_Handler,), {"state": state})
    server = _Server(str(state.path), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
        shutil.rmtree(folder)
