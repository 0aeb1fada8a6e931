# SPDX-License-Identifier: GPL-3.0-or-later
"""An eye on the USB while a dongle is migrated: whatever comes or goes is told at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress

from seatkeeper_agent.domain.servers import Dongle, UsbUnavailable
from seatkeeper_agent.journal import Journal, JournalError

OnChange = Callable[[list[Dongle], list[Dongle]], None]


class Guard:
    """Watches for one operation at a time, from its start until it has ended."""

    def __init__(
        self,
        journal: Journal,
        watch: Callable[[OnChange], AbstractContextManager[object]],
        look: Callable[[str], None],
    ) -> None:
        self._journal = journal
        self._watch = watch
        self._look = look
        self._lock = threading.Lock()
        self._watched: str | None = None
        self._is_closed = False
        self._running = ExitStack()

    def watch(self, operation_id: str, subject: str) -> bool:
        """Begin with a look, unless that operation is watched already; whether it was begun now.

        What that first look shows may have been so for long.
        """
        with self._lock:
            if self._is_closed or self._watched == operation_id:
                return False
            self._stop()

            def notify(added: list[Dongle], removed: list[Dongle]) -> None:
                self._notify(operation_id, subject, added, removed)

            try:
                self._running.enter_context(self._watch(notify))
            except UsbUnavailable:
                # The rules say that the dongles cannot be seen; there is nothing to watch.
                return False
            self._look(operation_id)
            self._watched = operation_id
            return True

    def is_watching(self, operation_id: str) -> bool:
        """Whether changes of the bus are noticed for it now."""
        return self._watched == operation_id

    def end(self, operation_id: str) -> None:
        """Watch no more for this operation, if it is this one."""
        with self._lock:
            if self._watched == operation_id:
                self._stop()

    def close(self) -> None:
        """Watch no more, for nobody."""
        with self._lock:
            self._is_closed = True
            self._stop()

    def _stop(self) -> None:
        self._watched = None
        self._running.close()

    def _notify(
        self, operation_id: str, subject: str, added: list[Dongle], removed: list[Dongle]
    ) -> None:
        # Before it is told, so that who hears of it finds what it means as well.
        with suppress(JournalError):
            self._look(operation_id)
        changes = [(entry, "plugged in") for entry in added]
        changes += [(entry, "unplugged") for entry in removed]
        # A journal that fails is told by every request; it must not end the watching.
        with suppress(JournalError), self._journal.transaction() as unit:
            for dongle, what in changes:
                text = f"The dongle {dongle.id} was {what} at {dongle.path}."
                if unit.operations.get(operation_id) is not None:
                    unit.operations.note(operation_id, text)
                detail = {"operation": operation_id, "path": dongle.path}
                unit.audit.append("agent", what.replace(" ", "_"), subject, detail)
