# SPDX-License-Identifier: GPL-3.0-or-later
"""Users who take what they can get: unfinished bodies and slow connections, held for good.

Also the program that becomes one of them: standard input brings the order, standard output tells
when all was tried and what could not be had, and the end of standard input is the end.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass

ANSWER_SECONDS_MAX = 300
PAUSE_SECONDS = 0.05
MEBIBYTE = 1024 * 1024
SLOW = b"GET /livez HTTP/1.1\r\nHost: loc"
UNFINISHED = (
    b"PUT /v1/borrows/00000000-0000-5000-8000-000000000000 HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Length: 8388608\r\n\r\n" + b" " * (4 * MEBIBYTE)
)


@dataclass(frozen=True)
class FloodCommand:
    """Whom one user floods with how much, and how many of each are refused for certain."""

    socket_path: str
    uid: int
    gid: int
    bodies: int
    bodies_refused: int
    slow: int
    slow_refused: int


class Flood:
    """One user who floods an agent, as a process of its own."""

    def __init__(self, command: FloodCommand) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(command)) + "\n")
        self._process.stdin.flush()

    def codes(self) -> list[str]:
        """With which codes it was refused, once all was tried; it holds on to all the rest."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the flood ended by itself"
        codes: list[str] = json.loads(line)
        return codes

    def end(self) -> None:
        """Have it let go of everything."""
        self._process.communicate(timeout=ANSWER_SECONDS_MAX)


class _Held:
    """Connections on which the same was sent; those that time ends are made anew."""

    def __init__(self, path: str, number: int, sent: bytes) -> None:
        self._path, self._sent = path, sent
        self._poll = select.poll()
        self._open: dict[int, socket.socket] = {}
        self._refused: list[socket.socket] = []
        for _turn in range(number):
            self._connect()

    def _connect(self) -> None:
        connection = socket.socket(socket.AF_UNIX)
        # Without a time limit it waits for its turn while many others connect.
        connection.connect(self._path)
        # Refused before all was sent: the answer is there to be read.
        with suppress(OSError):
            connection.sendall(self._sent)
        self._open[connection.fileno()] = connection
        self._poll.register(connection, select.POLLIN)

    def refused(self) -> list[str]:
        """With which codes those were refused that have an answer since."""
        codes = []
        for number, _event in self._poll.poll(PAUSE_SECONDS * 1000):
            self._poll.unregister(number)
            connection = self._open.pop(number)
            answer = b""
            with suppress(OSError):
                answer = connection.recv(65_536)
            if b" 503 " in answer:
                codes.append(json.loads(answer.partition(b"\r\n\r\n")[2])["code"])
                self._refused.append(connection)
            else:
                connection.close()
                self._connect()
        return codes

    def all_refused(self, number: int) -> list[str]:
        """The codes of so many refusals."""
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        codes = self.refused()
        while len(codes) < number and time.monotonic() < deadline:
            codes += self.refused()
        return codes


def _flood(command: FloodCommand) -> None:
    os.setgroups([])
    os.setgid(command.gid)
    os.setuid(command.uid)
    bodies = _Held(command.socket_path, command.bodies, UNFINISHED)
    codes = bodies.all_refused(command.bodies_refused)
    slow = _Held(command.socket_path, command.slow, SLOW)
    codes += slow.all_refused(command.slow_refused)
    print(json.dumps(codes), flush=True)
    while not select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
        bodies.refused()
        slow.refused()


if __name__ == "__main__":
    _flood(FloodCommand(**json.loads(sys.stdin.readline())))
