# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what schemas cannot: items and times, and the common form of what services answer."""

from __future__ import annotations

from typing import Any

from seatkeeper_agent.domain.licenses import ItemKey
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.operations.declared.kinds import Outcome
from seatkeeper_agent.operations.views import seconds

_OPEN = ("running", "waiting", "in_doubt")
_OF_PLANS = ("warnings", "acknowledgement")
_DETAILS = ("report", "quote", "notes", "transfers", "backup")


def item_of(text: str) -> ItemKey:
    """An item as it was named; Problem for what is no name of one."""
    try:
        return ItemKey.parse(text)
    except ValueError as error:
        raise Problem(
            ProblemCode.REQUEST_INVALID, f"The item {error}.", "Correct the item."
        ) from error


def moment_of(text: str) -> int:
    """A time as it was sent, in Unix seconds; Problem for what is none."""
    try:
        return seconds(text) or 0
    except ValueError as error:
        raise Problem(
            ProblemCode.REQUEST_INVALID, f"The time cannot be read: {error}.", "Correct it."
        ) from error


def outcome_of(answer: dict[str, Any], present: str | None = None) -> Outcome:
    """What a service answered, in the common form; ``present`` is the member with the record."""
    plan = answer.get("plan", {})
    operation = answer.get("operation") or {"state": "done"}
    # Work that has not ended is no sign that what is declared is so, whoever is waited for.
    unended = {"operation": operation["id"]} if operation["state"] in _OPEN else None
    waiting = answer.get("waiting") or [unended]
    details = {name: answer[name] for name in _DETAILS if answer.get(name)}
    details.update({name: plan[name] for name in _OF_PLANS if plan.get(name)})
    return Outcome(
        changed=answer["changed"],
        present=None if present is None else answer[present],
        before=answer["before"],
        after=answer["after"],
        steps=tuple(plan.get("steps", ())),
        digest=plan.get("digest") or answer.get("digest"),
        must_be_confirmed=plan.get("confirmation_required", False),
        waits_for=waiting[0],
        details=details,
    )
