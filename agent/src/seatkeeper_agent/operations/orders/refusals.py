# SPDX-License-Identifier: GPL-3.0-or-later
"""What an order is refused with, each with what to do."""

from __future__ import annotations

from typing import Any

from seatkeeper_agent.domain.definitions import clause, differences
from seatkeeper_agent.domain.orders import LicenseKey
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import OperationRecord, OperationState
from seatkeeper_agent.domain.rules import RuleRow, RuleVerdict
from seatkeeper_agent.operations.orders.requests import (
    Judged,
    OrderRequest,
    definition_of,
    system_from,
    unusable,
)


def require_same(request: OrderRequest, placed: dict[str, Any], state: OperationState) -> None:
    """Problem where the declaration stands for another order than the one that was placed."""
    ended = state is OperationState.DONE
    found = differences(definition_of(request.declaration), definition_of(placed))
    if not found:
        return
    name = placed["name"]
    if ended:
        raise Problem(
            ProblemCode.DECLARATION_DIFFERS,
            f"The order {name!r} is done otherwise than it is declared: {clause(found, ended)}.",
            "Declare it as it was done, or take it out of the declaration; what shall move now is"
            " another order with a name and a fee of its own.",
        )
    raise Problem(
        ProblemCode.DECLARATION_DIFFERS,
        f"The order {name!r} was placed otherwise than it is declared: {clause(found, ended)}.",
        "Declare it as it was placed: it goes on as it was, and its fee is due. What must not move"
        " tell the vendor in the support case; what shall move besides is another order, which may"
        " cost another fee.",
    )


def require_allowed(request: OrderRequest, judged: Judged) -> None:
    """Problem for an order that breaks a rule or is not known well enough, with what it costs."""
    if not judged.refused:
        return
    blocking = [row for row in judged.rows if row.blocks]
    raise Problem(
        ProblemCode.ORDER_NOT_ALLOWED,
        f"The order {request.declaration['name']!r} {_reasons(blocking)}.",
        blocking[0].advice,
        {**judged.report(), "quote": judged.quote.as_document()},
    )


def require_confirmed(request: OrderRequest, plan: dict[str, Any]) -> None:
    """Problem for an order that is not confirmed for exactly this plan."""
    name = request.declaration["name"]
    if request.confirmation != plan["digest"]:
        raise Problem(
            ProblemCode.CONFIRMATION_REQUIRED,
            f"What the order {name!r} sets going costs money and cannot be undone, and the"
            f" confirmation given is"
            f" {'missing' if request.confirmation is None else 'for another plan'}.",
            f"Confirm exactly this plan with plan_digest {plan['digest']} if it shall run.",
            {"digest": plan["digest"]},
        )


def _reasons(blocking: list[RuleRow]) -> str:
    unmet = [row for row in blocking if row.verdict is RuleVerdict.NOT_MET]
    unknown = [row for row in blocking if row.verdict is not RuleVerdict.NOT_MET]
    return "; and it ".join(
        f"{words}: " + "; ".join(f"required is that {row.required}: {row.observed}" for row in rows)
        for words, rows in (("breaks rules", unmet), ("is not known well enough", unknown))
        if rows
    )


def case_differs(sentence: str) -> Problem:
    """Another case number than the one that is known."""
    return Problem(
        ProblemCode.DECLARATION_DIFFERS,
        sentence,
        "Declare that one. A move in a case of its own is another order at a fee of its own: end"
        " this one first, by attesting that the step that waits was not done.",
    )


def done_with_keys(name: str, recorded: list[dict[str, Any]]) -> Problem:
    """New keys for an order that is done."""
    keys = ", ".join(entry["key"] for entry in recorded) or "none"
    return Problem(
        ProblemCode.DECLARATION_DIFFERS,
        f"The order {name!r} is done with other new license keys than declared, with {keys}.",
        "Declare those.",
    )


def require_case_number(request: OrderRequest) -> None:
    """Problem for a number that cannot stand in the subject of a mail."""
    number = request.case_number
    if number is not None and (number != number.strip() or not number.isprintable()):
        raise Problem(
            ProblemCode.REQUEST_INVALID,
            f"The case number {number!r} of the order {request.declaration['name']!r} cannot be"
            " used: it must be one line without spaces around it.",
            "Write it as the vendor gave it.",
        )


def require_new_keys(request: OrderRequest) -> None:
    """Problem for keys that the vendor cannot have issued for this order."""
    try:
        _require_issued(request)
    except ValueError as error:
        raise unusable(request.declaration["name"], error) from error


def _require_issued(request: OrderRequest) -> None:
    issued = [LicenseKey(**entry).key for entry in request.new_keys]
    if issued and not system_from(request.declaration["target"]).is_software_only:
        raise ValueError("new_keys are issued for a software-only system only")
    old = {entry["key"] for entry in request.declaration["keys"]}
    for key in issued:
        if key in old or issued.count(key) > 1:
            raise ValueError(f"new_keys has {key}, which is named twice or is one of its keys")


def just_changed(request: OrderRequest) -> Problem:
    """Others were first; what was confirmed or declared may hold no longer."""
    return Problem(
        ProblemCode.CONTAINER_BUSY,
        f"Nothing was done for the order {request.declaration['name']!r}, because somebody else has"
        " just placed or changed it.",
        "Run the playbook again to see how far it is.",
    )


def moved_already(operation: OperationRecord) -> Problem:
    """What remains is to register; begun anew, the order would cost another fee."""
    return Problem(
        ProblemCode.LEG_OUT_OF_ORDER,
        f"The vendor has moved the license keys of {operation.subject}, so it cannot be given up"
        " any more: its fee is due.",
        "Have the step done that waits, then attest that it is done.",
    )
