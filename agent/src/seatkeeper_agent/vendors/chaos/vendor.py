# SPDX-License-Identifier: GPL-3.0-or-later
"""What Chaos brings to an agent: a license server with an account, and dongles migrated to it."""

from __future__ import annotations

from seatkeeper_agent.operations.findings import Finding
from seatkeeper_agent.operations.vendors import Host, Product, Vendor
from seatkeeper_agent.vendors.chaos.settings import ChaosSettings, found_on_this_host


def _check(settings: ChaosSettings) -> list[Finding]:
    from seatkeeper_agent.vendors.chaos.checks import check

    return check(settings)


def _product(host: Host, settings: ChaosSettings) -> Product:
    from seatkeeper_agent.vendors.chaos.product import product

    return product(host, settings)


VENDOR = Vendor(
    name="chaos",
    settings=ChaosSettings,
    is_assumed=found_on_this_host,
    check=_check,
    product=_product,
    abilities=frozenset({"server", "dongles"}),
)
