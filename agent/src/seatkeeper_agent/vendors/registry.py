# SPDX-License-Identifier: GPL-3.0-or-later
"""All vendors that this agent knows: those of this folder, and those of installed wheels.

A wheel names its own as an entry point: group ``seatkeeper_agent.vendors``, the vendor's name, and
the place of its ``VENDOR``.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from seatkeeper_agent.operations.vendors import Vendor

GROUP = "seatkeeper_agent.vendors"

BUILT_IN = ("codemeter", "chaos", "altigen", "aimms")
"""The folders beside this file, in the order in which their products are listed."""


class VendorError(Exception):
    """A wheel's vendor cannot be used; the text says which, why and what to do."""


@cache
def vendors() -> dict[str, Vendor]:
    """By name; VendorError as the class says."""
    found: dict[str, Vendor] = {}
    for name in BUILT_IN:
        found[name] = import_module(f"{__package__}.{name}.vendor").VENDOR
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        vendor = _loaded(point)
        if vendor.name in found:
            raise _unusable(point, f"there is a vendor {vendor.name} already")
        found[vendor.name] = vendor
    return found


def tables_of(ability: str) -> str:
    """The tables of the settings by which an agent gets a product with this ability."""
    return " or ".join(f"[{name}]" for name, each in vendors().items() if ability in each.abilities)


def _loaded(point: EntryPoint) -> Vendor:
    try:
        vendor = point.load()
    except (ImportError, AttributeError, SyntaxError) as error:
        raise _unusable(point, str(error)) from error
    if not isinstance(vendor, Vendor) or vendor.name != point.name:
        raise _unusable(point, f"{point.value} is not the Vendor of this name")
    return vendor


def _unusable(point: EntryPoint, reason: str) -> VendorError:
    package = "an installed package" if point.dist is None else f"the package {point.dist.name}"
    return VendorError(
        f"The vendor {point.name} of {package} cannot be used: {reason}. Install a version that was"
        " made for this agent, or remove it from the agent's environment."
    )
