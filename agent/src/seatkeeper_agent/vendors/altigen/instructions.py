# SPDX-License-Identifier: GPL-3.0-or-later
"""What people do in an order, and what the vendor does (knowledge base article 799, grade D)."""

from __future__ import annotations

from collections.abc import Iterable

from seatkeeper_agent.domain.orders import LicenseKey, PhoneSystem, seat_sums
from seatkeeper_agent.domain.planned_steps import Instructions
from seatkeeper_agent.operations.orders.ports import PlacedOrder
from seatkeeper_agent.vendors.altigen.settings import SUPPORT_FAX, VENDOR_SECONDS_MAX


def case(placed: PlacedOrder) -> Instructions:
    """Open a support case, under the target's system key."""
    order, target = placed.order, placed.order.targets[0]
    upgrade = "this is an upgrade from an Office or Max server to software-only"
    opened = (
        f"Open a support case online under the system key {target.system_key} of {target.name}."
    )
    if placed.fee_of is not None:
        opened = (
            f"Use the support case of the order {placed.fee_of!r}, so that both go as one move at"
            f" one fee; it is opened under the system key {target.system_key} of {target.name}."
        )
    return _instructions(
        opened,
        f"Say in the case that {upgrade}." if order.is_upgrade else "",
        f"Write the number of the case into the order {order.name!r} as case_number and run again.",
        verified_by=f"The declaration of the order {order.name!r} has the case number.",
        attestable=False,
    )


def purchase_order(placed: PlacedOrder) -> Instructions:
    """Software-only systems alone need it."""
    order, target = placed.order, placed.order.targets[0]
    number = order.field("no_charge_purchase_order")
    return _instructions(
        f"Send a no-charge purchase order{f' ({number})' if number else ''} for all licenses of"
        f" the order {order.name!r} to {target.name} to the vendor's sales.",
        f"Note its number in the support case {placed.case_number}.",
        verified_by="Nothing shows it: say when it was sent, and its number.",
    )


def mail(placed: PlacedOrder, recipient: str) -> Instructions:
    """Send the papers by hand."""
    return _instructions(
        f"Print the papers of the order {placed.order.name!r} in {placed.folder}, copy the"
        " summaries into the vendor's own forms, and have them signed.",
        "Have the card's owner fill in the credit card authorization by hand; card data goes into"
        " no file.",
        f"Send the cover mail with the forms to {recipient} with the case number"
        f" {placed.case_number} in the subject line, or fax them to {SUPPORT_FAX} and note that"
        " in the case.",
        verified_by="Nothing shows it: say when and how it was sent.",
    )


def authorize(placed: PlacedOrder) -> Instructions:
    """What a sent mail cannot hold."""
    return _instructions(
        f"Copy the summaries of the order {placed.order.name!r} in {placed.folder} into the"
        " vendor's own forms; have them signed.",
        "Print the credit card authorization and have the card's owner fill it in by hand.",
        f"Fax both to the vendor's support, {SUPPORT_FAX}, and note that in the case"
        f" {placed.case_number}.",
        verified_by="Nothing shows it: say when they were faxed.",
    )


def processing(placed: PlacedOrder) -> Instructions:
    """The vendor's part, with the vendor's own deadline."""
    return _instructions(
        "Wait for the vendor's support representative, who moves the licenses within 24 hours of"
        " receipt.",
        f"If nothing was heard by then, ask in the support case {placed.case_number}.",
        verified_by="The support case says that the licenses were moved: say so, with its words.",
        seconds_max=VENDOR_SECONDS_MAX,
    )


def new_keys(placed: PlacedOrder) -> Instructions:
    """A software-only system gets new licenses, so their keys exist with the vendor only."""
    name = placed.order.name
    return _instructions(
        f"Wait for the new license keys that the vendor issues; ask for them in the support case"
        f" {placed.case_number}.",
        f"Write each with its product into the order {name!r} as new_keys and run again.",
        verified_by=f"The declaration of the order {name!r} has the new keys.",
        attestable=False,
    )


def register_old(placed: PlacedOrder) -> Instructions:
    """Registering the old system is what removes the licenses there; it comes first."""
    return _instructions(
        f"Register {_named(placed.order.order_lines[0].source)}; that removes the moved licenses"
        " there.",
        "Check that the moved keys are gone from its list of licenses.",
        verified_by="The old system lists the keys no more: say so.",
    )


def register_new(placed: PlacedOrder) -> Instructions:
    """Registering the new system with the keys is what puts them to use."""
    target = placed.order.targets[0]
    moved = tuple(key for move_ in placed.order.order_lines for key in move_.keys)
    issued = placed.new_keys
    given = _keys(issued or moved)
    if target.is_software_only and not issued:
        given = "the new keys that the vendor issued"
    return _instructions(
        f"Register {_named(target)} and enter {given}.",
        _fewer(moved, issued, placed.case_number) if issued else "",
        "Check that the new system lists them as active.",
        verified_by="The new system lists the licenses as active: say so.",
    )


def _fewer(
    moved: tuple[LicenseKey, ...], issued: tuple[LicenseKey, ...], case_number: str | None
) -> str:
    """What to ask where the new keys do not hold what the old ones did."""
    before, after = seat_sums(moved), seat_sums(issued)
    if before == after:
        return ""
    words = ", ".join(f"{after[kind]} of {before[kind]} {kind}" for kind in before)
    return f"The new keys hold {words} licenses: ask in the support case {case_number} first."


def _instructions(
    *steps: str, verified_by: str, attestable: bool = True, seconds_max: int | None = None
) -> Instructions:
    return Instructions(tuple(filter(None, steps)), verified_by, attestable, seconds_max)


def _named(system: PhoneSystem) -> str:
    return f"{system.name} (system key {system.system_key})"


def _keys(keys: Iterable[LicenseKey]) -> str:
    return ", ".join(key.key for key in keys)
