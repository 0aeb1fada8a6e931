# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from products, vendors, other hosts and people as a terminal may be given it."""

from __future__ import annotations

import sys
import unicodedata

_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode's categories of what moves a cursor, turns a line around or is not seen: control and
format characters (escape, carriage return, bidi overrides and isolates, zero width), halves of
characters, those that nobody has defined, and separators of lines."""
_KEPT = "\n\t"


def printable(text: str) -> str:
    """The text with each hidden character as its escape, such as ``\\x1b``; lines stay lines."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(each if each in _KEPT or not _is_hidden(each) else _seen(each) for each in text)


def one_line(text: str) -> str:
    """The same for a place where a new line would look like another line of the output."""
    return "".join(_seen(each) if each in _KEPT else each for each in printable(text))


def say(*lines: str) -> None:
    """Write lines for people to standard output."""
    print("\n".join(one_line(line) for line in lines))


def complain(text: object) -> None:
    """Write why a command cannot go on to standard error."""
    print(f"seatkeeper-agent: {one_line(str(text))}", file=sys.stderr)


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN


def _seen(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
