# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is declared of a host in one request."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._client import AgentClient
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    AGENT_VERSION,
    LicenseProblem,
)

_PATH: t.Final = "/v2/state"
_MEMBERS: t.Final = ("declarations", "documents", "evidence", "look", "records")


def run_state(params: dict[str, t.Any], client: AgentClient, check_mode: bool) -> dict[str, t.Any]:
    """Tell the agent, or ask it for a plan; the module's whole result."""
    dry_run = check_mode or params["dry_run"]
    body = {"dry_run": dry_run, **{name: params[name] for name in _MEMBERS}}
    try:
        answer = client.change("PUT", _PATH, body, dry_run=False)
    except LicenseProblem as problem:
        if problem.code != "route-unknown":
            raise
        raise LicenseProblem.of(
            AGENT_VERSION,
            "The agent of this host is of an older release, which cannot be asked for the state of"
            " its host.",
            "Update seatkeeper-agent there, as the playbook install_agents does.",
        ) from problem
    # Each result is told with what became of it; a plan is no change.
    changed = not dry_run and any(result["changed"] for result in answer["results"])
    return {**answer, "changed": changed}
