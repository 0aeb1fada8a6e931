# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail server that answers exactly what a test puts into it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SECONDS_MAX = 30
DRIP_SECONDS = 0.02
CLOSE, SILENT, DRIP, CUT = "close", "silent", "drip", "…"

USUAL = {
    "greeting": "220 odd.invalid",
    "EHLO": "250-odd.invalid\r\n250 SIZE 1000000",
    "MAIL": "250 OK",
    "RCPT": "250 OK",
    "DATA": "354 go on",
    "text": "250 taken",
    "QUIT": "221 bye",
}


class ScriptedServer:
    """Takes one connection; ``answers`` are replies by command, or close, silent, drip.

    A reply that ends in ``…`` is cut off there, and the connection is closed.
    """

    def __init__(self, **answers: str) -> None:
        self.answers = {**USUAL, **answers}
        self.commands: list[str] = []
        self.text = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(SECONDS_MAX)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def start(self) -> None:
        """Wait for a connection, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._ends.set()
        self._listener.close()
        self._thread.join(SECONDS_MAX)

    def _serve(self) -> None:
        with suppress(OSError):
            connection, _ = self._listener.accept()
            with connection, connection.makefile("rb") as lines:
                connection.settimeout(SECONDS_MAX)
                said = self._say(connection, "greeting")
                while said and (line := lines.readline()):
                    command = line.decode().split()[0].upper()
                    self.commands.append(line.decode().strip())
                    said = self._say(connection, command)
                    if said and command == "DATA" and self.answers["DATA"].startswith("354"):
                        self.text = _text(lines)
                        said = self._say(connection, "text")

    def _say(self, connection: socket.socket, what: str) -> bool:
        """Answer; whether the talk goes on."""
        answer = self.answers.get(what, "502 what?")
        if answer == DRIP:
            # A line that never ends, slowly enough for every single read to succeed.
            while not self._ends.is_set():
                connection.sendall(b"2")
                time.sleep(DRIP_SECONDS)
        elif answer == SILENT:
            self._ends.wait(SECONDS_MAX)
        elif answer.endswith(CUT):
            connection.sendall(answer.removesuffix(CUT).encode())
        elif answer != CLOSE:
            connection.sendall(answer.encode() + b"\r\n")
            return True
        return False


def _text(lines: Iterator[bytes]) -> bytes:
    found = b""
    for line in lines:
        if line == b".\r\n":
            break
        found += line.removeprefix(b".") if line.startswith(b"..") else line
    return found


@contextmanager
def answering(**answers: str) -> Iterator[ScriptedServer]:
    """A server that answers the usual but for these."""
    server = ScriptedServer(**answers)
    server.start()
    try:
        yield server
    finally:
        server.stop()
