# SPDX-License-Identifier: GPL-3.0-or-later
"""A server's move between two machines: its legs, and the only ways its state may change.

The table TRANSITIONS is what is enforced and what the documentation tells.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from seatkeeper_agent.domain.transfers import NAMESPACE, Side


class MoveLeg(StrEnum):
    """The parts of a move that one host does without the other."""

    BACKUP = "backup"
    PREPARE = "prepare"
    RELEASE = "release"
    INSTALL = "install"
    FINISH = "finish"
    RESTORE = "restore"

    @property
    def side(self) -> Side:
        """The host on which the leg runs."""
        at_target = self in (MoveLeg.PREPARE, MoveLeg.INSTALL)
        return Side.TARGET if at_target else Side.SOURCE


class MoveState(StrEnum):
    """Where a move stands on one host; see TRANSITIONS."""

    NONE = "none"
    BACKED_UP = "backed_up"
    RELEASING = "releasing"
    RELEASED = "released"
    FINISHING = "finishing"
    FINISHED = "finished"
    RESTORING = "restoring"
    RESTORED = "restored"
    PREPARING = "preparing"
    PREPARED = "prepared"
    INSTALLING = "installing"
    ARRIVED = "arrived"
    REFUSED = "refused"
    VOID = "void"

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will happen on this host."""
        return self in (
            MoveState.FINISHED,
            MoveState.RESTORED,
            MoveState.ARRIVED,
            MoveState.REFUSED,
            MoveState.VOID,
        )


TRANSITIONS: dict[Side, dict[MoveState, frozenset[MoveState]]] = {
    Side.SOURCE: {
        MoveState.NONE: frozenset({MoveState.BACKED_UP}),
        MoveState.BACKED_UP: frozenset({MoveState.RELEASING, MoveState.VOID}),
        MoveState.RELEASING: frozenset({MoveState.RELEASED, MoveState.RESTORING, MoveState.VOID}),
        MoveState.RELEASED: frozenset({MoveState.FINISHING, MoveState.RESTORING}),
        MoveState.FINISHING: frozenset({MoveState.FINISHED}),
        MoveState.RESTORING: frozenset({MoveState.RESTORED}),
        MoveState.VOID: frozenset({MoveState.BACKED_UP}),
    },
    Side.TARGET: {
        MoveState.NONE: frozenset({MoveState.PREPARING}),
        MoveState.PREPARING: frozenset({MoveState.PREPARED, MoveState.REFUSED, MoveState.VOID}),
        MoveState.PREPARED: frozenset(
            {MoveState.PREPARING, MoveState.INSTALLING, MoveState.REFUSED, MoveState.VOID}
        ),
        MoveState.INSTALLING: frozenset({MoveState.ARRIVED, MoveState.REFUSED}),
        MoveState.VOID: frozenset({MoveState.PREPARING, MoveState.INSTALLING, MoveState.REFUSED}),
    },
}
"""A source that gave up has given nothing away. A target that gave up still takes what left
before it did; only one that has refused never takes it, which is what lets the source take the
licenses back."""


def may_become(side: Side, before: MoveState, after: MoveState) -> bool:
    """Whether the table allows the change; staying as it is always is."""
    return before is after or after in TRANSITIONS[side].get(before, frozenset())


@dataclass(frozen=True, slots=True)
class MoveDeclaration:
    """One move as it is declared; ``source`` and ``target`` are the names of agents.

    ``target_host`` is how applications reach the new server. With ``source_lost`` there is no
    source any more and the vendor's support deactivates its licenses.
    """

    name: str
    vendor: str
    source: str
    target: str
    target_host: str
    source_lost: bool = False

    @property
    def id(self) -> str:
        """The same for the same name, on both hosts and in every run."""
        return move_id(self.name)

    @property
    def subject(self) -> str:
        """What sentences, operations and the audit call it."""
        return f"move {self.name!r}"

    def as_document(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def move_id(name: str) -> str:
    """The id of the move with this name."""
    return str(uuid.uuid5(NAMESPACE, f"move/{name}"))
