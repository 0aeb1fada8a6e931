# SPDX-License-Identifier: GPL-3.0-or-later
"""What the product holds, page by page.

Reading a container costs the product time that grows with its items, so a listing is read
once, with its first page, and its other pages are served from that one look. A listing of
items is also used again while the update counters say that nothing was written since.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seatkeeper_agent.domain.licenses import ItemKey
from seatkeeper_agent.operations.engine import driver_problem
from seatkeeper_agent.operations.observations import the_container
from seatkeeper_agent.operations.ports import Description, DriverError, LicenseDriver
from seatkeeper_agent.operations.views import container_view, history_view, item_view, moment

LISTINGS_MAX = 16
LISTING_SECONDS_MAX = 60.0

Entries = tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Listing:
    """All entries at one moment; ``read_at`` is Unix seconds.

    ``update_counters`` are those of the container's firm items just before it was read.
    """

    read_at: float
    update_counters: dict[int, int]
    entries: Entries


class Inventory:
    """Containers, items and history of one driver. All failures are Problems."""

    def __init__(self, driver: LicenseDriver, clock: Callable[[], float] = time.time) -> None:
        self._driver = driver
        self._clock = clock
        self._listings: dict[str, Listing] = {}
        self._lock = threading.Lock()

    def describe(self) -> Description:
        """Version and capabilities of the product."""
        return self._driver.describe()

    def containers(self) -> list[dict[str, Any]]:
        """All containers with their clocks."""
        try:
            return [
                container_view(container, self._driver.clock(container.serial))
                for container in self._driver.containers()
            ]
        except DriverError as error:
            raise driver_problem("reading the containers", error) from error

    def items(self, serial: str, after: int, limit: int) -> dict[str, Any]:
        """A page of items; the first page looks anew, later ones continue that look."""

        def read() -> Entries:
            return tuple(item_view(item) for item in self._driver.items(serial))

        return self._page(serial, "items", serial, read, after, limit)

    def history(self, serial: str, item: ItemKey | None, after: int, limit: int) -> dict[str, Any]:
        """A page of the vendor's history, of the named item or of all."""

        def read() -> Entries:
            if item is None:
                rows = self._driver.all_history(serial)
                return tuple(history_view(row, _codes(row.item)) for row in rows)
            named = self._driver.history(serial, item.firm_code, item.product_code)
            return tuple(history_view(row, _codes(item)) for row in named)

        return self._page(serial, "history", f"{serial} {item}", read, after, limit)

    def _page(
        self,
        serial: str,
        member: str,
        name: str,
        read: Callable[[], Entries],
        after: int,
        limit: int,
    ) -> dict[str, Any]:
        listing = self._listing(serial, f"{member} {name}", read, is_first=after == 0)
        end = after + limit
        return {
            "container": serial,
            "observed_at": moment(int(listing.read_at)),
            member: list(listing.entries[after:end]),
            "next": str(end) if end < len(listing.entries) else None,
        }

    def _listing(
        self, serial: str, name: str, read: Callable[[], Entries], is_first: bool
    ) -> Listing:
        with self._lock:
            known = self._listings.get(name)
        if known is not None and self._clock() - known.read_at > LISTING_SECONDS_MAX:
            known = None
        if known is not None and not is_first:
            return known
        try:
            the_container(self._driver, serial)
            counters = self._driver.firm_items(serial)
            # A receipt may close a row without being metered, so history is always read anew.
            unmetered = not name.startswith("items")
            if known is not None and known.update_counters == counters and not unmetered:
                return known
            listing = Listing(self._clock(), counters, read())
        except DriverError as error:
            raise driver_problem(f"reading {serial}", error) from error
        with self._lock:
            self._listings[name] = listing
            while len(self._listings) > LISTINGS_MAX:
                self._listings.pop(next(iter(self._listings)))
        return listing


def _codes(key: ItemKey) -> str:
    return f"{key.firm_code}:{key.product_code}"
