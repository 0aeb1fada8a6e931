# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes for the machine's keepers: health, metrics, the status page."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from seatkeeper_agent.api import page
from seatkeeper_agent.api.contract import component, described
from seatkeeper_agent.api.metrics import render
from seatkeeper_agent.api.problems import MEDIA_TYPE
from seatkeeper_agent.api.reading import agent_of, read_agent
from seatkeeper_agent.operations.people import frozen_view

router = APIRouter(include_in_schema=True)

_TEXT: dict[str, Any] = {"type": "string"}
_ALIVE: dict[str, Any] = {
    "type": "object",
    "properties": {"status": {"const": "alive"}},
    "required": ["status"],
}
_READINESS = described(component("readiness"))
_READINESS["openapi_extra"]["responses"]["503"] = {
    "description": "No work can be done, and why.",
    "content": {
        "application/json": {"schema": component("readiness")},
        MEDIA_TYPE: {"schema": component("problem")},
    },
}


@router.get("/livez", summary="Is the process alive", **described(_ALIVE))
async def read_live() -> dict[str, str]:
    """Always, when it answers at all; in the event loop, however many threads are taken."""
    return {"status": "alive"}


@router.get("/readyz", summary="Can work be done", **_READINESS)
def read_ready(request: Request) -> Response:
    """The journal is whole, adds up and can grow, and nothing is frozen; no product is required.

    503 otherwise: with what is broken or frozen, or with the problem of the journal.
    """
    agent = agent_of(request)
    with agent.journal.reading() as unit:
        sequence, _head = unit.audit.head()
        frozen = [frozen_view(entry) for entry in unit.operations.in_doubt()]
    broken = agent.readiness.broken()
    status = "broken" if broken else "frozen" if frozen else "ready"
    answer: dict[str, Any] = {"status": status, "audit_sequence": sequence}
    if status == "ready":
        return JSONResponse(answer)
    # Anybody may ask for this: no name of a transfer, and no problem, is given away.
    held = [{"operation": entry["operation"], "since": entry["since"]} for entry in frozen]
    advice = "Run seatkeeper-agent doctor, then seatkeeper-agent status, on this host."
    refusal = {"broken": list(broken), "frozen": held, "next_action": advice}
    return JSONResponse({**answer, **refusal}, 503)


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    **described(_TEXT, media_type="text/plain"),
)
def read_metrics(request: Request) -> Response:
    """Counts from the journal, the invariants among them."""
    content, media_type = render(agent_of(request))
    return Response(content, media_type=media_type)


@router.get(
    "/",
    summary="The status page",
    response_class=HTMLResponse,
    **described(_TEXT, media_type="text/html"),
)
def read_page(request: Request) -> HTMLResponse:
    """Read-only, without any outside resource."""
    content = page.render(agent_of(request), read_agent(request))
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return HTMLResponse(content, headers=headers)
