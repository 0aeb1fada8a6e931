# SPDX-License-Identifier: GPL-3.0-or-later
"""What AltiGen brings to an agent: orders by which the vendor moves licenses."""

from __future__ import annotations

from seatkeeper_agent.operations.findings import Finding
from seatkeeper_agent.operations.vendors import Host, Product, Vendor
from seatkeeper_agent.vendors.altigen.settings import AltiGenSettings


def _check(settings: AltiGenSettings) -> list[Finding]:
    from seatkeeper_agent.vendors.altigen.checks import check

    return check(settings)


def _product(host: Host, settings: AltiGenSettings) -> Product:
    from seatkeeper_agent.vendors.altigen.product import product

    return product(host, settings)


# Orders are placed only from a host that says so.
VENDOR = Vendor(
    name="altigen",
    settings=AltiGenSettings,
    is_assumed=lambda: False,
    check=_check,
    product=_product,
    abilities=frozenset({"orders"}),
)
