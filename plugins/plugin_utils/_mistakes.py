# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a declaration, in the operator's words and not in those of ansible-core.

No value is repeated but one of a list of words: it may be a secret.
"""

from __future__ import annotations

import difflib
import re
import typing as t

_PASSED: t.Final = "The arg spec validation passed"
_NOTHING_DONE: t.Final = "Nothing was done here."
_UNKNOWN_KEY: t.Final = re.compile(
    r"(?P<place>[\w.]+\.\w+)\. Supported parameters include: (?P<known>.*)\.$"
)
_MISSING: t.Final = re.compile(
    r"missing required arguments: (?P<names>[\w, ]+?)(?: found in (?P<place>.+))?$"
)
_CHOICE: t.Final = re.compile(
    r"value of (?P<key>\w+) must be (?P<how>one|one or more) of: (?P<known>.*?)[,.] [Gg]ot"
    r"(?: no match for)?: (?P<got>.*?)(?: found in (?P<place>.+))?$"
)
_TYPE: t.Final = re.compile(
    r"argument '(?P<key>\w+)' is of type [^ ]+(?: found in '(?P<place>[^']+)'\.)?"
    r" and we were unable to convert to (?P<wanted>\w+):"
)
_ELEMENT: t.Final = re.compile(
    r"Elements value for option '(?P<key>\w+)'(?: found in '(?P<place>[^']+)')? is of type [^ ]+"
    r" and we were unable to convert to (?P<wanted>\w+):"
)
_SAID_TWICE: t.Final = re.compile(
    r"dictionary requested, could not parse|Value .* in the sub parameter field"
    r"|value of '\w+' must be of type dict or list of dicts"
)
"""What ansible-core adds to another of its sentences, without a place."""

_WORDS: t.Final = {
    "int": ("a whole number", "whole numbers"),
    "float": ("a number", "numbers"),
    "bool": ("true or false", "true or false"),
    "str": ("a text", "texts"),
    "path": ("a path", "paths"),
    "list": ("a list", "lists"),
    "dict": ("keys with values", "entries of keys with values"),
}


def mistakes(checked: dict[str, t.Any]) -> list[str]:
    """What is wrong with the declarations, by the result of validate_argument_spec."""
    if "argument_errors" not in checked:
        return [] if checked.get("msg") == _PASSED else [_unreadable()]
    reported = [_mistake(str(text)) for text in checked["argument_errors"]]
    found = list(dict.fromkeys(text for text in reported if text is not None))
    return found or [_unreadable()]


def _mistake(text: str) -> str | None:
    """One sentence; None for what only repeats another one."""
    if _SAID_TWICE.match(text):
        return None
    for pattern, words in _SENTENCES:
        found = pattern.match(text)
        if found is not None:
            return f"The inventory declares {words(found)} {_NOTHING_DONE}"
    return f"The inventory declares something wrongly: {text.rstrip('.')}. {_NOTHING_DONE}"


def _unreadable() -> str:
    # ansible-core itself fails for a list where keys with values belong, and does not say where.
    return (
        "The inventory declares a list or a value where keys with values belong, as in an entry's"
        f" settings or package. Compare it with docs/inventory.md. {_NOTHING_DONE}"
    )


def _unknown(found: re.Match[str]) -> str:
    place, known = found["place"], found["known"].split(", ")
    above, _dot, key = place.rpartition(".")
    near = difflib.get_close_matches(key, known, 1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"{place}, and {above} has no {key}.{meant} It has {', '.join(known)}."


def _missing(found: re.Match[str]) -> str:
    names = found["names"].split(", ")
    if found["place"] is None:
        return f"no {' and no '.join(names)}, which is needed."
    return f"an entry of {_place(found['place'])} without {' and '.join(names)}: add what it lacks."


def _choice(found: re.Match[str]) -> str:
    return f"{_key(found)} as {found['got']}; it must be {found['how']} of {found['known']}."


def _type(found: re.Match[str]) -> str:
    return f"{_key(found)} as something else than {_WORDS[found['wanted']][0]}: correct it."


def _element(found: re.Match[str]) -> str:
    return f"in {_key(found)} something else than {_WORDS[found['wanted']][1]}: correct it."


def _key(found: re.Match[str]) -> str:
    place = found["place"]
    return found["key"] if place is None else f"{_place(place)}.{found['key']}"


def _place(text: str) -> str:
    return text.replace(" -> ", ".")


_SENTENCES: t.Final = (
    (_UNKNOWN_KEY, _unknown),
    (_MISSING, _missing),
    (_CHOICE, _choice),
    (_TYPE, _type),
    (_ELEMENT, _element),
)
