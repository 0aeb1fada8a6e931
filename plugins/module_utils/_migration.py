# SPDX-License-Identifier: GPL-3.0-or-later
"""A dongle's licenses moved to an account: planned, confirmed, waited for, or refused."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._client import (
    AgentClient,
    path_of,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._dongles import MIGRATING_VENDOR
from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import migration_id
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem
from ansible_collections.seatkeeper.licensing.plugins.module_utils._reports import (
    readable,
    report_table,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._waiting import (
    request_with_retries,
    waiting_members,
)

Params = t.Dict[str, t.Any]
Result = t.Dict[str, t.Any]


def run_migration(params: Params, client: AgentClient, check_mode: bool) -> Result:
    """Migrate the dongle, or give up what has not begun; the module's whole result."""
    path = path_of("migrations", migration_id(MIGRATING_VENDOR, params["dongle"]))
    if params["state"] == "absent":
        return _given_up(params, client, path, check_mode)
    body = {
        "dongle": params["dongle"],
        "target_user": params["target_user"],
        "isolate": params["isolate"],
        "licenses": _held(params["licenses"]),
        "plan_digest": params["plan_digest"],
        "acknowledgement": params["acknowledge_irreversible"],
        "due_after": params["due_after"],
        "dongle_company": params["dongle_company"],
        "account_company": params["account_company"],
    }
    patience = 0 if check_mode else params["wait_timeout"]
    try:
        answer = request_with_retries(
            client, lambda: client.change("PUT", path, body, check_mode), patience
        )
    except LicenseProblem as problem:
        raise _readable(problem) from problem
    return _result(params, answer)


def _held(licenses: list[dict[str, t.Any]] | None) -> list[dict[str, t.Any]] | None:
    if licenses is None:
        return None
    members = ("product", "version", "perpetual")
    held = []
    for entry in licenses:
        seats = {kind: n for kind, n in (entry.get("seats") or {}).items() if n is not None}
        held.append({**{member: entry[member] for member in members}, "seats": seats or None})
    return held


def _given_up(params: Params, client: AgentClient, path: str, check_mode: bool) -> Result:
    known = client.find(path)
    if known is None:
        return _shaped(params, {"changed": False, "before": None, "after": None})
    answer = client.change("DELETE", path, None, check_mode)
    migration = answer["migration"]
    return _shaped(
        params,
        {
            "changed": answer["changed"],
            "migration": migration,
            "before": {"state": known["state"]},
            "after": {"state": "failed" if answer["changed"] else migration["state"]},
        },
    )


def _result(params: Params, answer: dict[str, t.Any]) -> Result:
    result = _shaped(params, answer)
    migration = answer.get("migration") or {}
    if answer["changed"]:
        result["warnings"] += [str(note["text"]) for note in migration.get("notes") or ()]
        if migration.get("comparison") == "differs":
            result["warnings"].append(
                f"The account did not gain what the dongle {params['dongle']} is declared to have"
                f" held: {'; '.join(migration['differences'])}. Compare what it gained with the"
                " vendor's order before anything else."
            )
    return result


def _shaped(params: Params, answer: dict[str, t.Any]) -> Result:
    plan = answer.get("plan") or {}
    report = answer.get("report")
    name = f"dongle {params['dongle']}"
    return {
        "changed": answer["changed"],
        "report": report,
        "report_table": [] if report is None else report_table(report["rules"]),
        "plan": answer.get("plan"),
        "digest": plan.get("digest"),
        "acknowledgement": plan.get("acknowledgement"),
        "migration": answer.get("migration"),
        "operation": answer.get("operation"),
        "before": answer["before"],
        "after": answer["after"],
        **waiting_members(answer),
        "diff": {
            "before_header": f"{name}, before",
            "after_header": f"{name}, after",
            "before": answer["before"] or {},
            "after": answer["after"] or {},
        },
    }


def _readable(problem: LicenseProblem) -> LicenseProblem:
    """The refusal with its rules, and where the page as it was is to be seen."""
    picture = problem.document.get("screenshot")
    seen = [] if picture is None else [f"The page as it was is on the host, in {picture}."]
    return readable(problem, seen)
