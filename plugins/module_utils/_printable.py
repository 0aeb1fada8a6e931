# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from agents, vendors and people as a terminal may be given it: nothing hidden in it acts."""

from __future__ import annotations

import typing as t
import unicodedata

_HIDDEN: t.Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode's categories of what moves a cursor, turns a line around or is not seen: control and
format characters (escape, carriage return, bidi overrides and isolates, zero width), halves of
characters, those that nobody has defined, and separators of lines."""
_KEPT: t.Final = "\n\t"


def printable(text: str) -> str:
    """The text with each hidden character as its escape, such as ``\\x1b``; lines stay lines."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(each if each in _KEPT or not _is_hidden(each) else _seen(each) for each in text)


def one_line(text: str) -> str:
    """The same for a place where a new line would look like another row or sentence."""
    return "".join(_seen(each) if each in _KEPT else each for each in printable(text))


def made_printable(value: t.Any) -> t.Any:
    """A tree of values with all texts in it printable; the very same one where they are."""
    if isinstance(value, str):
        shown = printable(value)
        return value if shown == value else shown
    if isinstance(value, t.Mapping):
        pairs = [(made_printable(name), made_printable(each)) for name, each in value.items()]
        same = all(n is name and v is each for (n, v), (name, each) in zip(pairs, value.items()))
        return value if same else dict(pairs)
    if isinstance(value, (list, tuple)):
        items = [made_printable(each) for each in value]
        return value if all(n is each for n, each in zip(items, value)) else items
    return value


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN


def _seen(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
