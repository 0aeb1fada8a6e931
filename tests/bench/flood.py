# SPDX-License-Identifier: GPL-3.0-or-later
"""How long an agent takes to say that it lives, while three users take what they can get.

As many connections and unfinished bodies as in ``agent/tests/api/test_bounds.py``, which shows that
the agent goes on; here it is timed. Only root can become three users: without root it is not.
"""

from __future__ import annotations

import grp
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.agents import agent
from bench.comparison import Aim, Comparison
from bench.flooding import Flood, FloodCommand
from bench.processes import get
from seatkeeper_agent.api.bounds import BODIES_BYTES_EACH, BODY_BYTES_MAX, CONNECTIONS_EACH

REPETITIONS = 3
REQUESTS = 50
PAUSE_SECONDS = 0.02
AIM_SECONDS = 0.1
BODIES = (67, 67 - BODIES_BYTES_EACH // BODY_BYTES_MAX)
SLOW = (667, 667 - CONNECTIONS_EACH)
"""Of each user, and how many of them are refused for certain."""
FIRST_UID = 4_000_001


def flooded_seconds() -> float:
    """The median of the answers of one agent under the flood."""
    with tempfile.TemporaryDirectory() as place, ExitStack() as ending:
        home = Path(place)
        home.chmod(0o711)
        # Of those who may send bodies; any group serves.
        group = next(entry for entry in grp.getgrall() if entry.gr_gid)
        roles = f'[roles]\noperator = ["{group.gr_name}"]\n'
        server = ending.enter_context(agent(home, more=roles))
        get(server.socket_path, "/readyz")
        server.socket_path.chmod(0o666)
        floods = [
            Flood(FloodCommand(str(server.socket_path), uid, group.gr_gid, *BODIES, *SLOW))
            for uid in range(FIRST_UID, FIRST_UID + 3)
        ]
        for flood in floods:
            ending.callback(flood.end)
            flood.codes()
        return median(_answer_seconds(server.socket_path) for _request in range(REQUESTS))


def _answer_seconds(socket_path: Path) -> float:
    time.sleep(PAUSE_SECONDS)
    began = time.perf_counter()
    get(socket_path, "/livez")
    return time.perf_counter() - began


def compare(_folder: Path) -> list[Comparison]:
    """Measure it, against the time that was promised."""
    if os.geteuid() != 0:
        print("flooded: not measured, as only root can become several users", file=sys.stderr)
        return []
    ours = [flooded_seconds() for _repetition in range(REPETITIONS)]
    name = "flooded: /livez at the median, of its aim"
    return [Comparison(name, "seconds", ours, [AIM_SECONDS] * REPETITIONS, Aim("at most", 1.0))]
