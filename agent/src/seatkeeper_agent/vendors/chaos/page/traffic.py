# SPDX-License-Identifier: GPL-3.0-or-later
"""What a page asks its server for, so that a browser is not ended while a click is on its way."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

_QUIET_SECONDS = 0.5
_LOOK_AGAIN_MILLISECONDS = 50


class Traffic:
    """The requests of a page that are under way, from its making on.

    The page's own state "networkidle" does not serve: reached once, it stays so whatever scripts
    ask for afterwards.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._under_way: set[Request] = set()
        self._moved_at = 0.0
        page.on("request", self._began)
        page.on("requestfinished", self._ended)
        page.on("requestfailed", self._ended)

    def settle(self, seconds_max: float) -> None:
        """Return when nothing has been asked for a while, or after ``seconds_max``.

        A page that keeps asking its server never comes to rest; that is no failure.
        """
        from playwright.sync_api import Error

        # Answered by the page after what was clicked has been handled there, unless that led to
        # another page.
        with suppress(Error):
            self._page.evaluate("() => 0")
        self._moved_at = time.monotonic()
        deadline = self._moved_at + seconds_max
        while time.monotonic() < deadline:
            quiet_seconds = time.monotonic() - self._moved_at
            if not self._under_way and quiet_seconds >= _QUIET_SECONDS:
                return
            self._page.wait_for_timeout(_LOOK_AGAIN_MILLISECONDS)

    def _began(self, request: Request) -> None:
        self._under_way.add(request)
        self._moved_at = time.monotonic()

    def _ended(self, request: Request) -> None:
        self._under_way.discard(request)
        self._moved_at = time.monotonic()
