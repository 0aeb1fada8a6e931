# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``licman --help`` lists, read at run time: the one source for undocumented commands."""

from __future__ import annotations

import re
from collections.abc import Sequence

HELP_CHARACTERS_MAX = 200_000
_OPTION = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")
_WORD = re.compile(r"^\s*([A-Za-z][\w-]*)", re.MULTILINE)
_PROBES = ("--nodelock-activate", "--profile-add")


class HelpText:
    """The options of a help text, and the words with which its lines begin."""

    def __init__(self, text: str) -> None:
        shortened = text[:HELP_CHARACTERS_MAX]
        self.options = frozenset(_OPTION.findall(shortened))
        self._words = frozenset(_WORD.findall(shortened))

    def is_of_licman(self) -> bool:
        """Whether it lists a documented command, and is not an error message."""
        return any(option in self.options for option in _PROBES)

    def unlisted(self, command: Sequence[str]) -> tuple[str, ...]:
        """The options of a command that are not listed; without options, its first word."""
        words = [word.partition("=")[0] for word in command[1:]]
        options = [word for word in words if word.startswith("-")]
        if options:
            return tuple(word for word in options if word not in self.options)
        return tuple(word for word in words[:1] if word not in self._words)
