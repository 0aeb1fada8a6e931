# SPDX-License-Identifier: GPL-3.0-or-later
"""A real HTTP server on loopback that answers as a test wants, also in ways no server should."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Reply = bytes | Callable[[socket.socket], None]


@dataclass
class Requested:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class OddServer:
    """What it answers, by method and path, and what it was asked."""

    address: str = ""
    replies: dict[tuple[str, str], Reply] = field(default_factory=dict)
    requested: list[Requested] = field(default_factory=list)
    default: Reply = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

    def answer(self, connection: socket.socket) -> None:
        """Serve one connection with one request."""
        request = _read(connection)
        if request is None:
            return
        self.requested.append(request)
        reply = self.replies.get((request.method, request.path), self.default)
        if callable(reply):
            reply(connection)
        else:
            connection.sendall(reply)


def reply(status: int, body: bytes = b"", kind: str = "application/json", **headers: str) -> bytes:
    """A plain answer."""
    lines = [f"HTTP/1.1 {status} Told", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def json_reply(document: Any) -> bytes:
    """A JSON document with status 200."""
    return reply(200, json.dumps(document).encode())


def reset(connection: socket.socket) -> None:
    """Cut the connection the hard way."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def slow(seconds: float, answer: bytes) -> Callable[[socket.socket], None]:
    """Take that long before the answer."""

    def send(connection: socket.socket) -> None:
        time.sleep(seconds)
        connection.sendall(answer)

    return send


def drip(part: bytes) -> Callable[[socket.socket], None]:
    """Send a byte again and again, so that no single read ever takes long."""

    def send(connection: socket.socket) -> None:
        connection.sendall(part)
        for _ in range(400):
            time.sleep(0.02)
            connection.sendall(b" ")

    return send


def silence(connection: socket.socket) -> None:
    """Say nothing until the other side has gone."""
    connection.settimeout(20)
    connection.recv(1)


@contextmanager
def serving() -> Iterator[OddServer]:
    """Serve on a free port of loopback until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        server = OddServer(f"http://127.0.0.1:{listener.getsockname()[1]}")
        over = threading.Event()
        accepting = threading.Thread(target=_accept, args=(listener, server, over))
        accepting.start()
        try:
            yield server
        finally:
            over.set()
            accepting.join(5)


def _accept(listener: socket.socket, server: OddServer, over: threading.Event) -> None:
    serving_threads = []
    while not over.is_set():
        with contextlib.suppress(TimeoutError):
            connection, _ = listener.accept()
            thread = threading.Thread(target=_serve, args=(connection, server))
            thread.start()
            serving_threads.append(thread)
    for thread in serving_threads:
        thread.join(10)


def _serve(connection: socket.socket, server: OddServer) -> None:
    connection.settimeout(5)
    with connection, contextlib.suppress(OSError):
        server.answer(connection)


def _read(connection: socket.socket) -> Requested | None:
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return None
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    method, path, _ = first.split(" ")
    return Requested(method, path, headers, body)
