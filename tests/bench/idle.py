# SPDX-License-Identifier: GPL-3.0-or-later
"""An agent against a bare FastAPI app on uvicorn: time to the first answer, and memory.

An idle agent answers whether it lives and has not loaded its API; the rows "in use" are of the
same agent after the first request that needed the API, timed from the start of the process.
Memory is the proportional share of the process and of everything it started, after a few
requests and a pause.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.agents import agent
from bench.comparison import Aim, Comparison, interleave
from bench.processes import Running, get, running

REPETITIONS = 7
REQUESTS = 20
SETTLE_SECONDS = 0.5
BARE_APP = Path(__file__).with_name("bare_app.py")


@dataclass(frozen=True)
class Figures:
    """Seconds to an answer, proportional and resident memory in MiB."""

    start_seconds: float
    proportional: float
    resident: float


def figures(server: Running, start_seconds: float) -> Figures:
    """Measure the memory once the server has settled."""
    for _ in range(REQUESTS):
        get(server.socket_path, "/livez")
    time.sleep(SETTLE_SECONDS)
    return Figures(start_seconds, server.proportional_mebibytes(), server.resident_mebibytes())


def our_agent(home: Path) -> tuple[Figures, Figures]:
    """An agent on the state that its last start left: idle, and in use."""
    with agent(home) as server:
        idle = figures(server, server.start_seconds)
    started = time.perf_counter()
    with agent(home) as server:
        get(server.socket_path, "/readyz")
        in_use = figures(server, time.perf_counter() - started)
    return idle, in_use


def bare_app(home: Path) -> Figures:
    """The bare application with the same interpreter."""
    socket_path = home / "bare.sock"
    with running([sys.executable, str(BARE_APP), str(socket_path)], socket_path) as server:
        return figures(server, server.start_seconds)


def compare(_folder: Path) -> list[Comparison]:
    """Measure both sides in turn, after one start of each that does not count."""
    # The system's temporary folder, because the path of a socket has to be short.
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        our_agent(home)
        bare_app(home)
        ours, bare = interleave(lambda: our_agent(home), lambda: bare_app(home), REPETITIONS)
    rows = (
        ("idle: start until the first answer", "seconds", "start_seconds", 0),
        ("idle: memory, proportional share", "MiB", "proportional", 0),
        ("idle: memory, resident", "MiB", "resident", 0),
        ("in use: start until the API answers", "seconds", "start_seconds", 1),
        ("in use: memory, proportional share", "MiB", "proportional", 1),
        ("in use: memory, resident", "MiB", "resident", 1),
    )
    return [
        Comparison(
            name,
            unit,
            [getattr(pair[which], figure) for pair in ours],
            [getattr(side, figure) for side in bare],
            Aim("at most", 1.3),
        )
        for name, unit, figure, which in rows
    ]
