# SPDX-License-Identifier: GPL-3.0-or-later
"""A leg as it was asked for, and the refusals that all legs share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from seatkeeper_agent.domain.exchange import TAKES
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import Envelope, TransferRecord
from seatkeeper_agent.domain.transfers import Declaration, Leg, Place, Side, State

PAST = {
    Leg.REQUEST: set(State) - {State.NONE, State.VOID, State.REFUSED},
    Leg.ISSUE: {State.IN_TRANSIT, State.CREDITING_BACK, State.RECEIPTED},
    Leg.INSTALL: {State.TRANSFERRED, State.RECEIPTED, State.REFUSED},
    Leg.CONFIRM: {State.RECEIPTED},
    Leg.ACKNOWLEDGE: {State.RECEIPTED, State.REFUSED},
}


@dataclass(frozen=True)
class LegRequest:
    """One leg as it was asked for.

    ``facts`` is what the other side's plan told; only a dry run needs it, otherwise the
    signed document tells. ``evidence`` is the newest document of this agent that the other side
    keeps.
    """

    leg: Leg
    declaration: Declaration
    actor: str
    document: Envelope | None = None
    decision: str = "install"
    confirmation: str | None = None
    update_counter: int | None = None
    evidence: Envelope | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """What sentences and the audit call it."""
        return subject(self.declaration)

    @property
    def here(self) -> Place:
        """The end at which the leg runs."""
        at_source = self.leg.side is Side.SOURCE
        return self.declaration.source if at_source else self.declaration.target

    @property
    def peer(self) -> str:
        """The agent at the other end."""
        at_source = self.leg.side is Side.SOURCE
        return (self.declaration.target if at_source else self.declaration.source).agent

    @property
    def given(self) -> Envelope:
        """The document that the leg needs; Problem when it was not brought."""
        if self.document is not None:
            return self.document
        raise Problem(
            ProblemCode.LEG_OUT_OF_ORDER,
            f"The leg {self.leg.value} of {self.subject} needs the"
            f" {TAKES[self.leg].value} from the other host.",
            "Run the leg before it and bring its document.",
        )


def subject(declaration: Declaration) -> str:
    """What sentences, operations and the audit call a transfer."""
    return f"transfer {declaration.name!r}"


def unknown(transfer_id: str) -> Problem:
    """No such transfer here."""
    return Problem(
        ProblemCode.TRANSFER_UNKNOWN,
        f"This host knows no transfer {transfer_id}.",
        "Look at the list of transfers.",
    )


def out_of_order(request: LegRequest, state: State) -> Problem:
    """The transfer's state does not allow the leg."""
    return Problem(
        ProblemCode.LEG_OUT_OF_ORDER,
        f"The leg {request.leg.value} of {request.subject} cannot run now: the transfer is"
        f" {state.value} on this host.",
        "Run the legs in their order: request, issue, install, confirm, acknowledge.",
    )


def over(declaration: Declaration, agent: str, state: State) -> Problem:
    """It was refused or given up, so that it will never be as declared."""
    how = "refused" if state is State.REFUSED else "given up"
    return Problem(
        ProblemCode.LEG_OUT_OF_ORDER,
        f"The transfer {declaration.name!r} was {how} at {agent!r} and is over.",
        "Declare it under another name to try again, or remove it.",
    )


def differs(declaration: Declaration, record: TransferRecord) -> Problem:
    """The same name was declared otherwise before."""
    known, requested = record.declaration.as_document(), declaration.as_document()
    members = ", ".join(sorted(name for name in known if known[name] != requested[name]))
    return Problem(
        ProblemCode.DECLARATION_DIFFERS,
        f"The transfer {declaration.name!r} is known here with another {members} (it is"
        f" {record.state.value}).",
        "Declare it as it was until it has ended, and give a new transfer a new name: only what has"
        " not begun can be corrected.",
    )


def completed(declaration: Declaration, record: TransferRecord) -> Declaration:
    """What is declared, with the containers that it leaves out as they are known by now."""
    ends = {
        side: known
        for side in ("source", "target")
        if (declared := getattr(declaration, side)).container == ""
        and (known := getattr(record.declaration, side)).agent == declared.agent
    }
    return replace(declaration, **ends)


def require_same(declaration: Declaration, record: TransferRecord) -> None:
    """Problem where what is known under a name is not what is declared under it."""
    declared = completed(declaration, record)
    if declared != record.declaration:
        raise differs(declared, record)
