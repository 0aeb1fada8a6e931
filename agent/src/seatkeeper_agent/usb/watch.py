# SPDX-License-Identifier: GPL-3.0-or-later
"""Noticing within a second that a dongle was unplugged or another one plugged in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from seatkeeper_agent.domain.servers import Dongle, UsbUnavailable
from seatkeeper_agent.usb.inventory import Sighting, UsbInventory

OnChange = Callable[[list[Dongle], list[Dongle]], None]
"""Takes what was added and what was removed; a dongle that was replugged is in both."""

_END_SECONDS_MAX = 30.0


class Watch:
    """A thread that looks at the dongles while the ``with`` block runs, and tells changes.

    Looking sends nothing on the bus: only a dongle that is new is asked for its serial number,
    and a migration is not disturbed. Hiding a dongle and giving it back is no change, since it
    stays plugged in. UsbUnavailable where there is nothing to watch at the start.

    What ``on_change`` raises ends the watching and is raised at the end of the block.
    """

    def __init__(
        self, inventory: UsbInventory, on_change: OnChange, look_seconds: float = 0.25
    ) -> None:
        self._inventory = inventory
        self._on_change = on_change
        self._look_seconds = look_seconds
        self._seen: dict[Sighting, Dongle] = {}
        self._problem: UsbUnavailable | None = None
        self._failure: Exception | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="usb-watch", daemon=True)

    @property
    def dongles(self) -> list[Dongle]:
        """The dongles as last seen; at the start of the block those that changes are told of."""
        return list(self._seen.values())

    @property
    def problem(self) -> UsbUnavailable | None:
        """Why the last look saw nothing; None when it did see."""
        return self._problem

    def __enter__(self) -> Self:
        self._seen = self._described(self._inventory.look())
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join(_END_SECONDS_MAX)
        if self._failure is not None and error is None:
            raise self._failure

    def _run(self) -> None:
        while not self._ended.wait(self._look_seconds):
            try:
                self._look()
                self._problem = None
            except UsbUnavailable as problem:
                self._problem = problem
            except Exception as failure:  # noqa: BLE001 - it is raised where the block ends
                self._failure = failure
                return

    def _look(self) -> None:
        sightings = self._inventory.look()
        if sightings == list(self._seen):
            return
        before, now = self._seen, self._described(sightings)
        added = [dongle for seen, dongle in now.items() if seen not in before]
        removed = [dongle for seen, dongle in before.items() if seen not in now]
        self._seen = now
        if added or removed:
            self._on_change(added, removed)

    def _described(self, sightings: list[Sighting]) -> dict[Sighting, Dongle]:
        found = ((seen, self._seen.get(seen) or self._inventory.dongle(seen)) for seen in sightings)
        return {seen: dongle for seen, dongle in found if dongle is not None}
