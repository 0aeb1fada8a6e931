# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a server on a unix socket, ask it, weigh it and end it."""

from __future__ import annotations

import http.client
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 10.0
ANSWER_SECONDS_MAX = 30.0
POLL_SECONDS = 0.002


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS_MAX)
        self._path = path

    def connect(self) -> None:
        """Open the socket instead of a network connection."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ANSWER_SECONDS_MAX)
        self.sock.connect(str(self._path))


def get(path: Path, target: str) -> bytes:
    """One GET on a fresh connection; OSError without a listener, ValueError unless 200."""
    connection = UnixConnection(path)
    try:
        connection.request("GET", target)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != http.client.OK:
            raise ValueError(f"GET {target} on {path}: {answer.status} {body[:200]!r}")
        return body
    finally:
        connection.close()


@dataclass(frozen=True)
class Running:
    """A server that has answered: its process, its socket, and how long the start took."""

    process: subprocess.Popen[bytes]
    socket_path: Path
    start_seconds: float

    def proportional_mebibytes(self) -> float:
        """Proportional set size of the process and all it started."""
        return sum(_memory_kibibytes(pid, "Pss") for pid in _family(self.process.pid)) / 1024

    def resident_mebibytes(self) -> float:
        """Resident set size of the process and all it started."""
        return sum(_memory_kibibytes(pid, "Rss") for pid in _family(self.process.pid)) / 1024


@contextmanager
def running(command: Sequence[str], socket_path: Path) -> Iterator[Running]:
    """Start a command and wait for its first answer to /livez; end it with the block."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _wait_for_answer(process, socket_path, started + START_SECONDS_MAX)
        yield Running(process, socket_path, time.perf_counter() - started)
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process gently, then by force."""
    process.terminate()
    try:
        process.communicate(timeout=STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _wait_for_answer(process: subprocess.Popen[bytes], path: Path, deadline: float) -> None:
    while time.perf_counter() < deadline:
        with suppress(OSError):
            get(path, "/livez")
            return
        if process.poll() is not None:
            said = b"" if process.stderr is None else process.stderr.read()
            raise RuntimeError(f"the server ended by itself: {said.decode(errors='replace')}")
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"no answer on {path} within {START_SECONDS_MAX:.0f} s")


def _family(pid: int) -> list[int]:
    """A process and its descendants, as the kernel lists them now."""
    found = [pid]
    for parent in found:
        for listed in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in listed.read_text().split()]
    return found


def _memory_kibibytes(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise ValueError(f"smaps_rollup of process {pid} has no {field}")
