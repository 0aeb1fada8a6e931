# SPDX-License-Identifier: GPL-3.0-or-later
"""Patterns that an operator writes for fields, with a bound on what matching can cost.

Python's matcher tries every way in which the parts of varying length can share a text, so an
innocent slip can keep it busy for years. Groups are refused and few parts may vary, which leaves
a small polynomial of the text's length.
"""

from __future__ import annotations

import re

PATTERN_LENGTH_MAX = 200
VARYING_PARTS_MAX = 3
_REPEAT_MAX = 200

# One letter, escape or class and how often it may come; no groups, anchors or references.
_IN_CLASS = r"(?:\\[dws]|\\[^A-Za-z0-9\s]|[A-Za-z0-9]-[A-Za-z0-9]|[A-Za-z0-9 .,:/_+@#])"
_ONE = rf"(?:\\[dws]|\\[^A-Za-z0-9\s]|\[\^?{_IN_CLASS}+-?\]|[^\\\[\](){{}}*+?|^$])"
_PART = re.compile(
    rf"(?P<one>{_ONE})(?P<varies>[*+?]|\{{\d{{0,3}},\d{{0,3}}\}})?(?P<often>\{{\d{{1,3}}\}})?|\|"
)


def parse_pattern(text: str) -> re.Pattern[str]:
    """The pattern for a field's whole text; ValueError says in one clause why it is refused."""
    if not 0 < len(text) <= PATTERN_LENGTH_MAX or not text.isprintable():
        raise ValueError(f"must be one line of 1 to {PATTERN_LENGTH_MAX} characters")
    place, varying = 0, 0
    while place < len(text):
        part = _PART.match(text, place)
        if part is None:
            raise ValueError(
                f"must be made of letters, classes like [A-Z0-9], escapes like \\d, repeats and |,"
                f" without groups and anchors; {text[place : place + 20]!r} is not"
            )
        if part["varies"] and part["often"]:
            raise ValueError(f"repeats a repeat at {part[0]!r}")
        varying += part["varies"] is not None
        numbers = re.findall(r"\d+", (part["varies"] or "") + (part["often"] or ""))
        if any(int(number) > _REPEAT_MAX for number in numbers):
            raise ValueError(f"repeats more than {_REPEAT_MAX} times at {part[0]!r}")
        place = part.end()
    if varying > VARYING_PARTS_MAX:
        raise ValueError(f"must not have more than {VARYING_PARTS_MAX} parts that vary in length")
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"is not a pattern: {error}") from error
