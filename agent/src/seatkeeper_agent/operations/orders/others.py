# SPDX-License-Identifier: GPL-3.0-or-later
"""All other orders that rules and prices look at: placed from this host, or declared beside it."""

from __future__ import annotations

from datetime import date
from typing import Any

from seatkeeper_agent.domain.orders import OtherOrder
from seatkeeper_agent.domain.records import (
    DeclarationRecord,
    OperationRecord,
    OperationState,
    StepState,
)
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.orders.requests import (
    ORDER,
    OrderRequest,
    day_of,
    operation_id,
    order_line_from,
    other_document,
    other_from,
)
from seatkeeper_agent.operations.orders.steps import MOVE

LISTED_MAX = 10_000


def others_of(unit: Unit, request: OrderRequest, dry_run: bool) -> tuple[OtherOrder, ...]:
    """Those of the journal, and those of the request that the journal does not know.

    What is declared beside an order shares its fee in a plan only: when it is placed, the other
    one must be placed as well. ValueError names what cannot be.
    """
    name = request.declaration["name"]
    records = [
        record
        for record in unit.declarations.page(ORDER, "", LISTED_MAX)
        if record.document["declaration"]["name"] != name
    ]
    known = {record.document["declaration"]["name"] for record in records} | {name}
    placed = [_placed(unit, record, request.case_number) for record in records]
    declared = [
        other_from({**other, "shares_fee": dry_run and bool(other.get("shares_fee"))})
        for other in request.others
        if other["name"] not in known
    ]
    found = [other for other in (*placed, *declared) if other is not None]
    return tuple(sorted(found, key=lambda other: other.ended_on or date.max))


def documents_of(others: tuple[OtherOrder, ...]) -> list[dict[str, Any]]:
    """As they are remembered with the order that was judged beside them."""
    return [other_document(other) for other in others]


def _placed(unit: Unit, record: DeclarationRecord, case_number: str | None) -> OtherOrder | None:
    """None where the order moved nothing and will not."""
    operation = unit.operations.get(operation_id(record.id, record.document["attempt"]))
    if operation is None:
        return None
    declaration = record.document["declaration"]
    order_line = order_line_from(declaration)
    if operation.state is OperationState.FAILED and not has_moved(operation):
        return None
    if operation.state in (OperationState.DONE, OperationState.FAILED):
        return OtherOrder(declaration["name"], order_line, day_of(operation.updated_at))
    return OtherOrder(
        declaration["name"], order_line, None, _shares_fee(record, operation, case_number)
    )


def _shares_fee(
    record: DeclarationRecord, operation: OperationRecord, case_number: str | None
) -> bool:
    """Whether another order can go in its support case, before the vendor has moved anything."""
    own = record.document["case_number"]
    same_case = own is None or case_number is None or own == case_number
    return record.document.get("fee_of") is None and same_case and not has_moved(operation)


def has_moved(operation: OperationRecord) -> bool:
    """Whether the vendor is known to have moved the licenses."""
    return any(step.state is StepState.DONE for step in operation.begun(MOVE))
