# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes for the machine's keepers: health, metrics, the status page."""

from __future__ import annotations

import html
from importlib import resources
from string import Template
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from seatkeeper_agent.api.metrics import render
from seatkeeper_agent.api.reading import agent_of, read_agent
from seatkeeper_agent.operations.views import operation_view, transfer_view

router = APIRouter(include_in_schema=True)
ROWS_MAX = 200


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
    agent = agent_of(request)
    about = read_agent(request)
    with agent.journal.reading() as unit:
        operations = [operation_view(entry) for entry in unit.operations.page(True, "", ROWS_MAX)]
        transfers = [
            transfer_view(entry, None) for entry in unit.transfers.page(False, "", ROWS_MAX)
        ]
    page = Template(resources.files(__package__).joinpath("status.html").read_text("utf-8"))
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return HTMLResponse(page.substitute(_page_parts(about, operations, transfers)), headers=headers)


def _page_parts(
    about: dict[str, Any], operations: list[dict[str, Any]], transfers: list[dict[str, Any]]
) -> dict[str, str]:
    vendor = about["vendors"][0]
    floor = {True: "met", False: "NOT met", None: "unknown"}[vendor["security_floor_met"]]
    return {
        "name": html.escape(about["agent"]["name"]),
        "version": html.escape(about["agent"]["version"]),
        "vendor": html.escape(
            f"{vendor['product']} {vendor['version'] or 'not found'},"
            f" {'running' if vendor['running'] else 'not running'},"
            f" security floor {vendor['security_floor']} {floor}"
        ),
        "invariants": _rows(about["invariants"], ("name", "holds", "detail")),
        "operations": _rows(operations, ("kind", "subject", "container", "state")),
        "transfers": _rows(transfers, ("name", "side", "item", "status", "updated_at")),
        "capabilities": _rows(vendor["capabilities"], ("name", "grade", "reason")),
    }


def _rows(entries: list[dict[str, Any]], members: tuple[str, ...]) -> str:
    if not entries:
        return f'<tr><td colspan="{len(members)}" class="none">none</td></tr>'
    return "\n".join(
        "<tr>" + "".join(f"<td>{html.escape(str(entry[name]))}</td>" for name in members) + "</tr>"
        for entry in entries
    )
