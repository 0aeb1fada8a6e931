# SPDX-License-Identifier: GPL-3.0-or-later
"""An idle agent against a bare FastAPI app on uvicorn: time to the first answer, and memory.

Memory is the proportional share of the process and of everything it started, after a few
requests and a pause, so that what is only loaded at the first request counts.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from bench.agents import agent
from bench.comparison import Aim, Comparison, interleave
from bench.processes import Running, get, running

REPETITIONS = 7
REQUESTS = 20
SETTLE_SECONDS = 0.5
BARE_APP = Path(__file__).with_name("bare_app.py")


def measured(server: Running) -> tuple[float, float, float]:
    """Start in seconds, proportional and resident memory in MiB."""
    for _ in range(REQUESTS):
        get(server.socket_path, "/livez")
    time.sleep(SETTLE_SECONDS)
    return server.start_seconds, server.proportional_mebibytes(), server.resident_mebibytes()


def idle_agent(home: Path) -> tuple[float, float, float]:
    """Start an agent on the state that its last start left."""
    with agent(home) as server:
        return measured(server)


def bare_app(home: Path) -> tuple[float, float, float]:
    """Start the bare application with the same interpreter."""
    socket_path = home / "bare.sock"
    with running([sys.executable, str(BARE_APP), str(socket_path)], socket_path) as server:
        return measured(server)


def compare(_folder: Path) -> list[Comparison]:
    """Measure both sides in turn, after one start of each that does not count."""
    # The system's temporary folder, because the path of a socket has to be short.
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        idle_agent(home)
        bare_app(home)
        pairs = interleave(lambda: idle_agent(home), lambda: bare_app(home), REPETITIONS)
    ours, bare = (list(zip(*side, strict=True)) for side in pairs)
    aim = Aim("at most", 1.3)
    names = (
        ("start until the first answer", "seconds"),
        ("idle memory, proportional share", "MiB"),
        ("idle memory, resident", "MiB"),
    )
    return [
        Comparison(name, unit, list(ours[column]), list(bare[column]), aim)
        for column, (name, unit) in enumerate(names)
    ]
