# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes for the machine's keepers: health, metrics, the status page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from seatkeeper_agent.api import page
from seatkeeper_agent.api.metrics import render
from seatkeeper_agent.api.reading import agent_of, read_agent
from seatkeeper_agent.operations.people import frozen_view

router = APIRouter(include_in_schema=True)


@router.get("/livez", summary="Is the process alive")
def read_live() -> dict[str, str]:
    """Always, when it answers at all."""
    return {"status": "alive"}


@router.get("/readyz", summary="Can work be done")
def read_ready(request: Request) -> Response:
    """The journal can be read and nothing is frozen. The product is not required.

    503 while a container or an exchange is frozen, with why and what to do.
    """
    with agent_of(request).journal.reading() as unit:
        sequence, _head = unit.audit.head()
        frozen = [frozen_view(entry) for entry in unit.operations.in_doubt()]
    answer = {"status": "frozen" if frozen else "ready", "audit_sequence": sequence}
    if not frozen:
        return JSONResponse(answer)
    # Anybody may ask for this: no name of a transfer, and no problem, is given away.
    held = [{"operation": entry["operation"], "since": entry["since"]} for entry in frozen]
    told = {"frozen": held, "next_action": "Run seatkeeper-agent status on this host."}
    return JSONResponse({**answer, **told}, 503)


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
def read_metrics(request: Request) -> Response:
    """Counts from the journal, the invariants among them."""
    content, media_type = render(agent_of(request))
    return Response(content, media_type=media_type)


@router.get("/", summary="The status page", response_class=HTMLResponse)
def read_page(request: Request) -> HTMLResponse:
    """Read-only, without any outside resource."""
    content = page.render(agent_of(request), read_agent(request))
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return HTMLResponse(content, headers=headers)
