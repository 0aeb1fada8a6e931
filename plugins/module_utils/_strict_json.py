# SPDX-License-Identifier: GPL-3.0-or-later
"""The one reader of JSON from agents and from files that people carry.

Python's own also takes NaN and Infinity, lets the second of two equal names win, and gives up with
an error of its own where something is nested without end.
"""

from __future__ import annotations

import json
import typing as t

NUMBER_MAX = 2**63 - 1
_DIGITS_MAX = len(str(NUMBER_MAX)) + 1


class JsonFault(ValueError):
    """Why it cannot be used, as a clause that follows its name; nothing of it is quoted."""


def read_json(content: bytes) -> t.Any:
    """The JSON value; JsonFault for what is none, or none that others can hold."""
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            parse_int=_integer,
            parse_float=_fraction,
            parse_constant=_constant,
            object_pairs_hook=_object,
        )
    except JsonFault:
        raise
    except RecursionError as error:
        raise JsonFault("is nested too deeply") from error
    except ValueError as error:
        raise JsonFault("is not JSON") from error


def _integer(text: str) -> int:
    value = int(text) if len(text) <= _DIGITS_MAX else NUMBER_MAX + 1
    if abs(value) > NUMBER_MAX:
        raise _too_large()
    return value


def _fraction(text: str) -> float:
    value = float(text)
    if not abs(value) < NUMBER_MAX:
        raise _too_large()
    return value


def _constant(_text: str) -> t.NoReturn:
    raise JsonFault("has Infinity or NaN where a number belongs")


def _object(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise JsonFault("has the same member twice")
    return found


def _too_large() -> JsonFault:
    return JsonFault(f"has a number beyond {NUMBER_MAX}")
