# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether work can be done here: the journal is whole, what it says adds up, and its disk has room.

To find that out takes longer the more there is, and anybody may ask. So what was well is not looked
at again for a second, nor before twenty times as long as the look took; what is not well is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from seatkeeper_agent.journal import Journal, JournalError, JournalMalformed
from seatkeeper_agent.journal.pages import require_room
from seatkeeper_agent.journal.read_only import read_only
from seatkeeper_agent.operations import invariants

GOOD_SECONDS = 1.0
REST_FACTOR = 20.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The names of what does not hold, and why the journal cannot be read or take more."""

    broken: tuple[str, ...] = ()
    fault: JournalError | None = None

    @property
    def is_good(self) -> bool:
        """Whether work can be done, as far as the journal is concerned."""
        return not self.broken and self.fault is None


class Readiness:
    """Looks at one agent's journal, on a connection of its own: work goes on meanwhile."""

    def __init__(
        self,
        journal: Journal,
        clock: Callable[[], float] = time.monotonic,
        good_seconds: float = GOOD_SECONDS,
        rest_factor: float = REST_FACTOR,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self.good_seconds = good_seconds
        self.rest_factor = rest_factor
        self._good_until: float | None = None
        self._lock = threading.Lock()

    def broken(self) -> tuple[str, ...]:
        """The names of what does not hold.

        JournalError where the journal cannot be read or can take no more, JournalMalformed where
        its file is not whole.
        """
        with self._lock:
            began = self._clock()
            if self._good_until is not None and began < self._good_until:
                return ()
            self._good_until = None
            found = self._look()
            ended = self._clock()
            if not found:
                took = ended - began
                self._good_until = ended + max(self.good_seconds, took * self.rest_factor)
            return found

    def verdict(self) -> Verdict:
        """The same for those who show it beside other things."""
        try:
            return Verdict(self.broken())
        except JournalError as error:
            return Verdict(fault=error)

    def _look(self) -> tuple[str, ...]:
        path = self._journal.path
        try:
            require_room(path.parent)
        except OSError as error:
            raise JournalError(f"The journal {path} can take no more: {error.strerror}.") from error
        with read_only(path, is_in_use=True) as unit:
            if unit is None:
                raise JournalError(f"The journal {path} is of another version than this agent.")
            fault = unit.pages.first_fault()
            if fault is not None:
                raise JournalMalformed(f"The journal {path} is damaged: {fault}.")
            return tuple(entry.name for entry in invariants.check(unit) if not entry.holds)
