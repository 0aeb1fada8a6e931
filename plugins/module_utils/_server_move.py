# SPDX-License-Identifier: GPL-3.0-or-later
"""License servers that move to another machine: backups, profiles, and the legs of a move."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._client import (
    AgentClient,
    path_of,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._documents import (
    read_document,
    write_document,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import move_id
from ansible_collections.seatkeeper.licensing.plugins.module_utils._license_names import called
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

CODE_LEGS: t.Final = ("install", "restore")
"""The legs that activate licenses."""
LOST_LEGS: t.Final = ("prepare", "install")
"""Those that a move has whose source is lost."""
_DECLARED = ("name", "vendor", "source", "target", "target_host", "source_lost")


def run_backup(params: Params, client: AgentClient, check_mode: bool) -> Result:
    """Back the server up; the module's whole result."""
    path = path_of("servers", params["vendor"], "backup")
    body = {"licenses": _licenses(params["licenses"])}
    known = client.get(path)["backup"]
    answer = client.change("PUT", path, body, check_mode)
    written = _written(params["dest"], answer["backup"], check_mode)
    name = f"backup of {params['vendor']}"
    return {
        "changed": answer["changed"] or written,
        "backup": answer["backup"],
        "path": params["dest"],
        "before": answer["before"],
        "after": answer["after"],
        "diff": {
            "before_header": f"{name}, before",
            "after_header": f"{name}, after",
            "before": _untimed(known),
            "after": _untimed(answer["backup"]),
        },
    }


def _untimed(backup: dict[str, t.Any] | None) -> dict[str, t.Any]:
    """When it was made is no part of what a server is."""
    return {key: value for key, value in (backup or {}).items() if key != "made_at"}


def run_profile(params: Params, client: AgentClient, check_mode: bool) -> Result:
    """Link a profile to its license; the module's whole result."""
    path = path_of("servers", params["vendor"], "profiles", params["name"])
    body = {"license": params["license"], "state": params["state"]}
    patience = 0 if check_mode else params["wait_timeout"]
    answer = request_with_retries(
        client, lambda: client.change("PUT", path, body, check_mode), patience
    )
    name = f"profile {params['name']}"
    return {
        "changed": answer["changed"],
        "before": answer["before"],
        "after": answer["after"],
        "plan": answer["plan"],
        "operation": answer["operation"],
        **waiting_members(answer),
        "diff": {
            "before_header": f"{name}, before",
            "after_header": f"{name}, after",
            "before": answer["before"] or {},
            "after": answer["after"] or {},
        },
    }


def run_move(params: Params, client: AgentClient, check_mode: bool) -> Result:
    """Do one leg, or give the move up; the module's whole result."""
    identity = move_id(params["name"])
    if params["state"] == "absent":
        return _given_up(params, client, identity, check_mode)
    path = path_of("moves", identity, "legs", params["leg"])
    body, missing = _leg_order(params)
    patience = 0 if check_mode else params["wait_timeout"]
    try:
        answer = request_with_retries(
            client, lambda: client.change("POST", path, body, check_mode), patience
        )
    except LicenseProblem as problem:
        if missing is not None and problem.code == "leg-out-of-order":
            return _waiting(params, missing)
        raise readable(problem) from problem
    # A dry run plans a leg without its document; the run itself would have to wait for it.
    if check_mode and missing is not None and answer["changed"]:
        return _waiting(params, missing)
    written = _written(params["document_dest"], answer["document"], check_mode)
    written |= _written(params["backup_dest"], answer["backup"], check_mode)
    return _result(params, {**answer, "changed": answer["changed"] or written})


def _leg_order(params: Params) -> tuple[dict[str, t.Any], str | None]:
    """What the agent is told, and the path of a file that is not there yet."""
    missing = None
    brought = {}
    for member in ("document", "backup"):
        brought[member] = params[member]
        path = params[f"{member}_file"]
        if path is not None:
            brought[member] = read_document(path)
            missing = path if brought[member] is None else missing
    body: dict[str, t.Any] = {
        "move": {member: params[member] for member in _DECLARED},
        "require": {
            key: value for key, value in (params["require"] or {}).items() if value is not None
        },
        "decision": params["decision"],
        "plan_digest": params["plan_digest"],
        "offline": params["offline"],
        "target_lost": params["target_lost"],
        **brought,
    }
    if params["evidence"] is not None:
        body["evidence"] = params["evidence"]
    licenses = params["licenses"] or []
    # A lost server that was never backed up has only what the inventory says of it.
    is_unbacked = params["source_lost"] and brought["backup"] is None
    if licenses and (params["leg"] == "backup" or (is_unbacked and params["leg"] in LOST_LEGS)):
        body["licenses"] = _licenses(licenses)
    if params["leg"] in CODE_LEGS and params["decision"] == "install":
        body["codes"] = [
            {"license": entry["number"], "code": entry["code"]}
            for entry in licenses
            if entry["code"]
        ]
    return body, missing


def _licenses(entries: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """What is backed up of licenses; of a code only whether it is at hand."""
    return [
        {
            "number": entry["number"],
            **({"name": entry["name"]} if entry.get("name") else {}),
            "profiles": list(entry["profiles"]),
            "has_code": bool(entry.get("code") or entry.get("has_code")),
        }
        for entry in entries
    ]


def _given_up(params: Params, client: AgentClient, identity: str, check_mode: bool) -> Result:
    path = path_of("moves", identity)
    if client.find(path) is None:
        return _result(params, _nothing())
    return _result(params, client.change("DELETE", path, None, check_mode))


def _nothing() -> Result:
    state = {"state": "none"}
    return {
        "changed": False,
        "move": None,
        "report": None,
        "backup": None,
        "document": None,
        "operation": None,
        "plan": {
            "digest": None,
            "confirmation_required": False,
            "warnings": [],
            "codes_needed": [],
            "steps": [],
        },
        "before": state,
        "after": state,
        "waiting": [],
    }


def _waiting(params: Params, path: str) -> Result:
    """A leg that can do nothing before somebody brings a file."""
    wait = {
        "operation": None,
        "kind": "server_move",
        "subject": f"move {params['name']!r}",
        "step": f"{params['leg']} document",
        "title": f"the file {path}, which the leg {params['leg']} needs, is not there yet",
        "reversible": True,
        "who": "person",
        "instructions": [
            f"Carry the file to {path}, from where the leg before wrote it",
            "Run the playbook again",
        ],
        "verified_by": "The file is there, signed by the other host.",
        "attestable": False,
        "since": None,
        "until": None,
        "overdue": False,
    }
    return _result(params, {**_nothing(), "waiting": [wait]})


def _result(params: Params, answer: Result) -> Result:
    name, plan, report = f"move {params['name']}", answer["plan"], answer["report"]
    waits = waiting_members(answer)
    return {
        "changed": answer["changed"],
        "move": answer["move"],
        "report": report,
        "report_table": [] if report is None else report_table(report["rules"]),
        "plan": plan,
        "digest": plan["digest"] if plan["confirmation_required"] else None,
        "backup": answer["backup"],
        "document": answer["document"],
        "operation": answer["operation"],
        "before": answer["before"],
        "after": answer["after"],
        "waiting": waits["waiting"],
        "warnings": [*waits["warnings"], *_orphaned(answer["move"])],
        "diff": {
            "before_header": f"{name}, before",
            "after_header": f"{name}, after",
            "before": answer["before"],
            "after": answer["after"],
        },
    }


def _orphaned(move: dict[str, t.Any] | None) -> list[str]:
    """The licenses that are active nowhere are named at once, with what helps."""
    return [
        f"License {called(entry['license'], entry.get('name'))} of move {(move or {})['name']} is"
        f" {'active nowhere' if entry['place'] == 'nowhere' else 'perhaps active nowhere'}."
        f" {' '.join(entry['advice'])}"
        for entry in (move or {}).get("adrift", ())
    ]


def _written(path: str | None, document: dict[str, t.Any] | None, check_mode: bool) -> bool:
    return path is not None and document is not None and write_document(path, document, check_mode)
