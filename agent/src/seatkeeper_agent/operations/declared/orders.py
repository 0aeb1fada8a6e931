# SPDX-License-Identifier: GPL-3.0-or-later
"""Licenses that a vendor's staff moves when it is asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.operations.declared.kinds import LOOKED_AT_MAX, NOTHING, Asked, Outcome
from seatkeeper_agent.operations.declared.reading import outcome_of
from seatkeeper_agent.operations.orders.requests import OrderRequest, order_id

if TYPE_CHECKING:
    from seatkeeper_agent.operations.orders.service import OrderService


def order_request(order: str, declared: dict[str, Any]) -> OrderRequest:
    """What is ordered, with everything that was left out; Problem for an id of another name."""
    expected = order_id(declared["name"])
    if order != expected:
        raise Problem(
            ProblemCode.REQUEST_INVALID,
            f"The id {order} is not that of an order with the name {declared['name']!r}.",
            f"Use {expected}.",
        )
    meant = {
        "name": declared["name"],
        "source": declared["source"],
        "target": declared["target"],
        "keys": declared["keys"],
        "on": declared.get("on"),
        "fields": declared.get("fields", {}),
        "prices": declared.get("prices", {}),
        "rules": declared.get("rules", []),
    }
    return OrderRequest(
        meant,
        declared.get("case_number"),
        declared.get("plan_digest"),
        tuple(declared.get("others", ())),
        tuple(declared.get("new_keys", ())),
    )


class OrderKind:
    """Orders with one vendor. What sets the vendor going is confirmed by the plan's digest."""

    name = "order"
    schema = "order-request"
    confirms = "plan_digest"
    secrets: frozenset[str] = frozenset()
    brings = NOTHING

    def __init__(self, orders: OrderService) -> None:
        self._orders = orders

    def planning(self) -> OrderKind:
        """Each plan of it is of what is there."""
        return self

    def put(self, asked: Asked) -> Outcome:
        """Rules and quote first, then papers, the vendor's work, and what was seen of it."""
        request = order_request(asked.id, asked.declared)
        answer = self._orders.put(request, asked.actor, asked.is_dry_run)
        outcome = outcome_of(answer, "order")
        papers = self._orders.documents(asked.id) if asked.declared.get("papers") else None
        if papers:
            outcome.details["papers"] = papers
        return outcome

    def look(self) -> list[dict[str, Any]]:
        """Where each order stands."""
        return self._orders.page("", LOOKED_AT_MAX)
