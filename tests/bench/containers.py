# SPDX-License-Identifier: GPL-3.0-or-later
"""A transfer out of 10,000 items against one out of 100: what is read again when one item changed.

All items have transfer options, which the product tells item by item. Each agent has read them
once; then a transfer moves the container's update counter and one item, or the licensor programs
every item, which is as much to read as at the first time, and all is listed again. The aim is that
an item costs no more in the large container than in the small one.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from bench.agents import SERIAL, agent, twin
from bench.comparison import Aim, Comparison, interleave
from bench.processes import get

MANY = 10_000
FEW = 100
STRIDE = 500
REPETITIONS = 9
REPETITIONS_OF_ALL = 3
MILLISECONDS = 1000.0
OPTION = {
    "type": "licenses",
    "pull_allowed": True,
    "return_allowed": True,
    "firm_item_required": False,
    "transfer_depth": 2,
    "max_borrow_seconds": 0,
}


def listing(socket_path: Path, member: str) -> list[dict[str, Any]]:
    """All pages of the items or of the history."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        path = f"/v1/containers/{SERIAL}/{member}?limit={STRIDE}&after={after}"
        answer = json.loads(get(socket_path, path))
        found += answer[member]
        if answer["next"] is None:
            return found
        after = answer["next"]


def transfer_one(library: Path) -> None:
    """What a transfer does to the container that it leaves."""
    _program(library, "id = 7")


def program_all(library: Path) -> None:
    """Every item is another one than before: all that was read of it is void."""
    _program(library, "TRUE")


def _program(library: Path, items: str) -> None:
    with closing(sqlite3.connect(library.parent / "containers.db", timeout=30)) as connection:
        connection.execute("UPDATE firm_item SET update_counter = update_counter + 1")
        connection.execute(
            f"UPDATE item SET license_quantity = license_quantity - 1 WHERE {items}"  # noqa: S608 - two constants of this file
        )
        connection.commit()


def timed(
    socket_path: Path, library: Path, member: str, expected: int, change: Callable[[Path], None]
) -> Callable[[], float]:
    """A function that makes a change and returns how many milliseconds a listing took then."""

    def once() -> float:
        change(library)
        started = time.perf_counter()
        found = len(listing(socket_path, member))
        seconds = time.perf_counter() - started
        if found != expected:
            raise ValueError(f"{found} rows of {member} were listed, not {expected}")
        return seconds * MILLISECONDS

    return once


def compare(_folder: Path) -> list[Comparison]:
    """Measure items and history with both agents running side by side."""
    with ExitStack() as stack:
        sides = []
        for items in (MANY, FEW):
            home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            library = stack.enter_context(twin(home, items, [OPTION]))
            socket_path = stack.enter_context(agent(home, library)).socket_path
            listing(socket_path, "items")
            sides.append((socket_path, library, items))
        rows = (
            ("all items anew, of 10,000 against 100", "items", program_all, REPETITIONS_OF_ALL),
            ("items after a transfer, of 10,000 against 100", "items", transfer_one, REPETITIONS),
            ("history of 10,000 items against 100", "history", transfer_one, REPETITIONS),
        )
        comparisons = []
        for name, member, change, repetitions in rows:
            many, few = (
                timed(socket_path, library, member, items if member == "items" else 0, change)
                for socket_path, library, items in sides
            )
            measured = interleave(many, few, repetitions)
            comparisons.append(Comparison(name, "ms", *measured, Aim("at most", 100)))
        return comparisons
