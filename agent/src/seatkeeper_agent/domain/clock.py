# SPDX-License-Identifier: GPL-3.0-or-later
"""Which times of a host's clock are plausible, given what is known of the time before."""

from __future__ import annotations

from dataclasses import dataclass

BACK_SECONDS_MAX = 300.0
"""How far back a clock may go: a time server corrects by less, or corrects slowly."""

AHEAD_RUNNING_SECONDS_MAX = 86_400.0
"""How far ahead of the time that has passed it may be while the agent runs."""

AHEAD_STOPPED_SECONDS_MAX = 366 * 86_400.0
"""How long a host may have been off: nobody counts the time until it starts again."""

EARLIEST = 1_735_689_600.0
"""The first of January 2025: no agent is older, so an earlier clock was never set."""


@dataclass(frozen=True, slots=True)
class Jump:
    """What was expected and what the clock showed, in Unix seconds."""

    expected: float
    shown: float

    @property
    def is_ahead(self) -> bool:
        """Whether it went ahead; back otherwise."""
        return self.shown > self.expected


@dataclass(frozen=True, slots=True)
class Believed:
    """What is known before the clock is looked at.

    ``expected`` is the time by the counted seconds while ``running``, the last one known to be
    right after a start, None for a new journal. ``jump`` is one that was noted and not ended.
    """

    expected: float | None
    running: bool
    jump: Jump | None = None


def judge(believed: Believed, shown: float) -> Jump | None:
    """The jump that the clock is in, None where it is plausible; a noted one stays as it is."""
    expected = EARLIEST if believed.expected is None else believed.expected
    earliest = max(EARLIEST, expected - BACK_SECONDS_MAX)
    latest = expected + _ahead_max(believed)
    if earliest <= shown <= latest and not _is_still_ahead(believed, shown):
        return None
    return believed.jump or Jump(expected, shown)


def _ahead_max(believed: Believed) -> float:
    if believed.expected is None:
        return float("inf")
    return AHEAD_RUNNING_SECONDS_MAX if believed.running else AHEAD_STOPPED_SECONDS_MAX


def _is_still_ahead(believed: Believed, shown: float) -> bool:
    """After a start nobody knows how long it took, so a clock must be seen to have come back."""
    jump = believed.jump
    if jump is None or believed.running or not jump.is_ahead:
        return False
    return shown > jump.shown - AHEAD_RUNNING_SECONDS_MAX
