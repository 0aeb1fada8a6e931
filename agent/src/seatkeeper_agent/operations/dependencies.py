# SPDX-License-Identifier: GPL-3.0-or-later
"""Collecting what depends on a server, an item or a dongle, from the journal and the drivers.

Each function is for what one vendor has to give up; the rule is ``domain/dependencies.py``.
"""

from __future__ import annotations

from typing import Any

from seatkeeper_agent.domain.dependencies import (
    NOTHING,
    Dependencies,
    Dependency,
    GivingUp,
    Relation,
    confirmation_of,
)
from seatkeeper_agent.domain.licenses import Item, Measure
from seatkeeper_agent.domain.records import TransferRecord
from seatkeeper_agent.domain.servers import ProductSeats, ServerStatus
from seatkeeper_agent.domain.transfers import Declaration, Side, State, moved_amounts
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.observations import LOTS_MAX, ItemObservation
from seatkeeper_agent.operations.server_ports import LicenseServerDriver
from seatkeeper_agent.operations.servers.borrow_steps import BORROW
from seatkeeper_agent.operations.views import moment, seconds

LISTED_MAX = 10_000
NO_END = 2**62
_ON_THE_WAY = (State.DEBITING, State.IN_TRANSIT, State.CREDITING_BACK)


def of_account_server(
    unit: Unit, driver: LicenseServerDriver, status: ServerStatus | None
) -> Dependencies:
    """A server with an online account: seats borrowed for offline use, and sessions.

    What becomes of a borrowed seat at its end is not known, so none ends by itself. Of a server
    that does not answer (None) only what the journal remembers is known.
    """
    records = unit.declarations.page(BORROW, "", LISTED_MAX)
    declared = {
        record.document["product"]: record.document
        for record in records
        if record.document["borrowed"] is not None
    }
    if status is None:
        remembered = tuple(_borrowed(product, document) for product, document in declared.items())
        return Dependencies(remembered, (Relation.BORROWED, Relation.IN_USE))
    found = [_borrowed(product, declared.get(product)) for product in status.offline_products]
    sessions = driver.seats_in_use()
    if sessions is None:
        return Dependencies(tuple(found), (Relation.IN_USE,))
    return Dependencies((*found, *map(_in_use, sessions)))


def of_dongle(driver: LicenseServerDriver) -> Dependencies:
    """A dongle: the server's licenses are unavailable while it is migrated (grade D)."""
    sessions = driver.seats_in_use()
    if sessions is None:
        return Dependencies((), (Relation.IN_USE,))
    return Dependencies(tuple(map(_in_use, sessions)))


def of_moving_server() -> Dependencies:
    """A server that moves: it lends nothing, and no document tells how to see who uses it."""
    return Dependencies((), (Relation.IN_USE,))


def of_runtime(unit: Unit) -> Dependencies:
    """A runtime with containers: what is lent from here, borrowed here and on its way.

    Stopping the server ends all access but what is borrowed (grade D); who uses seats is not read.
    """
    now = unit.now
    lent = [
        entry
        for entry in unit.transfers.lent_before(NO_END, LOTS_MAX)
        if (entry.declaration.until or 0) > now
    ]
    moving = [
        entry
        for entry in unit.transfers.page(True, "", LISTED_MAX)
        if entry.state in _ON_THE_WAY and entry not in lent
    ]
    found = (*map(_lent, lent), *map(_in_transit, moving), *_borrowed_here(unit))
    return Dependencies(found, (Relation.IN_USE,))


def _borrowed_here(unit: Unit) -> list[Dependency]:
    found = []
    for record in unit.borrows.page("", LISTED_MAX):
        declared = record.declaration
        end = seconds(declared["until"])
        if declared["seats"] and end is not None and end > unit.now:
            what = (
                f"{_seats(declared['seats'])} borrowed here by {declared['name']!r} until"
                f" {declared['until']}"
            )
            found.append(Dependency(Relation.BORROWED, what, record.id, end))
    return found


def update_view(vendor: str, dependencies: Dependencies) -> dict[str, Any]:
    """For whoever replaces a server: what depends on it, and what confirms it all the same."""
    digest = confirmation_of(GivingUp.SERVER_UPDATE, vendor, dependencies)
    return {
        "vendor": vendor,
        "sentences": list(dependencies.sentences()),
        "way_out": dependencies.remedy() or None,
        "digest": digest if dependencies.found else None,
    }


def of_item(
    unit: Unit, observation: ItemObservation, item: Item, declaration: Declaration
) -> Dependencies:
    """An item of which nothing stays here: seats lent from it, transfers that are on their way.

    Nothing depends on an item that keeps some, or that only lends. Who uses seats is not read.
    """
    if not is_last(observation, item, declaration):
        return NOTHING
    lent = unit.transfers.lent_before(NO_END, LOTS_MAX)
    moving = [
        entry
        for entry in unit.transfers.page(True, "", LISTED_MAX)
        if entry.side is Side.SOURCE and entry.state in _ON_THE_WAY
    ]
    found = {
        entry.declaration.id: _lent(entry) if entry in lent else _in_transit(entry)
        for entry in (*lent, *moving)
        if entry.declaration.id != declaration.id and _is_of(entry, observation)
    }
    return Dependencies(tuple(found.values()), (Relation.IN_USE,))


def is_last(observation: ItemObservation, item: Item, declaration: Declaration) -> bool:
    """Whether nothing of the item's codes is left in the container after the transfer."""
    if declaration.type.is_borrow:
        return False
    moved = moved_amounts(declaration, item)
    return bool(moved) and all(
        observation.owned(measure) <= moved.get(measure, 0) for measure in Measure
    )


def _is_of(entry: TransferRecord, observation: ItemObservation) -> bool:
    item = entry.declaration.item
    return (entry.declaration.source.container, f"{item.firm_code}:{item.product_code}") == (
        observation.container,
        observation.codes,
    )


def _lent(entry: TransferRecord) -> Dependency:
    declaration = entry.declaration
    target = f"{declaration.target.agent} ({declaration.target.container})"
    return Dependency(
        Relation.LENT,
        f"{_seats(entry.amounts.get(Measure.SEATS))} lent to {target} by {declaration.name!r}"
        f" until {moment(declaration.until)}",
        declaration.id,
        declaration.until,
    )


def _in_transit(entry: TransferRecord) -> Dependency:
    declaration = entry.declaration
    return Dependency(
        Relation.IN_TRANSIT,
        f"The transfer {declaration.name!r} to {declaration.target.agent} is {entry.state.value}",
        declaration.id,
    )


def _borrowed(product: str, declared: dict[str, object] | None) -> Dependency:
    if declared is None:
        what = f"Seats of {product} are borrowed for offline use, declared by nobody here"
        return Dependency(Relation.BORROWED, what, product)
    return Dependency(
        Relation.BORROWED,
        f"{_seats(declared['seats'], f' of {product}')} borrowed for offline use by"
        f" {declared['name']!r} until {declared['until']}",
        f"{product}/{declared['id']}",
    )


def _in_use(entry: ProductSeats) -> Dependency:
    kinds = ", ".join(f"{number} {kind}" for kind, number in entry.seats.items())
    return Dependency(
        Relation.IN_USE, f"Seats of {entry.product} are in use ({kinds})", entry.product
    )


def _seats(number: object, of: str = "") -> str:
    if not isinstance(number, int):
        return f"Seats{of} are"
    return f"1 seat{of} is" if number == 1 else f"{number} seats{of} are"
