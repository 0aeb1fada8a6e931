# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits for a person or the vendor is looked at again and again, and goes on by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable

from seatkeeper_agent.journal import Journal, JournalError

LOOK_SECONDS = 2.0


class Watcher:
    """A thread that asks ``look_again`` for as long as an operation waits.

    What nobody foresaw is given to ``tell`` and does not end the looking.
    """

    def __init__(
        self,
        journal: Journal,
        look_again: Callable[[], None],
        tell: Callable[[Exception], None],
        seconds: float = LOOK_SECONDS,
    ) -> None:
        self._journal = journal
        self._look_again = look_again
        self._tell = tell
        self._seconds = seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns when no look is under way."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                with self._journal.reading() as unit:
                    waiting = unit.operations.waiting()
                if waiting:
                    self._look_again()
            except JournalError:
                # Told by every request; the next look may find it mended.
                continue
            except Exception as error:  # noqa: BLE001 - without it nothing would go on by itself
                self._tell(error)
