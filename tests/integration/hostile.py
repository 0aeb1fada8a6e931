# SPDX-License-Identifier: GPL-3.0-or-later
"""Something in an agent's place that changes what it answers; the agent itself is real."""

from __future__ import annotations

import json
import socket
import socketserver
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from seatkeeper_twins.lab.lab import LabHost

Change = Callable[[str, str, dict[str, Any]], None]
"""Given method and path of a request, changes the answer in place."""

POLL_SECONDS = 0.02
_LENGTH = b"content-length"


class _Handler(socketserver.StreamRequestHandler):
    """One connection, request by request."""

    real: Path
    change: Change

    def handle(self) -> None:
        """Pass each request on, and the changed answer back, until the client has enough."""
        with socket.socket(socket.AF_UNIX) as agent:
            agent.connect(str(self.real))
            with agent.makefile("rwb") as stream:
                while (request := _message(self.rfile)) is not None:
                    stream.write(b"".join(request))
                    stream.flush()
                    answer = _message(stream)
                    if answer is None:
                        return
                    self.wfile.write(self._changed(request[0], *answer))

    def _changed(self, requested: bytes, head: bytes, body: bytes) -> bytes:
        method, path, _version = requested.split(b"\r\n", 1)[0].decode().split(" ")
        first, *lines = head.strip().split(b"\r\n")
        if b" 200 " not in first or b"json" not in head.lower():
            return head + body
        document = json.loads(body)
        type(self).change(method, path.partition("?")[0], document)
        content = json.dumps(document).encode()
        kept = [line for line in lines if not line.lower().startswith(_LENGTH)]
        kept.append(_LENGTH + b": %d" % len(content))
        return b"\r\n".join([first, *kept, b"", content])


def _message(stream: BinaryIO) -> tuple[bytes, bytes] | None:
    """The head of a request or an answer, and its body; None at the end."""
    head, length = b"", 0
    while (line := stream.readline()) not in (b"\r\n", b""):
        head += line
        if line.lower().startswith(_LENGTH):
            length = int(line.partition(b":")[2])
    return (head + b"\r\n", stream.read(length)) if head else None


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def hostile(host: LabHost, change: Change) -> Iterator[None]:
    """Listen in the place of a host's agent."""
    path = host.socket_path
    real = path.with_suffix(".real")
    path.rename(real)
    members = {"real": real, "change": staticmethod(change)}
    server = _Server(str(path), type("Handler", (_Handler,), members))
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        real.replace(path)


def seats_in_the_file(host: LabHost) -> dict[str, int]:
    """What the product of a host has on its disk, without asking anybody."""
    query = (
        "SELECT firm_code || ':' || product_code, sum(license_quantity) FROM item"
        " WHERE license_quantity IS NOT NULL GROUP BY 1"
    )
    database = f"file:{host.twin_folder / 'containers.db'}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        return dict(connection.execute(query).fetchall())
