# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of each product, in one place: a host without a product hears nothing of it."""

from __future__ import annotations

from collections.abc import Callable

from seatkeeper_agent.operations.findings import Finding
from seatkeeper_agent.settings import Settings


def _codemeter(settings: Settings) -> list[Finding]:
    from seatkeeper_agent.drivers.codemeter.checks import check

    return check(settings.codemeter)


def _chaos(settings: Settings) -> list[Finding]:
    if settings.chaos is None:
        return []
    from seatkeeper_agent.drivers.chaos.checks import check

    return check(settings.chaos)


def _altigen(settings: Settings) -> list[Finding]:
    if settings.altigen is None:
        return []
    from seatkeeper_agent.drivers.altigen.checks import check

    return check(settings.altigen)


def _aimms(settings: Settings) -> list[Finding]:
    if settings.aimms is None:
        return []
    from seatkeeper_agent.drivers.aimms.checks import check

    return check(settings.aimms)


PRODUCT_CHECKS: dict[str, Callable[[Settings], list[Finding]]] = {
    "codemeter": _codemeter,
    "chaos": _chaos,
    "altigen": _altigen,
    "aimms": _aimms,
}
"""By vendor; each gives nothing where its product is not on this host."""


def check_products(settings: Settings) -> list[Finding]:
    """What all products of this host show; wrong where there is none at all."""
    findings = [finding for check in PRODUCT_CHECKS.values() for finding in check(settings)]
    if findings:
        return findings
    library = settings.codemeter.library
    return [
        Finding(
            "products",
            "wrong",
            "No vendor's license server was found on this host. Install one, or say in the agent's"
            f" settings where it is (CodeMeter was looked for as {library}).",
        )
    ]
