# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a fleet has to know of a host in one answer, which writes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from seatkeeper_agent.api.contract import PAGE_LIMIT_MAX, component, described
from seatkeeper_agent.api.problems import problem_document
from seatkeeper_agent.api.reading import agent_of, read_agent
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.host import host
from seatkeeper_agent.operations.evidence import peer_view
from seatkeeper_agent.operations.people import awaited_view
from seatkeeper_agent.operations.vendors import Product
from seatkeeper_agent.operations.views import moment, operation_view

router = APIRouter(prefix="/v2")


@router.get("/look", summary="All that there is to know", **described(component("look")))
def read_look(request: Request) -> Response:
    """What each product holds and what is under way; what cannot be seen says why.

    The agent's part says when each container was last compared with the journal.
    """
    # Given as it is: to look for what is no JSON takes longer than all the rest of a large answer.
    return JSONResponse(looked(request))


def looked(request: Request) -> dict[str, Any]:
    """The same as a member of another answer."""
    agent = agent_of(request)
    with agent.journal.reading() as unit:
        peers = [peer_view(unit, name) for name in unit.peers.names()[:PAGE_LIMIT_MAX]]
        waiting = [awaited_view(record) for record in unit.operations.waiting()]
        operations = unit.operations.page(True, "", PAGE_LIMIT_MAX)
    return {
        "observed_at": moment(int(time.time())),
        "agent": read_agent(request),
        "products": {each.vendor: _product(each) for each in agent.products.values()},
        "dongles": _looked_at(agent.dongles.listing),
        "peers": peers,
        "waiting": waiting,
        "operations": [operation_view(record) for record in operations],
        "ports_limited": host().are_ports_limited(),
    }


def _product(product: Product) -> dict[str, Any]:
    looks = {**product.observes, **{kind.name: kind.look for kind in product.kinds}}
    return {name: _looked_at(look) for name, look in looks.items()}


def _looked_at(look: Callable[[], Any]) -> dict[str, Any]:
    """What was seen, or why nothing was: nobody knows then, and others are not hidden by it."""
    try:
        return {"seen": look(), "problem": None}
    except Problem as problem:
        return {"seen": None, "problem": problem_document(problem)}
