# SPDX-License-Identifier: GPL-3.0-or-later
"""A driver that looks once: what plans are made of is asked of the product one time."""

from __future__ import annotations

from functools import cache

from seatkeeper_agent.domain.licenses import Item, ItemKey, ItemStatus, TransferType
from seatkeeper_agent.domain.transfers import Declaration, Leg, Mode
from seatkeeper_agent.operations.legs import LegRequest
from seatkeeper_agent.operations.observations import ItemObservation
from seatkeeper_agent.operations.ports import LicenseDriver


class OneLook:
    """LicenseDriver whose answers are kept for all plans of one request; each counts for the next.

    A run looks again right before its effect, so it is given the driver itself. What a debit does
    to the update counter is not predicted, and neither is an item that a container does not have
    yet: what comes of either, the run looks at.
    """

    def __init__(self, driver: LicenseDriver) -> None:
        self.vendor = driver.vendor
        self.call_seconds_max = driver.call_seconds_max
        self.update_is_repeatable = driver.update_is_repeatable
        self.describe = cache(driver.describe)
        self.containers = cache(driver.containers)
        self._seen = cache(driver.items)
        self._changed: dict[tuple[str, ItemKey], Item] = {}
        self.firm_items = cache(driver.firm_items)
        self.history = cache(driver.history)
        self.all_history = cache(driver.all_history)
        self.clock = cache(driver.clock)
        self.require_transfer = cache(driver.require_transfer)
        self.create_request = driver.create_request
        self.do_transfer = driver.do_transfer
        self.import_update = driver.import_update
        self.create_receipt = driver.create_receipt
        self.confirm_transfer = driver.confirm_transfer

    def items(self, serial: str, codes: ItemKey | None = None) -> list[Item]:
        """As they are there, less what is planned to leave and with what is to come."""
        found = self._seen(serial) if codes is None else self._seen(serial, codes)
        return [self._changed.get((serial, item.key), item) for item in found]

    def planned(
        self,
        wanted: LegRequest,
        observation: ItemObservation,
        item: Item | None,
        amounts: dict[str, int],
    ) -> None:
        """Let a leg's plan count for those after it; ``item`` is what it debits."""
        if item is not None:
            self.debited(observation.container, item, wanted.declaration)
        if wanted.leg is Leg.INSTALL:
            self.credited(observation, wanted.declaration, amounts)

    def debited(self, container: str, item: Item, declaration: Declaration) -> None:
        """From now on the item has what a planned transfer leaves of it."""
        if declaration.mode is Mode.EXTEND:
            return
        goes_whole = declaration.type in (TransferType.COMPLETE, TransferType.BORROW_COMPLETE)
        is_lot = declaration.mode is Mode.RETURN and declaration.type.is_borrow
        if goes_whole or is_lot:
            left = item._replace(status=ItemStatus.DELETED)
        elif declaration.type is TransferType.UNITS:
            left = item._replace(unit_counter=item.units - (declaration.quantity or 0))
        else:
            left = item._replace(license_quantity=item.seats - (declaration.quantity or 1))
        self._changed[container, item.key] = left

    def credited(
        self, observation: ItemObservation, declaration: Declaration, amounts: dict[str, int]
    ) -> None:
        """From now on an item of its codes that is there has what a planned transfer brings."""
        is_lent = declaration.type.is_borrow and declaration.mode is not Mode.RETURN
        found = [item for item in observation.present if item.borrowed_until is None]
        if is_lent or declaration.mode is Mode.EXTEND or len(found) != 1:
            return
        (item,) = found
        seats, units = item.license_quantity, item.unit_counter
        self._changed[observation.container, item.key] = item._replace(
            license_quantity=None if seats is None else seats + amounts.get("seats", 0),
            unit_counter=None if units is None else units + amounts.get("units", 0),
        )
