# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts what a piece of work costs, each kind where it leaves the agent.

Statements and transactions are counted by SQLite, syncs by a file layer under it, USB by the
recorded bus, calls of CodeMeter by its twin's own log, HTTP by the client library, programs where
they are started. Nothing is replaced: every call goes on to the real part.
"""

from __future__ import annotations

import os
import smtplib
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import httpx
import pytest
from journal.faulty_files import NAME, FaultyFiles, faulty_files

from seatkeeper_agent.journal.store import Clock, Journal
from seatkeeper_agent.usb.recording import RecordingBackend

BEATS = frozenset({"usb-watch"})
"""Threads that look again and again for as long as somebody works: that is no request's cost."""

_RELEASE = "CmRelease"
"""Ends what CmAccess2 began: it would be counted twice."""

_BOUNDS = ("BEGIN", "COMMIT", "ROLLBACK")


@dataclass(frozen=True)
class Cost:
    """What something costs; ``lowered_by`` names the issue that lowers a number that is bad.

    statements     SQL, without those that begin and end transactions
    transactions   units of work that write
    syncs          times that the disk is waited for
    usb            enumerations of the bus
    descriptors    requests to plugged dongles
    vendor         calls of the vendor's product: "2 GET /status, 1 licman"
    """

    statements: int = 0
    transactions: int = 0
    syncs: int = 0
    usb: int = 0
    descriptors: int = 0
    vendor: str = ""
    lowered_by: int | None = field(default=None, compare=False)

    def written(self) -> str:
        """As it stands in a table."""
        reported = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return (
            f"Cost({', '.join(f'{name}={value!r}' for name, value in reported.items() if value)})"
        )


class Meter:
    """Counts what one piece of work takes; ``logs`` are those of CodeMeter twins."""

    def __init__(self, files: FaultyFiles) -> None:
        self.statements: Counter[str] = Counter()
        self.others: Counter[str] = Counter()
        self.vendor: Counter[str] = Counter()
        self.logs: list[Path] = []
        self._calls = files.calls
        self._lock = threading.Lock()

    def cost_of(self, work: Callable[[], object]) -> Cost:
        """Do it, and count what it took."""
        ends = {log: log.stat().st_size for log in self.logs}
        self._calls.clear()
        with self._lock:
            for counter in (self.statements, self.others, self.vendor):
                counter.clear()
        work()
        for log, end in ends.items():
            with log.open("rb") as lines:
                lines.seek(end)
                called = (line.split()[1].decode().rstrip(":") for line in lines)
                self.vendor.update(name for name in called if name != _RELEASE)
        bounds = sum(self.statements[bound] for bound in _BOUNDS)
        return Cost(
            statements=self.statements.total() - bounds,
            transactions=self.statements["BEGIN"],
            syncs=sum(call.startswith("sync ") for call in self._calls) + self.others["sync"],
            usb=self.others["usb"],
            descriptors=self.others["descriptors"],
            vendor=", ".join(f"{number} {name}" for name, number in sorted(self.vendor.items())),
        )

    def trace(self, connection: apsw.Connection) -> None:
        """Have SQLite tell each statement; a trigger's are part of what fired it."""

        def reported(event: dict[str, Any]) -> None:
            if not event["trigger"]:
                self.count(self.statements, str(event["sql"]).split(maxsplit=1)[0].upper())

        connection.trace_v2(apsw.SQLITE_TRACE_STMT, reported)

    def count(self, counter: Counter[str], name: str) -> None:
        """One more, unless it belongs to a beat."""
        if threading.current_thread().name not in BEATS:
            with self._lock:
                counter[name] += 1


@contextmanager
def counting() -> Iterator[Meter]:
    """Count in everything that this process opens, asks and starts meanwhile."""
    with faulty_files() as files, pytest.MonkeyPatch.context() as patch:
        meter = Meter(files)
        apsw.connection_hooks.append(meter.trace)
        _count_syncs(patch, meter)
        _count_usb(patch, meter)
        _count_http(patch, meter)
        _count_mail(patch, meter)
        _count_programs(patch, meter)
        try:
            yield meter
        finally:
            apsw.connection_hooks.remove(meter.trace)


def _count_syncs(patch: pytest.MonkeyPatch, meter: Meter) -> None:
    real = Journal.__init__

    def opened(self: Journal, path: Path, clock: Clock = time.time, vfs: str = NAME) -> None:
        real(self, path, clock, vfs)

    patch.setattr(Journal, "__init__", opened)
    for name in ("fsync", "fdatasync"):
        sync = getattr(os, name)

        def passed(descriptor: int, sync: Callable[[int], None] = sync) -> None:
            meter.count(meter.others, "sync")
            sync(descriptor)

        patch.setattr(os, name, passed)


def _count_usb(patch: pytest.MonkeyPatch, meter: Meter) -> None:
    for method, name in (("enumerate_devices", "usb"), ("ctrl_transfer", "descriptors")):
        real = getattr(RecordingBackend, method)

        def passed(self: Any, *values: Any, real: Any = real, name: str = name) -> Any:
            meter.count(meter.others, name)
            return real(self, *values)

        patch.setattr(RecordingBackend, method, passed)


def _count_http(patch: pytest.MonkeyPatch, meter: Meter) -> None:
    real = httpx.AsyncClient.send

    async def passed(self: Any, request: httpx.Request, **options: Any) -> Any:
        if not isinstance(self._transport, httpx.ASGITransport):
            meter.count(meter.vendor, f"{request.method} {request.url.path}")
        return await real(self, request, **options)

    patch.setattr(httpx.AsyncClient, "send", passed)


def _count_mail(patch: pytest.MonkeyPatch, meter: Meter) -> None:
    real = smtplib.SMTP.putcmd

    def passed(self: Any, verb: str, words: str = "") -> None:
        meter.count(meter.vendor, f"SMTP {verb.split(maxsplit=1)[0].upper()}")
        real(self, verb, words)

    patch.setattr(smtplib.SMTP, "putcmd", passed)


def _count_programs(patch: pytest.MonkeyPatch, meter: Meter) -> None:
    real = subprocess.Popen.__init__

    def passed(self: Any, command: Any, *values: Any, **options: Any) -> None:
        name = _name_of(command)
        if name is not None:
            meter.count(meter.vendor, name)
        real(self, command, *values, **options)

    patch.setattr(subprocess.Popen, "__init__", passed)


def _name_of(command: list[str]) -> str | None:
    """What a program is called; None for the agent's own."""
    if command[0] != sys.executable:
        return Path(command[0]).name
    services = [word for word in command if word in {"stop", "start"}]
    return f"{services[0]} the service" if services else None
