# SPDX-License-Identifier: GPL-3.0-or-later
"""The refusals and failures of moves, each in one sentence with what to do."""

from __future__ import annotations

from collections.abc import Sequence

from seatkeeper_agent.domain.definitions import clause, differences
from seatkeeper_agent.domain.planned_steps import Instructions
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.rules import RuleRow
from seatkeeper_agent.domain.server_move_legs import MoveDeclaration, MoveLeg, MoveState
from seatkeeper_agent.domain.server_moves import BackedUpLicense
from seatkeeper_agent.domain.transfers import Side
from seatkeeper_agent.operations.server_moves.leg_steps import MoveRequest
from seatkeeper_agent.operations.server_moves.records import MoveRecord

AGAIN = "Run the playbook again: it looks, plans and asks anew."


def unknown(move: str) -> Problem:
    """No such move here."""
    return Problem(
        ProblemCode.MOVE_UNKNOWN,
        f"This host knows no move {move}.",
        "Look at the list of moves.",
    )


def require_own(request: MoveRequest, vendor: str, name: str) -> None:
    """Problem where the leg is that of another vendor, of another host, or of one host alone."""
    declaration = request.declaration
    if declaration.vendor != vendor:
        raise other_vendor(declaration, vendor)
    if declaration.source == declaration.target:
        raise same_host(declaration)
    own = declaration.source if request.leg.side is Side.SOURCE else declaration.target
    if own != name:
        raise wrong_host(request, own, name)


def require_same(request: MoveRequest, known: MoveRecord | None) -> None:
    """Problem where the name stands for another move here.

    What is backed up may change as long as nothing has begun to leave.
    """
    if known is None:
        return
    declaration, fresh = request.declaration, (MoveState.BACKED_UP, MoveState.VOID)
    is_fixed = request.leg is MoveLeg.BACKUP and known.state not in fresh
    licenses = (request.licenses or ()) if is_fixed else ()
    had = known.backup.licenses if licenses else ()
    declared = _definition(declaration, licenses)
    found = differences(declared, _definition(known.declaration, had))
    if not found:
        return
    clauses = clause(found, known.state.is_settled)
    raise Problem(
        ProblemCode.DECLARATION_DIFFERS,
        f"The {declaration.subject} is another one here (it is {known.state.value}): {clauses}.",
        "Declare it as it is, or give a new move a new name: a move never changes.",
    )


def _definition(
    declaration: MoveDeclaration, licenses: tuple[BackedUpLicense, ...]
) -> dict[str, str]:
    """What defines a move, in words."""
    members = declaration.as_document()
    lost = "yes" if declaration.source_lost else "no"
    listed = sorted((entry.number, sorted(entry.profiles)) for entry in licenses)
    texts = [f"{number} with {', '.join(names) or 'no profile'}" for number, names in listed]
    return {
        **{name.replace("_", " "): str(value) for name, value in members.items()},
        "source lost": lost,
        "licenses": " and ".join(texts),
    }


def out_of_order(request: MoveRequest, state: MoveState) -> Problem:
    """The move's state does not allow the leg."""
    return Problem(
        ProblemCode.LEG_OUT_OF_ORDER,
        f"The leg {request.leg.value} of {request.declaration.subject} cannot run now: the move is"
        f" {state.value} on this host.",
        "Run the legs in their order: backup, prepare, release, install, finish.",
    )


def wrong_host(request: MoveRequest, meant: str, name: str) -> Problem:
    """The leg belongs to another agent."""
    return Problem(
        ProblemCode.WRONG_HOST,
        f"The leg {request.leg.value} of {request.declaration.subject} belongs to the agent"
        f" {meant!r}, this one is {name!r}.",
        "Run it on that host, or correct the agent's name.",
    )


def other_vendor(declaration: MoveDeclaration, vendor: str) -> Problem:
    """No server of this vendor moves here."""
    return Problem(
        ProblemCode.VENDOR_UNKNOWN,
        f"The {declaration.subject} is of a server of {declaration.vendor[:40]!r}; this agent moves"
        f" those of {vendor}.",
        "Correct the vendor.",
    )


def same_host(declaration: MoveDeclaration) -> Problem:
    """Nothing moves."""
    return Problem(
        ProblemCode.REQUEST_INVALID,
        f"The {declaration.subject} has the same agent {declaration.source!r} at both ends.",
        "Name two agents.",
    )


def no_source(declaration: MoveDeclaration) -> Problem:
    """A lost machine is not backed up."""
    return Problem(
        ProblemCode.REQUEST_INVALID,
        f"The {declaration.subject} is declared with its source lost, so nothing is backed up"
        " there.",
        "Use the file of an earlier backup with the leg prepare, or declare what it had.",
    )


def contradictory(declaration: MoveDeclaration, why: str) -> Problem:
    """Licenses of a lost server that cannot all be."""
    return Problem(
        ProblemCode.REQUEST_INVALID,
        f"The licenses that are declared of {declaration.subject} contradict each other: {why}.",
        "Correct the licenses of the entry.",
    )


def needs(request: MoveRequest, what: str) -> Problem:
    """Something that the leg cannot do without."""
    return Problem(
        ProblemCode.LEG_OUT_OF_ORDER,
        f"The leg {request.leg.value} of {request.declaration.subject} needs {what}.",
        "Run the leg before it and bring what it gave.",
    )


def replayed(request: MoveRequest, what: str) -> Problem:
    """A document that does not belong here."""
    return Problem(
        ProblemCode.DOCUMENT_REPLAYED,
        f"The document brought to the leg {request.leg.value} of {request.declaration.subject} is"
        f" about {what}.",
        "Run the playbook again so that the current documents are carried.",
    )


def not_released(declaration: MoveDeclaration, numbers: Sequence[str]) -> Problem:
    """A code for a license that has not left the source."""
    return Problem(
        ProblemCode.REQUEST_INVALID,
        f"Codes are given of {', '.join(numbers)}, which the source of {declaration.subject} has"
        " not released.",
        "Leave them out: what is not released is not activated anywhere else.",
    )


def not_ready(declaration: MoveDeclaration, rows: Sequence[RuleRow]) -> Problem:
    """The target is not as it must be."""
    unmet = [row for row in rows if row.blocks]
    seen = "; ".join(f"needed: {row.required}; seen: {row.observed}" for row in unmet)
    return Problem(
        ProblemCode.TARGET_NOT_READY,
        f"The target of {declaration.subject} does not fit, so nothing is deactivated: {seen}.",
        unmet[0].advice,
        {"rules": [row.as_document() for row in rows]},
    )


def unconfirmed(request: MoveRequest, digest: str) -> Problem:
    """Something irreversible that nobody has confirmed."""
    given = "missing" if request.confirmation is None else "for another plan"
    return Problem(
        ProblemCode.CONFIRMATION_REQUIRED,
        f"The leg {request.leg.value} of {request.declaration.subject} sets going what cannot be"
        f" taken back, and the confirmation given is {given}.",
        f"Confirm exactly this plan with plan_digest {digest} if it shall run.",
        {"digest": digest},
    )


def changed_since(declaration: MoveDeclaration) -> Problem:
    """What was confirmed or backed up is not what is there."""
    return Problem(
        ProblemCode.BACKUP_CONTRADICTED,
        f"The license server of {declaration.subject} has changed since it was backed up or"
        " confirmed; nothing more is deactivated.",
        "Look at what has changed, then run the playbook again: it looks, plans and asks anew.",
    )


def gone_since(declaration: MoveDeclaration, number: str) -> Problem:
    """Another move has taken the license since."""
    return Problem(
        ProblemCode.BACKUP_CONTRADICTED,
        f"The backup of {declaration.subject} is older than another move, with which license"
        f" {number} has left this server, and nothing shows that it is back.",
        "Give this move up. If the license is back, move it again: the new backup says so.",
    )


def just_changed(declaration: MoveDeclaration) -> Problem:
    """Others were first."""
    return Problem(
        ProblemCode.CONTAINER_BUSY,
        f"Nothing was done for {declaration.subject}, because somebody else has just gone on with"
        " it.",
        "Run the playbook again to see how far it is.",
    )


def other_move(declaration: MoveDeclaration, other: MoveRecord) -> Problem:
    """One at a time."""
    return Problem(
        ProblemCode.CONTAINER_BUSY,
        f"The {declaration.subject} cannot go on: {other.declaration.subject} of the same license"
        f" server is {other.state.value} on this host.",
        "Bring that move to its end, or give it up.",
        {"move": other.id},
    )


def moving(record: MoveRecord) -> Problem:
    """A server on its way is not what a backup is made of."""
    return Problem(
        ProblemCode.CONTAINER_BUSY,
        f"The license server is moving ({record.declaration.subject} is {record.state.value}), so"
        " the backup that was made before it counts.",
        "Back up again when the move has ended.",
        {"move": record.id},
    )


def busy(request: MoveRequest, record: MoveRecord) -> Problem:
    """Another leg of it is not at its end."""
    leg = "another leg" if record.outline is None else f"the leg {record.outline.leg}"
    return Problem(
        ProblemCode.CONTAINER_BUSY,
        f"The leg {request.leg.value} of {request.declaration.subject} cannot run: {leg} is not at"
        " its end.",
        "Look at what it waits for.",
        {"move": record.id},
    )


def interrupted(declaration: MoveDeclaration) -> Problem:
    """Before anything was done."""
    return Problem(
        ProblemCode.RUNTIME_UNFINISHED,
        f"A leg of {declaration.subject} was interrupted before anything was done.",
        AGAIN,
    )


def given_up(declaration: MoveDeclaration) -> Problem:
    """By somebody who asked for it."""
    return Problem(
        ProblemCode.RUNTIME_UNFINISHED,
        f"The {declaration.subject} was given up before anything was deactivated.",
        "Declare it again if it shall happen.",
    )


def released_already(declaration: MoveDeclaration) -> Problem:
    """Too late to give up."""
    return Problem(
        ProblemCode.LEG_OUT_OF_ORDER,
        f"The {declaration.subject} can no longer be given up: licenses have left, or are being"
        " deactivated.",
        "Bring it to its end; or have the target refuse (leg install with the decision refuse) and"
        " take the licenses back (leg restore). A deactivation that waits for a person is first to"
        " be attested as not done.",
    )


def undecided(declaration: MoveDeclaration, number: str) -> Problem:
    """Whether it is active cannot be said now."""
    return Problem(
        ProblemCode.IN_DOUBT,
        f"The target of {declaration.subject} cannot refuse now: whether license {number} is active"
        " here is not known.",
        "Look at the license server; finish or cancel what is pending, or attest the step that"
        " waits.",
    )


def not_active(declaration: MoveDeclaration, numbers: Sequence[str]) -> Problem:
    """What was active a moment ago."""
    return Problem(
        ProblemCode.LICENSE_NOT_ACTIVE,
        f"Of {declaration.subject}, {', '.join(numbers)} should be active on this machine, and the"
        " license server does not show it.",
        "Look at the license server, then run the playbook again.",
    )


def not_left(declaration: MoveDeclaration, numbers: Sequence[str]) -> Problem:
    """What is to be signed as gone and is not seen to be."""
    return Problem(
        ProblemCode.LICENSE_NOT_RELEASED,
        f"Of {declaration.subject}, {', '.join(numbers)} should be active here no more, and the"
        " license server does not show that.",
        "Look at the license server, then run the playbook again: it deactivates what is active.",
    )


def active_twice(declaration: MoveDeclaration, numbers: Sequence[str]) -> Problem:
    """The worst that can be."""
    return Problem(
        ProblemCode.ACTIVE_TWICE,
        f"Of {declaration.subject}, {', '.join(numbers)} is active on the source, and the target"
        " has signed that it is active there.",
        "Stop the source's license server and ask the vendor's support which activation counts;"
        " then deactivate the other one and run the playbook again.",
    )


def activation_pending(
    declaration: MoveDeclaration, number: str, cancelling: Instructions
) -> Problem:
    """A license that has left and may come back with a file at any time."""
    return Problem(
        ProblemCode.LICENSE_NOT_RELEASED,
        f"Of {declaration.subject}, an activation of {number} is pending on the source, which a"
        " response file can end at any time.",
        " ".join((*cancelling.steps, "Then run the playbook again.")),
    )


def not_seen(declaration: MoveDeclaration, numbers: Sequence[str]) -> Problem:
    """A source that does not tell."""
    return Problem(
        ProblemCode.RUNTIME_UNAVAILABLE,
        f"Of {declaration.subject}, the source does not show whether {', '.join(numbers)} is still"
        " active there.",
        "Make its license server answer, then run the playbook again.",
    )
