# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that an agent does again and again by itself, each in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from seatkeeper_agent.journal import Journal, JournalError

LOOK_SECONDS = 2.0


class Repeating:
    """A thread that does ``work`` every so many seconds, with ``at_once`` also at its start.

    What nobody foresaw is given to ``report`` and does not end the repeating.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        report: Callable[[Exception], None],
        seconds: float,
        at_once: bool = False,
    ) -> None:
        self._work = work
        self._report = report
        self._seconds = seconds
        self._first_seconds = 0.0 if at_once else seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns when no work is under way."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        seconds = self._first_seconds
        while not self._ended.wait(seconds):
            seconds = self._seconds
            try:
                self._work()
            except JournalError:
                # Reported by every request; the next time may find it mended.
                continue
            except Exception as error:  # noqa: BLE001 - without it nothing would go on by itself
                self._report(error)


class Watcher(Repeating):
    """Asks ``look_again`` for as long as an operation waits for a person or the vendor."""

    def __init__(
        self,
        journal: Journal,
        look_again: Callable[[], None],
        report: Callable[[Exception], None],
        seconds: float = LOOK_SECONDS,
    ) -> None:
        super().__init__("watcher", self._look, report, seconds)
        self._journal = journal
        self._look_again = look_again

    def _look(self) -> None:
        with self._journal.reading() as unit:
            waiting = unit.operations.waiting()
        if waiting:
            self._look_again()
