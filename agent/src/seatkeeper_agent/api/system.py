# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes for the machine's keepers: health, metrics, the status page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from seatkeeper_agent.api import page
from seatkeeper_agent.api.metrics import render
from seatkeeper_agent.api.reading import agent_of, read_agent

router = APIRouter(include_in_schema=True)


@router.get("/livez", summary="Is the process alive")
def read_live() -> dict[str, str]:
    """Always, when it answers at all."""
    return {"status": "alive"}


@router.get("/readyz", summary="Can work be done")
def read_ready(request: Request) -> Response:
    """The journal can be read and is sound. The product is told about, not required."""
    with agent_of(request).journal.reading() as unit:
        sequence, _head = unit.audit.head()
    return JSONResponse({"status": "ready", "audit_sequence": sequence})


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
