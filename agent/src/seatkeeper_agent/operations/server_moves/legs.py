# SPDX-License-Identifier: GPL-3.0-or-later
"""Between which states each leg of a move runs, and which document it gives."""

from __future__ import annotations

from seatkeeper_agent.domain.exchange import BACKUP, SERVER_MOVE
from seatkeeper_agent.domain.records import MoveDocument
from seatkeeper_agent.domain.server_move_legs import MoveLeg, MoveState

GOES_ON = {
    MoveLeg.PREPARE: MoveState.PREPARING,
    MoveLeg.RELEASE: MoveState.RELEASING,
    MoveLeg.INSTALL: MoveState.INSTALLING,
    MoveLeg.FINISH: MoveState.FINISHING,
    MoveLeg.RESTORE: MoveState.RESTORING,
}
"""The state while a leg runs."""

STARTS = {
    MoveLeg.PREPARE: {MoveState.NONE, MoveState.PREPARING, MoveState.PREPARED, MoveState.VOID},
    MoveLeg.RELEASE: {MoveState.BACKED_UP, MoveState.RELEASING},
    MoveLeg.INSTALL: {MoveState.PREPARED, MoveState.INSTALLING, MoveState.VOID},
    MoveLeg.FINISH: {MoveState.RELEASED, MoveState.FINISHING},
    MoveLeg.RESTORE: {MoveState.RELEASING, MoveState.RELEASED, MoveState.RESTORING},
}
PAST = {
    MoveLeg.PREPARE: {MoveState.INSTALLING, MoveState.ARRIVED},
    MoveLeg.RELEASE: {MoveState.RELEASED, MoveState.FINISHING, MoveState.FINISHED},
    MoveLeg.INSTALL: {MoveState.ARRIVED},
    MoveLeg.FINISH: {MoveState.FINISHED},
    MoveLeg.RESTORE: {MoveState.RESTORED, MoveState.VOID},
}
ENDS = {
    MoveLeg.BACKUP: MoveState.BACKED_UP,
    MoveLeg.PREPARE: MoveState.PREPARED,
    MoveLeg.RELEASE: MoveState.RELEASED,
    MoveLeg.INSTALL: MoveState.ARRIVED,
    MoveLeg.FINISH: MoveState.FINISHED,
    MoveLeg.RESTORE: MoveState.RESTORED,
}
OVER = {MoveState.FINISHED, MoveState.RESTORED, MoveState.ARRIVED, MoveState.REFUSED}
"""No other leg follows."""
HOLDING = frozenset(GOES_ON.values()) | {MoveState.RELEASED}
"""A move that is there keeps others from changing the server."""
GIVES = {
    MoveLeg(leg): MoveDocument(kind) for leg, kind in SERVER_MOVE.gives.items() if kind != BACKUP
}
"""The documents that are signed."""
