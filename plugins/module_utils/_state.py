# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is declared of a host in one request."""

from __future__ import annotations

import base64
import time
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._client import AgentClient
from ansible_collections.seatkeeper.licensing.plugins.module_utils._files import (
    file_problem,
    read_file,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    AGENT_VERSION,
    LicenseProblem,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._waiting import wait_sentence

Answer = t.Dict[str, t.Any]

REPORT_SECONDS: t.Final = 60.0
"""So often it is reported that somebody is still awaited."""
_PATH: t.Final = "/v2/state"
_ANSWERED: t.Final = ("results", "documents", "look", "records")
_MEMBERS: t.Final = ("documents", "evidence", "look", "records")


def run_state(params: dict[str, t.Any], client: AgentClient, check_mode: bool) -> Answer:
    """Tell the agent, or ask it for a plan; the module's whole result."""
    dry_run = check_mode or params["dry_run"]
    body = body_of(params, dry_run)
    answer = _asked(client, body)
    if not dry_run:
        answer = _waited(client, body, answer, params["wait_timeout"])
    # Each result is told with what became of it; a plan is no change.
    changed = not dry_run and any(result["changed"] for result in answer["results"])
    # What else an agent says becomes no part of a task's result, and no fact.
    return {**{name: answer[name] for name in _ANSWERED if name in answer}, "changed": changed}


def _waited(client: AgentClient, body: Answer, answer: Answer, seconds: int) -> Answer:
    """The answer once nobody is awaited any more, or the time is over.

    What somebody has to do is reported before, and every minute that it is still not done.
    """
    deadline, reported = time.monotonic() + seconds, ""
    while (wait := _awaited(answer)) and (left := deadline - time.monotonic()) > 0:
        sentence = wait_sentence(wait)
        again = f"Still waiting, {left:.0f} s more at most: {wait['title']}."
        client.report(again if sentence == reported else sentence)
        reported = sentence
        client.follow_waiting(wait["operation"], min(left, REPORT_SECONDS))
        answer = _joined(answer, _asked(client, body))
    return answer


def body_of(params: dict[str, t.Any], dry_run: bool) -> Answer:
    """The request, with what is in files of the controller, and what nothing keeps."""
    return {
        "dry_run": dry_run,
        "declarations": [_whole(entry, params) for entry in params["declarations"]],
        **{name: params[name] for name in _MEMBERS},
    }


def _asked(client: AgentClient, body: Answer) -> Answer:
    try:
        return client.change("PUT", _PATH, body, dry_run=False)
    except LicenseProblem as problem:
        if problem.code != "route-unknown":
            raise
        raise LicenseProblem.of(
            AGENT_VERSION,
            "The agent of this host is of an older release, which cannot be asked for the state of"
            " its host.",
            "Update seatkeeper-agent there, as the playbook install_agents does.",
        ) from problem


def _whole(entry: Answer, params: dict[str, t.Any]) -> Answer:
    declared = dict(entry["declared"])
    for member, path in (params["files"].get(entry["id"]) or {}).items():
        content = read_file(path)
        if content is None:
            raise file_problem(path, "is not there any more")
        declared[member] = base64.b64encode(content).decode("ascii")
    secrets = params["secrets"].get(entry["kind"], {}).get(entry["id"], {})
    return {**entry, "declared": {**declared, **secrets}}


def _awaited(answer: Answer) -> Answer | None:
    """The first step of this host that waits for somebody; a doubt is waited for by nobody."""
    waits = [result.get("waits_for") or {} for result in answer["results"]]
    return next((wait for wait in waits if wait.get("operation") and "who" in wait), None)


def _joined(before: Answer, answer: Answer) -> Answer:
    """The last answer, with what was done since the first one, be it by somebody else."""
    results = []
    for first, last in zip(before["results"], answer["results"]):
        has_ended = not (last.get("waits_for") or last.get("problem"))
        went_on = bool(first.get("waits_for")) and has_ended
        changed = first["changed"] or last["changed"] or went_on
        steps = [*first["steps"], *last["steps"]]
        results.append({**last, "changed": changed, "before": first["before"], "steps": steps})
    return {**answer, "results": results}
