# SPDX-License-Identifier: GPL-3.0-or-later
"""What an order is asked for, how it is remembered, and what its confirmation is bound to."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from seatkeeper_agent.domain.orders import LicenseKey, Move, Order, PhoneSystem
from seatkeeper_agent.domain.plans import digest
from seatkeeper_agent.domain.policies import Policy, evaluate, parse
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.quotes import Quote, parse_prices, quote
from seatkeeper_agent.domain.rules import RuleRow
from seatkeeper_agent.domain.transfers import NAMESPACE
from seatkeeper_agent.operations.people import planned_view
from seatkeeper_agent.operations.steps import Step

KIND = "order"


@dataclass(frozen=True)
class OrderRequest:
    """What was declared, as JSON, and how far the operator goes with it.

    ``declaration`` has name, source, target, keys, on, fields, prices and rules, so that the
    order can be built again from the journal.
    """

    declaration: dict[str, Any]
    case_number: str | None = None
    confirmation: str | None = None


@dataclass(frozen=True)
class Judged:
    """An order with all that was found out about it before anything is done."""

    order: Order
    rows: tuple[RuleRow, ...]
    quote: Quote

    @property
    def refused(self) -> bool:
        """Whether a rule is seen not to be met."""
        return any(row.verdict.value == "not_met" for row in self.rows)

    def report(self) -> dict[str, Any]:
        """The rows and what they come to."""
        return {
            "verdict": "refused" if self.refused else "open",
            "rules": [row.as_document() for row in self.rows],
        }


def judge(declaration: dict[str, Any], vendor_policy: Policy) -> Judged:
    """Build the order and hold it against all rules and prices; Problem for what cannot be."""
    try:
        order = order_from(declaration)
        policy = vendor_policy.with_more(parse({"rules": declaration["rules"]}))
        prices = parse_prices(declaration["prices"])
    except ValueError as error:
        raise Problem(
            ProblemCode.REQUEST_INVALID,
            f"The order {declaration['name']!r} cannot be used: {error}.",
            "Correct the declaration; nothing was done.",
        ) from error
    return Judged(order, evaluate(policy, order), quote(order.moves, prices, order.on))


def order_from(declaration: dict[str, Any]) -> Order:
    """The order that a declaration means; ValueError names what cannot be."""
    move = Move(
        system_from(declaration["source"]),
        system_from(declaration["target"]),
        tuple(LicenseKey(**entry) for entry in declaration["keys"]),
    )
    on = date.fromisoformat(declaration["on"])
    return Order(declaration["name"], (move,), on, dict(declaration["fields"]))


def system_from(document: dict[str, Any]) -> PhoneSystem:
    """A system as declared."""
    until = document.get("assurance_until")
    known = {key: value for key, value in document.items() if key != "assurance_until"}
    return PhoneSystem(
        **known, assurance_until=None if until is None else date.fromisoformat(until)
    )


def order_id(name: str) -> str:
    """The id of the order with this name."""
    return str(uuid.uuid5(NAMESPACE, f"order/{name}"))


def operation_id(order: str, attempt: int) -> str:
    """The id of one attempt at it."""
    return str(uuid.uuid5(NAMESPACE, f"{KIND}/{order}/{attempt}"))


def plan_view(
    declaration: dict[str, Any], judged: Judged, steps: tuple[Step, ...], mails_before: int
) -> dict[str, Any]:
    """The steps, and the digest of declaration, rules and quote that a confirmation is for.

    Another mail to the vendor, after an order that was given up, needs another confirmation.
    """
    shown = [planned_view(step) for step in steps]
    bound = {
        "declaration": declaration,
        "steps": shown,
        "report": judged.report(),
        "quote": judged.quote.as_document(),
        "mails_before": mails_before,
    }
    return {"digest": digest(bound), "confirmation_required": True, "steps": shown}


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


def just_changed(request: OrderRequest) -> Problem:
    """Others were first; what was confirmed or declared may hold no longer."""
    return Problem(
        ProblemCode.CONTAINER_BUSY,
        f"Nothing was done for the order {request.declaration['name']!r}, because somebody else has"
        " just placed or changed it.",
        "Run the playbook again to see how far it is.",
    )
