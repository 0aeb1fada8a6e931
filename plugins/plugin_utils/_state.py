# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of variables that nothing reads, and why a task failed."""

from __future__ import annotations

import difflib
import typing as t

_LIKENESS_MIN: t.Final = 0.92
"""Of two names, as difflib measures it: a letter or two of twenty differ."""


def misspelt(names: t.Iterable[str], known: list[str]) -> list[str]:
    """Which variables are spelled almost as one that is read, and are read by nothing."""
    nearest = {
        name: difflib.get_close_matches(name, known, 1, _LIKENESS_MIN)
        for name in sorted(set(names) - set(known))
    }
    return [
        f"The inventory sets {name}, which nothing reads. Did you mean {near[0]}? Nothing was done"
        " here."
        for name, near in nearest.items()
        if near
    ]


def failures(result: dict[str, t.Any]) -> list[str]:
    """Why a task failed, one text for each item of a loop that did."""
    items = [item for item in result.get("results") or () if item.get("failed")]
    return [str(item.get("msg", "no reason was given")) for item in items or [result]]
