# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers compared with the journal at start, on change, and at intervals.

A container that was restored from a snapshot is noticed although nobody moves anything: by its
update counters, and where these have risen again by rows that its history has lost. A change is
what was plugged in or unplugged, and a counter that shows otherwise than at the last comparison:
to a read, or to the observer itself, which glances at the counters of what the journal remembers.
Only the comparison itself writes, and only what it freezes; reads give the last comparison and its
age. What is owed a freeze gets it as soon as the work there has ended.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from seatkeeper_agent.domain.licenses import ItemKey, Measure
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.observations import (
    ItemObservation,
    ended_lots,
    refuse_rollback,
    refuse_vanished,
)
from seatkeeper_agent.operations.ports import DriverError, LicenseDriver
from seatkeeper_agent.operations.transfer_operations import freeze, freeze_owed

COMPARE_SECONDS = 300.0
GLANCE_SECONDS = 10.0
"""How long a restored container passes unnoticed; a glance costs three calls for each container."""

LOOK_SECONDS = 2.0
SETTLE_SECONDS = 60.0
"""How long the product may take to show what was plugged in."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How one container compared; ``consistent`` is None where the product did not answer."""

    container: str
    at: int
    consistent: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a container shows of what the journal remembers of it, of one moment."""

    counters: dict[int, int]
    rows: dict[str, tuple[ItemObservation, frozenset[str]]]
    box_at: int


class Observer:
    """Compares all containers of one product with the journal.

    ``plugged`` gives what is plugged into this host, equal only while nothing was moved; it asks
    neither a device nor the product. ``passed`` counts seconds.
    """

    def __init__(
        self,
        journal: Journal,
        driver: LicenseDriver,
        clock: Callable[[], float] = time.time,
        plugged: Callable[[], Mapping[str, int]] = dict,
        passed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._driver = driver
        self._clock = clock
        self._plugged = plugged
        self._passed = passed
        self._last: dict[str, Comparison] = {}
        self._counters: dict[str, Mapping[int, int]] = {}
        self._has_changed = threading.Event()
        self._due_at = self._settled_at = self._glance_at = passed()
        self._plugged_before = plugged()

    def last(self) -> list[Comparison]:
        """The last comparison of each container, in the order of their serial numbers."""
        return [self._last[serial] for serial in sorted(self._last)]

    def saw(self, serial: str, counters: Mapping[int, int]) -> None:
        """A read was shown these update counters; what is new is compared by the next look."""
        if self._counters.get(serial) != counters:
            self._has_changed.set()

    def look(self, actor: str) -> None:
        """Compare if it is time, or if something changed; asked every LOOK_SECONDS."""
        now = self._passed()
        freeze_owed(self._journal)
        plugged = self._plugged()
        if plugged != self._plugged_before:
            self._plugged_before = plugged
            self._settled_at = now + SETTLE_SECONDS
            self._has_changed.set()
        if now < self._settled_at and self._has_uncompared():
            self._has_changed.set()
        is_due = now >= self._due_at
        if now >= self._glance_at and not is_due:
            self._glance_at = now + GLANCE_SECONDS
            self._glance()
        if is_due or self._has_changed.is_set():
            self._due_at, self._glance_at = now + COMPARE_SECONDS, now + GLANCE_SECONDS
            self._has_changed.clear()
            self.compare(actor)

    def _glance(self) -> None:
        """Read the counters of all containers that could be compared with the journal now."""
        with self._journal.reading() as unit:
            known = unit.counters.containers()
            free = [serial for serial in known if unit.operations.holding(serial) is None]
        for serial in free:
            # One that is away or does not answer shows nothing, and so no change.
            with suppress(DriverError):
                self.saw(serial, self._driver.firm_items(serial))

    def _has_uncompared(self) -> bool:
        """Whether the product shows a container that has not been compared yet."""
        compared = {name for name, known in self._last.items() if known.consistent is not None}
        try:
            return any(container.serial not in compared for container in self._driver.containers())
        except DriverError:
            return False

    def compare(self, actor: str) -> list[Comparison]:
        """Compare all containers now; freezes what was rolled back."""
        try:
            serials = [container.serial for container in self._driver.containers()]
        except DriverError as error:
            self._last = {
                serial: Comparison(serial, known.at, None, str(error))
                for serial, known in self._last.items()
            }
            return self.last()
        self._last = {serial: self._compare(serial, actor) for serial in serials}
        return self.last()

    def _compare(self, serial: str, actor: str) -> Comparison:
        at = int(self._clock())
        with self._journal.reading() as unit:
            if unit.operations.holding(serial) is not None:
                # Its own work is under way, or it is frozen: what it shows is about to change.
                return self._last.get(serial) or Comparison(serial, at, None, "work is under way")
            codes = unit.vendor_rows.codes(serial)
            sequence, _head = unit.audit.head()
        try:
            shown = self._look(serial, codes)
        except DriverError as error:
            return Comparison(serial, at, None, str(error))
        try:
            with self._journal.transaction() as unit:
                if unit.audit.head()[0] != sequence:
                    return self._last.get(serial) or Comparison(serial, at, None, "it changed")
                _compare_with_journal(unit, serial, shown)
        except Problem as problem:
            freeze(self._journal, serial, actor, problem)
            return Comparison(serial, at, False, problem.detail)
        return Comparison(serial, at, True, f"{len(shown.rows)} items with transfers compared")

    def _look(self, serial: str, codes: list[str]) -> _Shown:
        rows = {}
        for name in codes:
            key = ItemKey.parse(name)
            items = tuple(self._driver.items(serial, key))
            history = self._driver.history(serial, key.firm_code, key.product_code)
            ids = frozenset(row.transfer_id for row in history)
            rows[name] = (ItemObservation(serial, name, items, 0), ids)
        # Noted before it is judged: what a read shows after this is a change.
        counters = self._counters[serial] = self._driver.firm_items(serial)
        return _Shown(counters, rows, self._driver.clock(serial).box_at)


def _compare_with_journal(unit: Unit, serial: str, shown: _Shown) -> None:
    """Problem if the container is older than the journal."""
    for firm_code, counter in shown.counters.items():
        refuse_rollback(unit, serial, firm_code, counter)
    for codes, (observation, ids) in shown.rows.items():
        owned = {measure: observation.owned(measure) for measure in Measure}
        ended = ended_lots(unit, serial, codes, shown.box_at)
        refuse_vanished(unit, serial, codes, ids, owned, ended)
