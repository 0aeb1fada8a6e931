# SPDX-License-Identifier: GPL-3.0-or-later
"""What people do in an order, and what the vendor does (knowledge base article 799, grade D)."""

from __future__ import annotations

from seatkeeper_agent.domain.orders import Order, PhoneSystem
from seatkeeper_agent.domain.plans import Instructions
from seatkeeper_agent.drivers.altigen.settings import VENDOR_SECONDS_MAX


def case(order: Order) -> Instructions:
    """Open a support case, under the target's system key."""
    target = order.targets[0]
    upgrade = "this is an upgrade from an Office or Max server to software-only"
    return _told(
        f"Open a support case online under the system key {target.system_key} of {target.name}.",
        f"Say in the case that {upgrade}." if order.is_upgrade else "",
        "Write the number of the case into the order as case_number and run again.",
        verified_by="The order's declaration has the case number.",
        attestable=False,
    )


def mail(order: Order) -> Instructions:
    """Send the papers by hand."""
    return _told(
        "Print the papers in the order's folder, copy the summaries into the vendor's own forms,"
        " and have them signed.",
        "Have the card's owner fill in the credit card authorization by hand; card data goes into"
        " no file.",
        "Send the cover mail with the forms to the vendor's support with the case number in the"
        " subject line, or fax them and note that in the case.",
        _purchase_order(order),
        verified_by="Nothing shows it: say when and how it was sent.",
    )


def authorize(order: Order) -> Instructions:
    """What a sent mail cannot hold."""
    return _told(
        "Copy the summaries of the order's folder into the vendor's own forms; have them signed.",
        "Print the credit card authorization and have the card's owner fill it in by hand.",
        "Fax both to the vendor's support, and note that in the case.",
        _purchase_order(order),
        verified_by="Nothing shows it: say when they were faxed.",
    )


def move(order: Order) -> Instructions:
    """The vendor's part, with the vendor's own deadline."""
    return _told(
        "Wait for the vendor's support representative, who moves the licenses within 24 hours of"
        " receipt.",
        f"If nothing was heard by then, ask in the support case of {order.targets[0].name}.",
        verified_by="The support case says that the licenses were moved: say so, with its words.",
        seconds_max=VENDOR_SECONDS_MAX,
    )


def register_old(order: Order) -> Instructions:
    """Registering the old system is what removes the licenses there; it comes first."""
    return _told(
        f"Register {_named(order.moves[0].source)}; that removes the moved licenses there.",
        "Check that the moved keys are gone from its list of licenses.",
        verified_by="The old system lists the keys no more: say so.",
    )


def register_new(order: Order) -> Instructions:
    """Registering the new system with the keys is what puts them to use."""
    target = order.targets[0]
    keys = ", ".join(key.key for move_ in order.moves for key in move_.keys)
    given = "the new keys that the vendor issued" if target.is_software_only else keys
    return _told(
        f"Register {_named(target)} and enter {given}.",
        "Check that the new system lists them as active.",
        verified_by="The new system lists the licenses as active: say so.",
    )


def _told(
    *steps: str, verified_by: str, attestable: bool = True, seconds_max: int | None = None
) -> Instructions:
    return Instructions(tuple(filter(None, steps)), verified_by, attestable, seconds_max)


def _named(system: PhoneSystem) -> str:
    return f"{system.name} (system key {system.system_key})"


def _purchase_order(order: Order) -> str:
    if not order.targets[0].is_software_only:
        return ""
    return "Send a no-charge purchase order for all licenses to the vendor's sales."
