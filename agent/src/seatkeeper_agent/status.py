# SPDX-License-Identifier: GPL-3.0-or-later
"""``seatkeeper-agent status``: what the running agent holds and what waits."""

from __future__ import annotations

import json
import sys
from typing import Any

from seatkeeper_agent.client import AgentClient, AgentRefused, AgentUnreachable
from seatkeeper_agent.settings import Settings


def show(settings: Settings, as_json: bool) -> int:
    """Print it; 1 when something is broken or in doubt, or agent or product do not answer."""
    try:
        with AgentClient(settings.socket) as client:
            found: dict[str, Any] = {
                "agent": client.get("/v1/agent"),
                "containers": _containers(client),
                "operations": client.pages("/v1/operations", "operations", state="open"),
                "transfers": client.pages("/v1/transfers", "transfers", state="open"),
            }
    except AgentUnreachable as error:
        print(f"seatkeeper-agent: {error}", file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        print(_text(found))
    broken = [entry for entry in found["agent"]["invariants"] if not entry["holds"]]
    doubtful = [entry for entry in found["operations"] if entry["state"] == "in_doubt"]
    return 1 if broken or doubtful or found["containers"] is None else 0


def _containers(client: AgentClient) -> list[dict[str, Any]] | None:
    """None where the product does not tell; what waits is then worth knowing all the more."""
    try:
        return client.pages("/v1/containers", "containers")
    except AgentRefused as error:
        print(f"seatkeeper-agent: {error}", file=sys.stderr)
        return None


def _text(found: dict[str, Any]) -> str:
    about = found["agent"]
    lines = [f"agent       {about['agent']['name']}, version {about['agent']['version']}"]
    for vendor in about["vendors"]:
        running = "running" if vendor["running"] else "not running"
        lines.append(f"product     {vendor['product']} {vendor['version'] or '-'}, {running}")
    lines += [
        f"container   {container['serial']} ({container['kind']})"
        for container in found["containers"] or []
    ]
    lines += [
        f"invariant   {entry['name']} {'holds' if entry['holds'] else 'BROKEN'}"
        for entry in about["invariants"]
    ]
    lines += [
        f"operation   {entry['kind']} of {entry['subject']}: {entry['state']}"
        for entry in found["operations"]
    ] or ["operation   none open"]
    lines += [
        f"transfer    {entry['name']} ({entry['side']}): {entry['status']}"
        for entry in found["transfers"]
    ] or ["transfer    none open"]
    return "\n".join(lines)
