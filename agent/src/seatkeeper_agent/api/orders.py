# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes of orders: license moves that a vendor's staff performs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from seatkeeper_agent.api.changing import actor_of, job_runner_of, require
from seatkeeper_agent.api.contract import (
    PAGE_LIMIT_DEFAULT,
    body_of,
    component,
    described,
    limit_of,
    page_of,
)
from seatkeeper_agent.api.jobs import Job
from seatkeeper_agent.api.reading import agent_of
from seatkeeper_agent.api.roles import Role
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.operations.declared.orders import order_request
from seatkeeper_agent.operations.orders.service import OrderService
from seatkeeper_agent.operations.transfer_operations import operation_id
from seatkeeper_agent.vendors.registry import tables_of

router = APIRouter(prefix="/v1/orders")

Identifier = Annotated[str, Path(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


@router.get("", summary="Orders", **described(page_of("orders", "order")))
def read_orders(
    request: Request, limit: int = PAGE_LIMIT_DEFAULT, after: str = ""
) -> dict[str, Any]:
    """Where each order stands, and what waits for whom."""
    size = limit_of(limit)
    entries = _service(request).page(after, size)
    return {"orders": entries, "next": entries[-1]["id"] if len(entries) == size else None}


@router.get("/{order}", summary="One order", **described(component("order")))
def read_order(request: Request, order: str) -> dict[str, Any]:
    """Where it stands."""
    found = _service(request).view(order)
    if found is None:
        raise _unknown(order)
    return found


@router.get(
    "/{order}/documents", summary="An order's papers", **described(component("order-documents"))
)
def read_documents(request: Request, order: str) -> dict[str, Any]:
    """The files as they lie on the host, for printing, signing and sending."""
    found = _service(request).documents(order)
    if found is None:
        raise _unknown(order)
    return {"documents": found}


@router.put(
    "/{order}",
    summary="Order a move of licenses",
    **described(component("order-result"), request="order-request", follows=True),
)
async def put_order(request: Request, order: Identifier, dry_run: bool = False) -> Response:
    """Rules and quote first; what sets the vendor going runs with a confirmation only."""
    service, actor = _service(request), actor_of(request)
    body = await body_of(request, "order-request")
    if body.get("plan_digest") is not None and not dry_run:
        require(request, Role.MIGRATOR, "confirm an irreversible plan")
    wanted = order_request(order, body)
    kind = "order" + "?" * dry_run
    job = Job(
        operation_id(order, kind),
        kind,
        f"order {body['name']!r}",
        lambda: service.put(wanted, actor, dry_run),
    )
    return await job_runner_of(request).run(request, job)


def _service(request: Request) -> OrderService:
    service = agent_of(request).orders
    if service is None:
        raise Problem(
            ProblemCode.VENDOR_UNKNOWN,
            f"This agent places no orders: its settings have no table {tables_of('orders')}.",
            "Add that table on the host that orders are to be placed from.",
        )
    return service


def _unknown(order: str) -> Problem:
    return Problem(
        ProblemCode.ORDER_UNKNOWN,
        f"This host placed no order {order}.",
        "Look at the list of orders.",
    )
