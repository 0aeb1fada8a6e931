# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a seed: each function gives the value back, or says in one sentence what is wrong."""

from __future__ import annotations

from typing import Any

SECONDS_MAX = 86_400


class SeedError(ValueError):
    """The seed cannot be used; the text is one sentence that names the place and the rule."""


def table(value: object, where: str, keys: set[str] | None) -> dict[str, Any]:
    """An object, with known keys only where these are given."""
    if not isinstance(value, dict):
        raise SeedError(f"{where} must be an object")
    for key in value:
        if keys is not None and key not in keys:
            raise SeedError(f"{where} has the unknown key {key!r}")
    return value


def text(value: object, where: str) -> str:
    """A text of one line that is not empty."""
    if not isinstance(value, str) or not 0 < len(value) <= 255 or not value.isprintable():
        raise SeedError(f"{where} must be a text of 1 to 255 printable characters")
    return value


def flag(value: object, where: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise SeedError(f"{where} must be true or false")
    return value


def seconds(value: object, where: str, seconds_max: int = SECONDS_MAX) -> float:
    """A time span, by default of at most a day."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= seconds_max:
        return float(value)
    raise SeedError(f"{where} must be a number of seconds from 0 to {seconds_max}")
