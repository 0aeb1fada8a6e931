# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing the versions that vendors write: numbers between dots, words at the end ignored."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"\d+(?:\.\d+)*")
_PARTS_MAX = 8


def numbers_of(version: str) -> tuple[int, ...] | None:
    """The numbers of a version, trailing zeros dropped; None where it holds none."""
    found = _NUMBERS.search(version[:100])
    if found is None:
        return None
    parts = [int(part) for part in found.group().split(".")[:_PARTS_MAX]]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def at_least(version: str | None, least: str) -> bool | None:
    """Whether a version reaches the floor; None where it cannot be told."""
    present = None if version is None else numbers_of(version)
    wanted = numbers_of(least)
    return None if present is None or wanted is None else present >= wanted
