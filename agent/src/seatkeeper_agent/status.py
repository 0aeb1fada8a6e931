# SPDX-License-Identifier: GPL-3.0-or-later
"""``seatkeeper-agent status``: what the running agent holds and what waits."""

from __future__ import annotations

import json
import sys
from typing import Any

from seatkeeper_agent.client import AgentClient, AgentUnreachable
from seatkeeper_agent.settings import Settings


def show(settings: Settings, as_json: bool) -> int:
    """Print it; 1 when an invariant is broken or an operation in doubt, or nobody answers."""
    try:
        with AgentClient(settings.socket) as client:
            found = {
                "agent": client.get("/v1/agent"),
                "containers": client.get("/v1/containers")["containers"],
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
    return 1 if broken or doubtful else 0


def _text(found: dict[str, Any]) -> str:
    about = found["agent"]
    lines = [f"agent       {about['agent']['name']}, version {about['agent']['version']}"]
    for vendor in about["vendors"]:
        running = "running" if vendor["running"] else "not running"
        lines.append(f"product     {vendor['product']} {vendor['version'] or '-'}, {running}")
    lines += [
        f"container   {container['serial']} ({container['kind']})"
        for container in found["containers"]
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
