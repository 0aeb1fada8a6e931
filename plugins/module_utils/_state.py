# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is declared of a host in one request."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._client import AgentClient

_PATH: t.Final = "/v2/state"
_MEMBERS: t.Final = ("declarations", "documents", "evidence", "look", "records")


def run_state(params: dict[str, t.Any], client: AgentClient, check_mode: bool) -> dict[str, t.Any]:
    """Tell the agent, or ask it for a plan; the module's whole result."""
    dry_run = check_mode or params["dry_run"]
    body = {"dry_run": dry_run, **{name: params[name] for name in _MEMBERS}}
    answer = client.change("PUT", _PATH, body, dry_run=False)
    # Each result is told with what became of it; a plan is no change.
    changed = not dry_run and any(result["changed"] for result in answer["results"])
    return {**answer, "changed": changed}
