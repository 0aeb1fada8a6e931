# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a campaign is: what is done of all, what failed, how long it still takes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import TypeVar

SAY_AGAIN_SECONDS = 10.0

Outcome = TypeVar("Outcome")
Say = Callable[[str], None]


def say(line: str) -> None:
    """To whoever watches a campaign."""
    print(f"crash: {line}", file=sys.stderr, flush=True)


def reported(
    outcomes: Iterable[Outcome], total: int, failure: Callable[[Outcome], str | None], say: Say
) -> Iterator[Outcome]:
    """Pass outcomes on; say at once what failed, and every few seconds how far it is.

    ``failure`` gives what an outcome broke, None if nothing.
    """
    started = said = time.monotonic()
    failed = 0
    for number, outcome in enumerate(outcomes, 1):
        broken = failure(outcome)
        if broken is not None:
            failed += 1
            say(f"FAILED {broken}")
        now = time.monotonic()
        if number == total or now - said >= SAY_AGAIN_SECONDS:
            said = now
            left = timedelta(seconds=round((now - started) / number * (total - number)))
            say(f"{number} of {total} done, {failed} failed, {left} left")
        yield outcome
