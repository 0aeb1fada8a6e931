# SPDX-License-Identifier: GPL-3.0-or-later
"""A page of items out of 10,000 against the same page out of 100, asked of two real agents.

Each agent has a CodeMeter twin of its own. A page is asked for twice over: the first one, and one
behind a cursor in the middle of the container.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

from bench.agents import SERIAL, agent, twin
from bench.comparison import Aim, Comparison, interleave
from bench.processes import get

MANY = 10_000
FEW = 100
PAGE = 50
STRIDE_MAX = 500
REPETITIONS = 21
MILLISECONDS = 1000.0


def page(socket_path: Path, limit: int, after: str | None) -> str:
    """Ask for one page and return the cursor behind it; ValueError if the page is not full."""
    target = f"/v1/containers/{SERIAL}/items?limit={limit}"
    if after is not None:
        target += f"&after={quote(after)}"
    answer = json.loads(get(socket_path, target))
    if len(answer["items"]) != limit:
        raise ValueError(f"a page of {limit} items held {len(answer['items'])}")
    return str(answer["next"])


def middle(socket_path: Path, items: int) -> str:
    """The cursor behind the first half of the items."""
    stride = min(STRIDE_MAX, items // 2)
    cursor = None
    for _ in range(items // 2 // stride):
        cursor = page(socket_path, stride, cursor)
    if cursor is None:
        raise ValueError(f"{items} items have no middle")
    return cursor


def timed(socket_path: Path, after: str | None) -> Callable[[], float]:
    """A function that asks for one page and returns how many milliseconds that took."""

    def once() -> float:
        started = time.perf_counter()
        page(socket_path, PAGE, after)
        return (time.perf_counter() - started) * MILLISECONDS

    return once


def compare(_folder: Path) -> list[Comparison]:
    """Measure both places of the page with both agents running side by side."""
    with ExitStack() as stack:
        sockets = []
        for items in (MANY, FEW):
            home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            library = stack.enter_context(twin(home, items))
            sockets.append(stack.enter_context(agent(home, library)).socket_path)
        many, few = sockets
        places = (
            ("first page out of 10,000 against 100", None, None),
            ("page in the middle of 10,000 against 100", middle(many, MANY), middle(few, FEW)),
        )
        return [
            Comparison(
                name,
                "ms",
                *interleave(timed(many, after_many), timed(few, after_few), REPETITIONS),
                Aim("at most", 1.3),
            )
            for name, after_many, after_few in places
        ]
