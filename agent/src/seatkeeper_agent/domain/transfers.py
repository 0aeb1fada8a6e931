# SPDX-License-Identifier: GPL-3.0-or-later
"""What a transfer is and the only ways its state may change on either side.

The table TRANSITIONS is what the journal enforces and what the documentation draws.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from seatkeeper_agent.domain.licenses import (
    HistoryStatus,
    Item,
    ItemKey,
    Measure,
    TransferType,
)

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:seatkeeper:licensing")


class Mode(StrEnum):
    """Who asks, and which vendor flag is used; the source always debits first."""

    PUSH = "push"
    PULL = "pull"
    RETURN = "return"
    EXTEND = "extend"


class Side(StrEnum):
    """The two hosts of a transfer."""

    SOURCE = "source"
    TARGET = "target"


class Leg(StrEnum):
    """The parts of a transfer that one host does without the other."""

    REQUEST = "request"
    ISSUE = "issue"
    INSTALL = "install"
    CONFIRM = "confirm"
    ACKNOWLEDGE = "acknowledge"

    @property
    def side(self) -> Side:
        """The host on which the leg runs."""
        return Side.SOURCE if self in (Leg.ISSUE, Leg.CONFIRM) else Side.TARGET


class State(StrEnum):
    """Where a transfer stands on one host; see TRANSITIONS."""

    NONE = "none"
    REQUESTED = "requested"
    CREATED = "created"
    DEBITING = "debiting"
    IN_TRANSIT = "in_transit"
    ACCEPTED = "accepted"
    CREDITING = "crediting"
    TRANSFERRED = "transferred"
    REFUSED = "refused"
    CREDITING_BACK = "crediting_back"
    RECEIPTED = "transferred_receipted"
    VOID = "void"

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will happen on this host."""
        return self in (State.RECEIPTED, State.VOID, State.REFUSED)


TRANSITIONS: dict[Side, dict[State, frozenset[State]]] = {
    Side.SOURCE: {
        State.NONE: frozenset({State.CREATED}),
        State.CREATED: frozenset({State.DEBITING, State.VOID}),
        State.DEBITING: frozenset({State.IN_TRANSIT, State.CREATED}),
        State.IN_TRANSIT: frozenset({State.RECEIPTED, State.CREDITING_BACK}),
        State.CREDITING_BACK: frozenset({State.VOID}),
    },
    Side.TARGET: {
        State.NONE: frozenset({State.REQUESTED, State.REFUSED}),
        State.REQUESTED: frozenset({State.ACCEPTED, State.REFUSED, State.VOID}),
        State.ACCEPTED: frozenset({State.CREDITING, State.REFUSED}),
        State.CREDITING: frozenset({State.TRANSFERRED, State.ACCEPTED}),
        State.TRANSFERRED: frozenset({State.RECEIPTED}),
        State.VOID: frozenset({State.REQUESTED, State.ACCEPTED, State.REFUSED}),
    },
}
"""``debiting`` returns to ``created``, and ``crediting`` to ``accepted``, only when a probe
showed that nothing happened. A target that gave up still takes what left before it did, and may
ask again."""

NOT_BEGUN: dict[Side, frozenset[State]] = {
    Side.SOURCE: frozenset({State.CREATED}),
    Side.TARGET: frozenset({State.REQUESTED, State.VOID}),
}
"""Where no effect of a transfer stands or may stand on this host, so that its declaration can be
corrected. The source alone decides whether it began: a target that only asked takes what the
source debited for an earlier declaration, and the source serves one declaration only."""


def may_become(side: Side, before: State, after: State) -> bool:
    """Whether the table allows the change."""
    return after in TRANSITIONS[side].get(before, frozenset())


@dataclass(frozen=True, slots=True)
class Place:
    """One end of a transfer: the agent's name and the container's serial number.

    An empty container means the only one that the host has.
    """

    agent: str
    container: str

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Place:
        """Read a place; an absent or null container is empty."""
        return cls(document["agent"], document.get("container") or "")


@dataclass(frozen=True, slots=True)
class Declaration:
    """What both hosts are told about a transfer; identical on both sides.

    ``quantity`` counts seats (licenses) or units (units) and is None for whole items.
    ``until`` is the end of a borrow. ``parent`` is the transfer that a return undoes or
    an extension prolongs.
    """

    id: str
    name: str
    item: ItemKey
    type: TransferType
    mode: Mode
    source: Place
    target: Place
    quantity: int | None = None
    until: int | None = None
    parent: str | None = None

    def as_document(self) -> dict[str, Any]:
        """The declaration as plain JSON values, the form that is signed and stored."""
        return {
            "id": self.id,
            "name": self.name,
            "item": str(self.item),
            "type": self.type.value,
            "mode": self.mode.value,
            "source": {"agent": self.source.agent, "container": self.source.container},
            "target": {"agent": self.target.agent, "container": self.target.container},
            "quantity": self.quantity,
            "until": self.until,
            "parent": self.parent,
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Declaration:
        """Read back what ``as_document`` wrote; KeyError or ValueError when malformed."""
        return cls(
            id=str(uuid.UUID(document["id"])),
            name=document["name"],
            item=ItemKey.parse(document["item"]),
            type=TransferType(document["type"]),
            mode=Mode(document["mode"]),
            source=Place.from_document(document["source"]),
            target=Place.from_document(document["target"]),
            quantity=document.get("quantity"),
            until=document.get("until"),
            parent=document.get("parent"),
        )

    def can_correct(self, other: Declaration) -> bool:
        """Whether this may take the place of ``other``: the same transfer, of the same agents."""
        mine = (self.id, self.name, self.source.agent, self.target.agent)
        return mine == (other.id, other.name, other.source.agent, other.target.agent)

    def side_of(self, agent: str) -> Side | None:
        """Which end the agent is; None when it has no part in it."""
        if agent == self.source.agent:
            return Side.SOURCE
        return Side.TARGET if agent == self.target.agent else None

    @property
    def firm_code(self) -> int:
        """The firm code that both containers must know."""
        return self.item.firm_code


def transfer_id(name: str) -> str:
    """The id of a named transfer: the same on every host and in every run."""
    return str(uuid.uuid5(NAMESPACE, f"transfer/{name}"))


def moved_amounts(declaration: Declaration, item: Item) -> dict[Measure, int]:
    """What leaves the item, per measure; an extension moves nothing."""
    if declaration.mode is Mode.EXTEND:
        return {}
    match declaration.type:
        case TransferType.LICENSES:
            return {Measure.SEATS: declaration.quantity or 0}
        case TransferType.UNITS:
            return {Measure.UNITS: declaration.quantity or 0}
        case TransferType.BORROW_LOCAL:
            return {Measure.SEATS: 1}
        case _:
            amounts = {Measure.SEATS: item.seats, Measure.UNITS: item.units}
            return {measure: amount for measure, amount in amounts.items() if amount}


def shown_status(side: Side, state: State, mode: Mode) -> str:
    """The vendor's word for a state, as users know it from its own tools (grade D)."""
    transit = {
        Mode.PUSH: HistoryStatus.IN_TRANSIT_PUSH,
        Mode.PULL: HistoryStatus.IN_TRANSIT_PULL,
        Mode.RETURN: HistoryStatus.IN_TRANSIT_RETURN,
        Mode.EXTEND: HistoryStatus.IN_TRANSIT_PUSH,
    }
    match state:
        case State.RECEIPTED:
            return HistoryStatus.TRANSFERRED_AND_RECEIPTED.value
        case State.TRANSFERRED:
            return HistoryStatus.TRANSFERRED.value
        case State.IN_TRANSIT | State.CREDITING_BACK:
            return transit[mode].value
        case State.ACCEPTED | State.CREDITING if side is Side.TARGET:
            return transit[mode].value
        case State.VOID | State.REFUSED:
            return state.value
        case _:
            return HistoryStatus.CREATED.value
