# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes that only look: the agent, containers, items, history, ledger, audit."""

from __future__ import annotations

import dataclasses
import socket
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from seatkeeper_agent import __version__
from seatkeeper_agent.agent import Agent
from seatkeeper_agent.api.contract import (
    PAGE_LIMIT_DEFAULT,
    Cursor,
    ItemName,
    component,
    cursor_number,
    described,
    limit_of,
    page_of,
)
from seatkeeper_agent.journal.migrations import SCHEMA_VERSION
from seatkeeper_agent.operations import invariants
from seatkeeper_agent.operations.declared.reading import item_of
from seatkeeper_agent.operations.evidence import peer_view
from seatkeeper_agent.operations.people import frozen_view
from seatkeeper_agent.operations.views import audit_view, moment, posting_view

API_VERSION = 1

router = APIRouter(prefix="/v1")


def agent_of(request: Request) -> Agent:
    """The agent that the app was made for."""
    agent: Agent = request.app.state.agent
    return agent


@router.get("/agent", summary="Who this agent is", **described(component("agent")))
def read_agent(request: Request) -> dict[str, Any]:
    """Version, key, trusted agents, vendors found with their capabilities, invariants."""
    agent = agent_of(request)
    with agent.journal.reading() as unit:
        sequence, head = unit.audit.head()
        open_operations = unit.operations.count_open()
        checked = invariants.check(unit)
        frozen = [frozen_view(entry) for entry in unit.operations.in_doubt()]
    vendors = [dataclasses.asdict(found) for found in agent.describe()]
    compared = agent.containers.observer.last()
    return {
        "agent": {
            "name": agent.identity.name,
            "version": __version__,
            "api_version": API_VERSION,
            "host": socket.gethostname(),
            "public_key": agent.identity.public_pem,
            "key_id": agent.identity.key_id,
            "trusts": agent.identity.trusts(),
        },
        "role": request.state.role.name.lower(),
        "vendors": vendors,
        "journal": {
            "schema_version": SCHEMA_VERSION,
            "audit_sequence": sequence,
            "audit_head": head,
            "operations_open": open_operations,
        },
        "invariants": [dataclasses.asdict(entry) for entry in checked],
        "frozen": frozen,
        "comparisons": [
            {**dataclasses.asdict(entry), "at": moment(entry.at)} for entry in compared
        ],
        "clock": agent.clock.check().as_document(),
    }


@router.get("/peers", summary="Agents that were heard", **described(page_of("peers", "peer")))
def read_peers(
    request: Request, limit: int = PAGE_LIMIT_DEFAULT, after: str = ""
) -> dict[str, Any]:
    """How far each one's audit had come, with the document in which it signed that."""
    size = limit_of(limit)
    with agent_of(request).journal.reading() as unit:
        names = [name for name in unit.peers.names() if name > after]
        views = [peer_view(unit, name) for name in names[:size]]
    return {"peers": views, "next": names[size - 1] if len(names) > size else None}


@router.get(
    "/dependencies",
    summary="What depends on the license servers of this host",
    **described(page_of("dependencies", "dependencies")),
)
def read_dependencies(request: Request) -> dict[str, Any]:
    """For whoever replaces one: what would be given up, the way out, and what confirms it."""
    return {"dependencies": agent_of(request).dependencies(), "next": None}


@router.get("/containers", summary="Containers", **described(page_of("containers", "container")))
def read_containers(
    request: Request, limit: int = PAGE_LIMIT_DEFAULT, after: Cursor = ""
) -> dict[str, Any]:
    """All containers on this host with their clocks."""
    start = cursor_number(after)
    entries = agent_of(request).containers.inventory.containers()
    end = start + limit_of(limit)
    return {
        "containers": entries[start:end],
        "next": str(end) if end < len(entries) else None,
    }


@router.get(
    "/containers/{serial}/items",
    summary="Items of a container",
    **described(page_of("items", "item")),
)
def read_items(
    request: Request, serial: str, limit: int = PAGE_LIMIT_DEFAULT, after: Cursor = ""
) -> Response:
    """One page of the items; the first page looks at the product anew."""
    inventory = agent_of(request).containers.inventory
    return _json(inventory.items(serial, cursor_number(after), limit_of(limit)))


@router.get(
    "/containers/{serial}/history",
    summary="The vendor's transfer history",
    **described(page_of("history", "history-row")),
)
def read_history(
    request: Request,
    serial: str,
    item: ItemName = None,
    limit: int = PAGE_LIMIT_DEFAULT,
    after: Cursor = "",
) -> Response:
    """Rows with the vendor's own statuses."""
    inventory = agent_of(request).containers.inventory
    key = None if item is None else item_of(item)
    return _json(inventory.history(serial, key, cursor_number(after), limit_of(limit)))


def _json(text: str) -> Response:
    return Response(text, media_type=JSONResponse.media_type)


@router.get("/audit", summary="The audit chain", **described(page_of("entries", "audit-entry")))
def read_audit(
    request: Request, limit: int = PAGE_LIMIT_DEFAULT, after: Cursor = ""
) -> dict[str, Any]:
    """Entries by sequence number, each with the hash that links it to the one before."""
    size = limit_of(limit)
    with agent_of(request).journal.reading() as unit:
        entries = unit.audit.page(cursor_number(after), size)
    last = str(entries[-1].sequence) if len(entries) == size else None
    return {"entries": [audit_view(entry) for entry in entries], "next": last}


@router.get(
    "/ledger",
    summary="Where all seats are",
    **described(page_of("balances", "balance")),
)
def read_ledger(request: Request) -> dict[str, Any]:
    """Balances of this host's double entry; over all hosts each item sums to zero."""
    with agent_of(request).journal.reading() as unit:
        balances = unit.ledger.balances()
    return {"balances": [posting_view(entry) for entry in balances], "next": None}
