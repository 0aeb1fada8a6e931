# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of a playbook costs: results of tasks, printed lines, relays, requests to agents."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from integration.runs import Run
from seatkeeper_twins.lab.lab import Lab

_REQUEST = re.compile(rb"(GET|PUT|POST|DELETE) (/[^ ?]*)[^ ]* HTTP/1\.1\r\n")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|130-\d{10}")
_CREDENTIALS = struct.Struct("3i")
_REPORTED_RESULTS = 1
"""The play that `integration.runs.play` adds gives each host one result."""


@dataclass(frozen=True)
class RunCost:
    """What one host's part of a run costs, or the whole run where it is no host's.

    results    of tasks: ok, changed, skipped and all others
    relays     processes on the host that asked its agent
    requests   what they asked: "3 GET /v1/waiting"
    """

    results: int
    relays: int
    requests: tuple[str, ...]
    lowered_by: int | None = field(default=None, compare=False)


class TaskCounter:
    """Listens in the place of an agent's socket, passes everything on, and counts."""

    def __init__(self, path: Path) -> None:
        self.requests: Counter[str] = Counter()
        self.processes: set[int] = set()
        self._path, self._real = path, path.with_suffix(".real")
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._path.rename(self._real)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_about: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._real.replace(self._path)

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        raw = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        with self._lock:
            self.processes.add(_CREDENTIALS.unpack(raw)[0])
        with client, socket.socket(socket.AF_UNIX) as agent:
            agent.connect(str(self._real))
            back = threading.Thread(target=_copy, args=(agent, client), daemon=True)
            back.start()
            self._count(_copy(client, agent))
            back.join()

    def _count(self, sent: bytes) -> None:
        with self._lock:
            for method, path in _REQUEST.findall(sent):
                self.requests[f"{method.decode()} {_ID.sub('…', path.decode())}"] += 1


def _copy(source: socket.socket, target: socket.socket) -> bytes:
    """Everything, to its end; what it was."""
    whole = b""
    with suppress(OSError):  # one of both has gone: what was sent until then counts
        while part := source.recv(65_536):
            whole += part
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
    return whole


@contextmanager
def counted_requests(lab: Lab) -> Iterator[dict[str, TaskCounter]]:
    """Count what is asked of each agent of a lab meanwhile."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(TaskCounter(host.socket_path))
            for name, host in lab.hosts.items()
        }


def costs_of(run: Run, doormen: dict[str, TaskCounter]) -> dict[str, RunCost]:
    """What each host's part took."""
    return {
        host: RunCost(
            sum(run.recap[host].values()) - run.recap[host]["changed"] - _REPORTED_RESULTS,
            len(doorman.processes),
            tuple(f"{number} {what}" for what, number in sorted(doorman.requests.items())),
        )
        for host, doorman in doormen.items()
    }


def lines_of(run: Run) -> int:
    """How many lines it printed, without those of the play that tells the test."""
    own, _play, _rest = run.output.partition("PLAY [Tell]")
    return own.count("\n")
