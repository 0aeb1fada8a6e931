# SPDX-License-Identifier: GPL-3.0-or-later
"""The one reader of JSON that comes from outside: requests, documents, vendors' answers and files.

It takes less than Python's own: no NaN and no Infinity, no number that 64 bits cannot hold, no
member twice, nothing deep and nothing of too many parts. What it gives can be stored and counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

NESTING_MAX = 32
PROGRAMS_NESTING_MAX = 200
PARTS_MAX = 100_000
NUMBER_MAX = 2**63 - 1
"""The journal's numbers, and those of most other programs, have 64 bits."""

_DIGITS_MAX = len(str(NUMBER_MAX)) + 1
_UNCLEAN = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\ud800-\\udfff]")


class JsonFault(ValueError):
    """Why something cannot be used, as a clause that follows its name; nothing of it is quoted."""


def read(content: bytes | str) -> Any:
    """What a program wrote; JsonFault for what is odd."""
    return _checked(_parsed(content, _fraction, PROGRAMS_NESTING_MAX), PROGRAMS_NESTING_MAX)


def read_document(content: bytes | str) -> Any:
    """What a person or an agent sends, whose texts are lines and whose 2.0 is the integer 2.

    JsonFault for what is odd, control characters and half characters among it.
    """
    return _checked(_parsed(content, _number, NESTING_MAX), NESTING_MAX, _require_clean)


def _parsed(content: bytes | str, fraction: Callable[[str], int | float], deepest: int) -> Any:
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
        _require_few_parts(text)
        return json.loads(
            text,
            parse_int=_integer,
            parse_float=fraction,
            parse_constant=_constant,
            object_pairs_hook=_object,
        )
    except JsonFault:
        raise
    except RecursionError as error:
        raise _too_deep(deepest) from error
    except ValueError as error:
        raise JsonFault("is not JSON") from error


def _require_few_parts(text: str) -> None:
    # Before anything is made of it: each part takes fifty times its length in memory.
    if sum(map(text.count, "[{,:")) > PARTS_MAX:
        raise JsonFault(f"has more than {PARTS_MAX} parts")


def _checked(
    document: Any, deepest: int, require: Callable[[str], None] = lambda _text: None
) -> Any:
    waiting = [(document, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str):
            require(value)
        elif isinstance(value, dict | list):
            if depth > deepest:
                raise _too_deep(deepest)
            parts = [*value, *value.values()] if isinstance(value, dict) else value
            waiting.extend((part, depth + 1) for part in parts)
    return document


def _require_clean(text: str) -> None:
    if _UNCLEAN.search(text):
        raise JsonFault("has a text with control characters")


def _integer(text: str) -> int:
    if len(text) > _DIGITS_MAX or abs(value := int(text)) > NUMBER_MAX:
        raise _too_large()
    return value


def _fraction(text: str) -> float:
    value = float(text)
    # The float next to the limit is the limit and one.
    if not abs(value) < NUMBER_MAX:
        raise _too_large()
    return value


def _number(text: str) -> int | float:
    value = _fraction(text)
    return int(value) if value.is_integer() else value


def _constant(_text: str) -> NoReturn:
    raise JsonFault("has Infinity or NaN where a number belongs")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise JsonFault("has the same member twice")
    return found


def _too_large() -> JsonFault:
    return JsonFault(f"has a number beyond {NUMBER_MAX}")


def _too_deep(deepest: int) -> JsonFault:
    return JsonFault(f"is nested deeper than {deepest}")
