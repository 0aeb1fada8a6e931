# SPDX-License-Identifier: GPL-3.0-or-later
"""What the product holds, page by page.

Reading a container costs the product time that grows with its items, so a listing is read
once, with its first page, and its other pages are served from that one look; of its items only
those of the page are read further. A listing of items is also used again while the update
counters say that nothing was written since.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from seatkeeper_agent.domain.licenses import Container, HistoryRow, Item, ItemKey
from seatkeeper_agent.operations.engine import driver_problem
from seatkeeper_agent.operations.item_texts import ItemTexts, compact
from seatkeeper_agent.operations.observations import the_container
from seatkeeper_agent.operations.ports import Description, DriverError, LicenseDriver
from seatkeeper_agent.operations.views import container_view, history_view, moment

LISTINGS_MAX = 16
LISTING_SECONDS_MAX = 60.0
LISTED_MAX = 10_000

ItemRules = Callable[[str, Item], dict[str, Any]]
"""What may be done to an item in the container of this serial number, as it is shown."""


@dataclass(frozen=True)
class Reading:
    """What is listed: how it is read, and how entries are shown as a JSON array."""

    member: str
    name: str
    read: Callable[[], Sequence[Any]]
    shown: Callable[[Sequence[Any]], str]


@dataclass(frozen=True)
class Listing:
    """All entries at one moment; ``read_at`` is Unix seconds.

    ``update_counters`` are those of the container's firm items just before it was read.
    """

    read_at: float
    update_counters: dict[int, int]
    entries: Sequence[Any]


class Inventory:
    """Containers, items and history of one driver. All failures are Problems.

    ``saw`` is told the update counters of each container that is read.
    """

    def __init__(
        self,
        driver: LicenseDriver,
        saw: Callable[[str, Mapping[int, int]], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._driver = driver
        self._saw = saw
        self._clock = clock
        self._listings: dict[str, Listing] = {}
        self._item_texts: dict[str, ItemTexts] = {}
        self._lock = threading.Lock()

    def describe(self) -> Description:
        """Version and capabilities of the product."""
        return self._driver.describe()

    def containers(self) -> list[dict[str, Any]]:
        """All containers with their clocks."""
        return [self._shown(container) for container in self._containers()]

    def listing(self, rules: Callable[[Sequence[Container]], ItemRules]) -> list[dict[str, Any]]:
        """All containers with their items, at most so many of each as one page has.

        Each item says as ``allowed`` what the rules say of it.
        """
        containers = self._containers()
        try:
            allowed = rules(containers)
        except DriverError as error:
            raise driver_problem("reading the containers", error) from error
        return [
            {**self._shown(container), **self._held(container.serial, allowed)}
            for container in containers
        ]

    def _containers(self) -> list[Container]:
        try:
            return self._driver.containers()
        except DriverError as error:
            raise driver_problem("reading the containers", error) from error

    def _shown(self, container: Container) -> dict[str, Any]:
        try:
            return container_view(container, self._driver.clock(container.serial))
        except DriverError as error:
            raise driver_problem("reading the containers", error) from error

    def _held(self, serial: str, allowed: ItemRules) -> dict[str, Any]:
        try:
            entries = self._listing(serial, self._items_of(serial), is_first=True).entries
            items = entries[:LISTED_MAX]
            views = json.loads(self._array(serial, items))
        except DriverError as error:
            raise driver_problem(f"reading {serial}", error) from error
        for view, item in zip(views, items, strict=True):
            view["allowed"] = allowed(serial, item)
        return {"items": views, "more": len(entries) > LISTED_MAX}

    def items(self, serial: str, after: int, limit: int) -> str:
        """A page of items as JSON; the first page looks anew, later ones continue that look."""
        return self._page(serial, self._items_of(serial), after, limit)

    def _items_of(self, serial: str) -> Reading:
        shown = partial(self._array, serial)
        return Reading("items", serial, partial(self._driver.items, serial), shown)

    def _array(self, serial: str, items: Sequence[Item]) -> str:
        # Here the container is known to exist: what is kept grows with the host, not with requests.
        return self._item_texts.setdefault(serial, ItemTexts()).array(items)

    def history(self, serial: str, item: ItemKey | None, after: int, limit: int) -> str:
        """A page of the vendor's history as JSON, of the named item or of all."""

        if item is None:
            read = partial(self._driver.all_history, serial)
        else:
            read = partial(self._driver.history, serial, item.firm_code, item.product_code)
        reading = Reading("history", f"{serial} {item}", read, _rows)
        return self._page(serial, reading, after, limit)

    def _page(self, serial: str, reading: Reading, after: int, limit: int) -> str:
        end = after + limit
        try:
            listing = self._listing(serial, reading, is_first=after == 0)
            page = reading.shown(listing.entries[after:end])
        except DriverError as error:
            raise driver_problem(f"reading {serial}", error) from error
        head = {
            "container": serial,
            "observed_at": moment(int(listing.read_at)),
            "next": str(end) if end < len(listing.entries) else None,
        }
        return f'{compact(head)[:-1]},"{reading.member}":{page}}}'

    def _listing(self, serial: str, reading: Reading, is_first: bool) -> Listing:
        name = f"{reading.member} {reading.name}"
        with self._lock:
            known = self._listings.get(name)
        if known is not None and self._clock() - known.read_at > LISTING_SECONDS_MAX:
            known = None
        if known is not None and not is_first:
            return known
        the_container(self._driver, serial)
        counters = self._driver.firm_items(serial)
        self._saw(serial, counters)
        # A receipt may close a row without being metered, so history is always read anew.
        is_metered = reading.member == "items"
        if known is not None and known.update_counters == counters and is_metered:
            return known
        listing = Listing(self._clock(), counters, reading.read())
        with self._lock:
            self._listings[name] = listing
            while len(self._listings) > LISTINGS_MAX:
                self._listings.pop(next(iter(self._listings)))
        return listing


def _rows(rows: Sequence[HistoryRow]) -> str:
    return compact(
        [history_view(row, f"{row.item.firm_code}:{row.item.product_code}") for row in rows]
    )
