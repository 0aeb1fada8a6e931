# SPDX-License-Identifier: GPL-3.0-or-later
"""What defines a thing that is done once, compared with how it is declared now.

An order of license keys, or the move of a license server, stands for one thing that was begun
under its name. What else is declared beside it, such as a price or a count, may change at any
time and is no other thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One member of a definition, in words: as it is declared now, and as it was begun or done."""

    member: str
    declared: str
    done: str

    def sentence(self, ended: bool) -> str:
        """For the middle of a sentence; what has not ended is not done."""
        verb = "done" if ended else "begun with"
        return f"{self.member}: declared {self.declared}, {verb} {self.done}"


def differences(declared: Mapping[str, str], done: Mapping[str, str]) -> tuple[Difference, ...]:
    """The members that differ, in the order of what was done; both have the same members."""
    return tuple(
        Difference(member, declared[member], done[member])
        for member in done
        if declared[member] != done[member]
    )


def clause(found: tuple[Difference, ...], ended: bool) -> str:
    """All of them in one clause."""
    return "; ".join(difference.sentence(ended) for difference in found)
