# SPDX-License-Identifier: GPL-3.0-or-later
"""What two hosts do together, as a table of legs: who does which, what it takes, what it gives.

From the state of one side follows what that side does next, and nothing else is needed to carry
documents: whoever carries them knows no states.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from seatkeeper_agent.domain.records import DocumentKind, MoveDocument
from seatkeeper_agent.domain.server_move_legs import MoveLeg, MoveState
from seatkeeper_agent.domain.transfers import Leg, Side, State

BACKUP = "backup"
"""What a server's move brings besides signed documents; the receiver checks it by its digest."""


@dataclass(frozen=True, slots=True)
class Next:
    """What one host does next: the leg, the document that it awaits for it, the one it gives."""

    leg: str
    awaits: str | None
    gives: str | None

    def as_document(self) -> dict[str, str | None]:
        """As records show it."""
        return {"leg": self.leg, "awaits": self.awaits, "gives": self.gives}


@dataclass(frozen=True)
class Exchange:
    """Everything that two agents do for one declaration.

    ``takes`` and ``gives`` are by leg, ``follows`` is the leg after a state. In a state that is
    ``under_way`` a leg has begun and goes on without its document. ``owed`` are the documents
    that the other host may still lack, with the one that it needs where it gave up meanwhile.
    """

    takes: Mapping[str, str]
    gives: Mapping[str, str]
    follows: Mapping[Side, Mapping[str, str]]
    under_way: Collection[str]
    owed: Mapping[Side, Mapping[str, tuple[str, ...]]]

    def next_of(self, side: Side, state: str, kept: Collection[str]) -> Next | None:
        """What a side does next; ``kept`` is what it was brought before. None where all is done."""
        leg = self.follows[side].get(state)
        if leg is None:
            return None
        takes = self.takes.get(leg)
        has_it = takes is None or takes in kept or state in self.under_way
        return Next(leg, None if has_it else takes, self.gives.get(leg))


TAKES: Mapping[str, DocumentKind] = {
    Leg.ISSUE: DocumentKind.REQUEST,
    Leg.INSTALL: DocumentKind.TRANSFER,
    Leg.CONFIRM: DocumentKind.RECEIPT,
    Leg.ACKNOWLEDGE: DocumentKind.ACKNOWLEDGEMENT,
}
GIVES: Mapping[str, DocumentKind] = {
    Leg.REQUEST: DocumentKind.REQUEST,
    Leg.ISSUE: DocumentKind.TRANSFER,
    Leg.INSTALL: DocumentKind.RECEIPT,
    Leg.CONFIRM: DocumentKind.ACKNOWLEDGEMENT,
}
ENDS_IN = {
    Leg.REQUEST: State.REQUESTED,
    Leg.ISSUE: State.IN_TRANSIT,
    Leg.INSTALL: State.TRANSFERRED,
    Leg.CONFIRM: State.RECEIPTED,
    Leg.ACKNOWLEDGE: State.RECEIPTED,
}
"""The state after a leg that nothing stopped."""

TRANSFER = Exchange(
    takes=TAKES,
    gives=GIVES,
    follows={
        Side.SOURCE: {
            State.NONE: Leg.ISSUE,
            State.CREATED: Leg.ISSUE,
            State.DEBITING: Leg.ISSUE,
            State.IN_TRANSIT: Leg.CONFIRM,
            State.CREDITING_BACK: Leg.CONFIRM,
        },
        Side.TARGET: {
            State.NONE: Leg.REQUEST,
            State.VOID: Leg.REQUEST,
            State.REQUESTED: Leg.INSTALL,
            State.ACCEPTED: Leg.INSTALL,
            State.CREDITING: Leg.INSTALL,
            State.TRANSFERRED: Leg.ACKNOWLEDGE,
        },
    },
    under_way={State.DEBITING, State.ACCEPTED, State.CREDITING, State.CREDITING_BACK},
    owed={
        Side.SOURCE: {
            State.IN_TRANSIT: (DocumentKind.TRANSFER,),
            State.RECEIPTED: (DocumentKind.ACKNOWLEDGEMENT,),
        },
        Side.TARGET: {
            State.REQUESTED: (DocumentKind.REQUEST,),
            State.TRANSFERRED: (DocumentKind.RECEIPT,),
            State.REFUSED: (DocumentKind.RECEIPT,),
        },
    },
)
"""Licenses that move from one container to another."""

SERVER_MOVE = Exchange(
    takes={
        MoveLeg.PREPARE: BACKUP,
        MoveLeg.RELEASE: MoveDocument.PREPARED,
        MoveLeg.INSTALL: MoveDocument.RELEASED,
        MoveLeg.FINISH: MoveDocument.ARRIVED,
        MoveLeg.RESTORE: MoveDocument.REFUSED,
    },
    gives={
        MoveLeg.BACKUP: BACKUP,
        MoveLeg.PREPARE: MoveDocument.PREPARED,
        MoveLeg.RELEASE: MoveDocument.RELEASED,
        MoveLeg.INSTALL: MoveDocument.ARRIVED,
    },
    follows={
        Side.SOURCE: {
            MoveState.NONE: MoveLeg.BACKUP,
            MoveState.VOID: MoveLeg.BACKUP,
            MoveState.BACKED_UP: MoveLeg.RELEASE,
            MoveState.RELEASING: MoveLeg.RELEASE,
            MoveState.RELEASED: MoveLeg.FINISH,
            MoveState.FINISHING: MoveLeg.FINISH,
            MoveState.RESTORING: MoveLeg.RESTORE,
        },
        Side.TARGET: {
            MoveState.NONE: MoveLeg.PREPARE,
            MoveState.VOID: MoveLeg.PREPARE,
            MoveState.PREPARING: MoveLeg.PREPARE,
            MoveState.PREPARED: MoveLeg.INSTALL,
            MoveState.INSTALLING: MoveLeg.INSTALL,
        },
    },
    under_way={
        MoveState.RELEASING,
        MoveState.FINISHING,
        MoveState.RESTORING,
        MoveState.PREPARING,
        MoveState.INSTALLING,
    },
    owed={
        Side.SOURCE: {
            MoveState.BACKED_UP: (BACKUP,),
            MoveState.RELEASED: (MoveDocument.RELEASED, BACKUP),
        },
        Side.TARGET: {
            MoveState.PREPARED: (MoveDocument.PREPARED,),
            MoveState.ARRIVED: (MoveDocument.ARRIVED,),
            MoveState.REFUSED: (MoveDocument.REFUSED,),
        },
    },
)
"""A license server that becomes another machine's."""
