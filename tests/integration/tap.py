# SPDX-License-Identifier: GPL-3.0-or-later
"""A socket in front of an agent's: everything passes, and a test knows what was answered.

A person of a test acts when a task is seen to wait, and not some seconds after it was started.
"""

from __future__ import annotations

import socket
import socketserver
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seatkeeper_twins.lab.lab import Lab

from .runs import module

PERSON_SECONDS_MAX = 300
POLL_SECONDS = 0.02
CHUNK_BYTES = 65_536


@dataclass
class Tap:
    """Where it listens, and which requests the agent has answered: method, path and status."""

    path: Path
    agent: Path
    answered: list[tuple[str, str, int]] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def note(self, request: bytes, answer: bytes) -> None:
        """One request was answered; the heads of both as they passed."""
        method, path, _version = request.split(b"\r\n", 1)[0].decode("ascii").split(" ")
        status = int(answer.split(b" ", 2)[1])
        with self._news:
            self.answered.append((method, path, status))
            self._news.notify_all()

    def wait_for(self, method: str, status: int) -> None:
        """Until the agent has answered such a request with this status; AssertionError."""

        def is_there() -> bool:
            return any((each[0], each[2]) == (method, status) for each in self.answered)

        with self._news:
            assert self._news.wait_for(is_there, PERSON_SECONDS_MAX), self.answered


class _Handler(socketserver.BaseRequestHandler):
    """One connection: modules make one for each request."""

    tap: Tap

    def handle(self) -> None:
        """Pass both ways until the agent has said everything."""
        request = bytearray()
        answer = b""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as agent:
            agent.connect(str(self.tap.agent))
            forward = threading.Thread(target=self._forward, args=(agent, request), daemon=True)
            forward.start()
            while content := agent.recv(CHUNK_BYTES):
                # Noted first: who was answered may act on it at once.
                if not answer:
                    self.tap.note(bytes(request), content)
                answer = content
                self.request.sendall(content)

    def _forward(self, agent: socket.socket, request: bytearray) -> None:
        while content := self.request.recv(CHUNK_BYTES):
            request += content
            agent.sendall(content)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def tapped(agent: Path) -> Iterator[Tap]:
    """A tap before the socket of an agent; its path is short, as unix sockets demand."""
    with tempfile.TemporaryDirectory(prefix="tap-") as folder:
        tap = Tap(Path(folder) / "agent.sock", agent)
        server = _Server(str(tap.path), type("Handler", (_Handler,), {"tap": tap}))
        thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
        thread.start()
        try:
            yield tap
        finally:
            server.shutdown()
            server.server_close()


def waited(
    lab: Lab, folder: Path, name: str, host: str, work: Callable[[], object], /, **options: Any
) -> dict[str, Any]:
    """The result of a module that waits for a person, who works once it was told to wait."""

    def person() -> None:
        tap.wait_for("PUT", 200)
        work()

    with tapped(lab[host].socket_path) as tap, ThreadPoolExecutor(1) as people:
        working = people.submit(person)
        options |= {"wait_timeout": PERSON_SECONDS_MAX, "agent_socket": str(tap.path)}
        reported = module(lab, folder, name, host, **options)
        working.result()
    return reported


def wait_for(look: Callable[[], Any]) -> Any:
    """What somebody comes to see, by looking again and again."""
    deadline = time.monotonic() + PERSON_SECONDS_MAX
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(POLL_SECONDS)
    return found
