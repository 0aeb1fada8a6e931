# SPDX-License-Identifier: GPL-3.0-or-later
"""What Acme brings to an agent: a license server that is started and stopped."""

from __future__ import annotations

from seatkeeper_agent.operations.findings import Finding
from seatkeeper_agent.operations.vendors import Host, Product, Vendor
from seatkeeper_agent.vendors.acme.settings import AcmeSettings


def _check(settings: AcmeSettings) -> list[Finding]:
    from seatkeeper_agent.vendors.acme.checks import check

    return check(settings)


def _product(host: Host, settings: AcmeSettings) -> Product:
    from seatkeeper_agent.vendors.acme.product import product

    return product(host, settings)


# No document says where the product lies: it is here where the operator's settings say so.
VENDOR = Vendor(
    name="acme",
    settings=AcmeSettings,
    is_assumed=lambda: False,
    check=_check,
    product=_product,
    abilities=frozenset({"server"}),
)
