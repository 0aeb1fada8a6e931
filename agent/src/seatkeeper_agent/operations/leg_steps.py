# SPDX-License-Identifier: GPL-3.0-or-later
"""What a leg would do: its step as people see it, and what both ends would show after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seatkeeper_agent.domain.licenses import Measure, TransferType
from seatkeeper_agent.domain.planned_steps import PlannedStep
from seatkeeper_agent.domain.transfers import Declaration, Leg, Mode
from seatkeeper_agent.operations.observations import ItemObservation

_TITLES = {
    Leg.REQUEST: "ask {target} for room for {item} from {source}",
    Leg.ISSUE: "debit {amount} of {item} in {source} for {target}",
    Leg.INSTALL: "credit {amount} of {item} in {target} from {source}",
    Leg.CONFIRM: "confirm {item} in {source} with the receipt of {target}",
    Leg.ACKNOWLEDGE: "close {item} in {target}",
}
_REFUSAL = "refuse {item} from {source} in {target}"
_NAMES = {
    Leg.REQUEST: "request",
    Leg.ISSUE: "debit",
    Leg.INSTALL: "credit",
    Leg.CONFIRM: "confirm",
    Leg.ACKNOWLEDGE: "acknowledge",
}


def leg_step(
    declaration: Declaration, leg: Leg, reversible: bool, refuses: bool = False
) -> PlannedStep:
    """The one step of a leg; with ``refuses`` its target says no instead of importing."""
    amount = "all" if declaration.quantity is None else str(declaration.quantity)
    if declaration.type is TransferType.BORROW_LOCAL:
        amount = "1 seat"
    if declaration.mode is Mode.EXTEND:
        amount = "a later end"
    title = (_REFUSAL if refuses else _TITLES[leg]).format(
        amount=amount,
        item=declaration.item,
        source=declaration.source.container,
        target=declaration.target.container,
    )
    return PlannedStep("refuse" if refuses else _NAMES[leg], title, leg.side.value, reversible)


@dataclass(frozen=True, slots=True)
class Shown:
    """What one end shows of an item's codes; the same shape observed and predicted."""

    container: str
    item: str
    seats: int
    units: int
    borrowed_seats: int

    @classmethod
    def of(cls, observation: ItemObservation) -> Shown:
        """What is there now."""
        borrowed = sum(item.seats for item in observation.items if item.borrowed_until is not None)
        seats, units = observation.owned(Measure.SEATS), observation.owned(Measure.UNITS)
        return cls(observation.container, observation.codes, seats, units, borrowed)

    def after(self, declaration: Declaration, leg: Leg, amounts: dict[str, int]) -> Shown:
        """What would be there when the leg has run."""
        sign = {Leg.ISSUE: -1, Leg.INSTALL: 1}.get(leg, 0)
        seats, units = sign * amounts.get("seats", 0), sign * amounts.get("units", 0)
        lot_is_transferred = declaration.type.is_borrow and (
            (leg is Leg.INSTALL) != (declaration.mode is Mode.RETURN)
        )
        return Shown(
            self.container,
            self.item,
            self.seats + (0 if lot_is_transferred else seats),
            self.units + (0 if lot_is_transferred else units),
            self.borrowed_seats + (seats if lot_is_transferred else 0),
        )

    def as_document(self) -> dict[str, Any]:
        """As shown in a diff."""
        return {
            "items": [
                {
                    "item": self.item,
                    "container": self.container,
                    "seats": self.seats,
                    "units": self.units,
                    "borrowed_seats": self.borrowed_seats,
                }
            ]
        }
