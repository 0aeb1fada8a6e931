# SPDX-License-Identifier: GPL-3.0-or-later
"""What AIMMS brings to an agent: a license server that moves to another machine."""

from __future__ import annotations

from seatkeeper_agent.operations.findings import Finding
from seatkeeper_agent.operations.vendors import Host, Product, Vendor
from seatkeeper_agent.vendors.aimms.settings import AimmsSettings, found_on_this_host


def _check(settings: AimmsSettings) -> list[Finding]:
    from seatkeeper_agent.vendors.aimms.checks import check

    return check(settings)


def _product(host: Host, settings: AimmsSettings) -> Product:
    from seatkeeper_agent.vendors.aimms.product import product

    return product(host, settings)


VENDOR = Vendor(
    name="aimms",
    settings=AimmsSettings,
    is_assumed=found_on_this_host,
    check=_check,
    product=_product,
    abilities=frozenset({"movable"}),
)
