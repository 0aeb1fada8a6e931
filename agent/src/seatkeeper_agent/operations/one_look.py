# SPDX-License-Identifier: GPL-3.0-or-later
"""A driver that looks once: what a plan is made of is asked of the product one time."""

from __future__ import annotations

from functools import cache

from seatkeeper_agent.operations.ports import LicenseDriver


class OneLook:
    """LicenseDriver whose answers are kept as long as this object is, which is one plan.

    A run looks again right before its effect, so it is given the driver itself.
    """

    def __init__(self, driver: LicenseDriver) -> None:
        self.vendor = driver.vendor
        self.call_seconds_max = driver.call_seconds_max
        self.update_is_repeatable = driver.update_is_repeatable
        self.describe = cache(driver.describe)
        self.containers = cache(driver.containers)
        self.items = cache(driver.items)
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
