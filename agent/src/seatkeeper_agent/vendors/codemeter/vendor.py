# SPDX-License-Identifier: GPL-3.0-or-later
"""What CodeMeter brings to an agent: licenses in containers, and a license server's settings."""

from __future__ import annotations

from seatkeeper_agent.operations.findings import Finding
from seatkeeper_agent.operations.vendors import Host, Product, Vendor
from seatkeeper_agent.vendors.codemeter.settings import CodeMeterSettings


def _check(settings: CodeMeterSettings) -> list[Finding]:
    from seatkeeper_agent.vendors.codemeter.checks import check

    return check(settings)


def _product(host: Host, settings: CodeMeterSettings) -> Product:
    from seatkeeper_agent.vendors.codemeter.product import product

    return product(host, settings)


def _looked_for(settings: CodeMeterSettings) -> str:
    return f"CodeMeter was looked for as {settings.library}"


# Whether the product is here only its library tells, and the loader knows where that lies.
VENDOR = Vendor(
    name="codemeter",
    settings=CodeMeterSettings,
    is_assumed=lambda: True,
    check=_check,
    product=_product,
    looked_for=_looked_for,
    abilities=frozenset({"containers", "server"}),
)
