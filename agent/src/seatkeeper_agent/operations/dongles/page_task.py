# SPDX-License-Identifier: GPL-3.0-or-later
"""A page that is worked on in a thread of its own: it may stay open long after its click."""

from __future__ import annotations

import threading
from collections.abc import Callable


class PageTask:
    """One piece of work on the page, which says when it is about to click.

    The vendor's page may take half an hour to confirm; nobody is kept off the server for that.
    """

    def __init__(self, task: Callable[[Callable[[], None]], None]) -> None:
        self.error: BaseException | None = None
        self._task = task
        self._clicks = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)

    def start(self) -> None:
        """Begin; returns at the click, or at the end where none was made."""
        self._thread.start()
        self._clicks.wait()

    @property
    def has_ended(self) -> bool:
        """Whether the page was left; ``error`` is why, if it was not as it should."""
        return self._ended.is_set()

    def _run(self) -> None:
        try:
            self._task(self._clicks.set)
        except BaseException as error:  # noqa: BLE001 - it is raised where the work was begun
            self.error = error
        finally:
            self._ended.set()
            self._clicks.set()
