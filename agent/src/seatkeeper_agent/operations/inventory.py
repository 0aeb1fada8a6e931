# SPDX-License-Identifier: GPL-3.0-or-later
"""What the product holds, page by page.

Reading a container costs the product time that grows with its items, so that a listing is
read once and its pages are served from that one look.
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


@dataclass(frozen=True)
class Listing:
    """All items of a container at one moment; ``read_at`` is Unix seconds."""

    read_at: float
    items: tuple[dict[str, Any], ...]


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
        with self._lock:
            listing = self._listings.get(serial)
        stale = listing is None or self._clock() - listing.read_at > LISTING_SECONDS_MAX
        if listing is None or after == 0 or stale:
            listing = self._read(serial)
        page = listing.items[after : after + limit]
        more = after + limit < len(listing.items)
        return {
            "container": serial,
            "observed_at": moment(int(listing.read_at)),
            "items": list(page),
            "next": str(after + limit) if more else None,
        }

    def history(self, serial: str, item: ItemKey | None) -> list[dict[str, Any]]:
        """The vendor's history of the named item, or of all."""
        try:
            the_container(self._driver, serial)
            codes = sorted(
                {
                    (entry.key.firm_code, entry.key.product_code)
                    for entry in self._driver.items(serial)
                    if item is None or item.matches(entry.key)
                }
            )
            return [
                history_view(row, f"{firm}:{product}")
                for firm, product in codes
                for row in self._driver.history(serial, firm, product)
            ]
        except DriverError as error:
            raise driver_problem(f"reading the history of {serial}", error) from error

    def _read(self, serial: str) -> Listing:
        try:
            the_container(self._driver, serial)
            items = tuple(item_view(item) for item in self._driver.items(serial))
        except DriverError as error:
            raise driver_problem(f"reading {serial}", error) from error
        listing = Listing(self._clock(), items)
        with self._lock:
            self._listings[serial] = listing
            while len(self._listings) > LISTINGS_MAX:
                self._listings.pop(next(iter(self._listings)))
        return listing
