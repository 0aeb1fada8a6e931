# SPDX-License-Identifier: GPL-3.0-or-later
"""One leg of a transfer: the question to the agent and what the module tells about its answer."""

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
from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import (
    instant,
    transfer_id,
    transfer_reference,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem

Params = t.Dict[str, t.Any]
Result = t.Dict[str, t.Any]


def place(params: Params, side: str) -> dict[str, t.Any]:
    """One end of a transfer or borrow as the agent reads it."""
    return {"agent": params[side], "container": params[f"{side}_container"]}


def declaration(params: Params) -> dict[str, t.Any]:
    """What both hosts are told about the transfer."""
    until = params["until"]
    parent = params["parent"]
    return {
        "name": params["name"],
        "item": params["item"],
        "type": params["type"],
        "mode": params["mode"],
        "source": place(params, "source"),
        "target": place(params, "target"),
        "quantity": params["quantity"],
        "until": None if until is None else instant("until", until),
        "parent": None if parent is None else transfer_reference(parent),
    }


def run_transfer(params: Params, client: AgentClient, check_mode: bool) -> Result:
    """Do one leg, or void the transfer; the module's whole result."""
    identity = params["transfer_id"] or transfer_id(params["name"])
    if params["state"] == "absent":
        return _void(client, identity, check_mode)
    return _leg(params, client, identity, check_mode)


def _void(client: AgentClient, identity: str, check_mode: bool) -> Result:
    path = path_of("transfers", identity)
    before = client.find(path)
    if before is None:
        return {"changed": False, "transfer": None, "diff": {"before": {}, "after": {}}}
    answer = client.change("DELETE", path, None, check_mode)
    after = answer["transfer"]
    return {
        "changed": answer["changed"],
        "transfer": after,
        "diff": {
            "before_header": f"{_end(before)}, before",
            "after_header": f"{_end(before)}, after",
            "before": {"state": before.get("state")},
            "after": {"state": "void" if answer["changed"] else after.get("state")},
        },
    }


def _leg(params: Params, client: AgentClient, identity: str, check_mode: bool) -> Result:
    document = params["document"]
    missing = None
    if params["document_file"] is not None:
        document = read_document(params["document_file"])
        missing = params["document_file"] if document is None else None
    body = {
        "transfer": declaration(params),
        "document": document,
        "decision": params["decision"],
        "update_counter": params["update_counter"],
        "facts": params["facts"],
    }
    # An older agent does not know these members: it is given those that are needed.
    for name in ("evidence", "plan_digest"):
        if params[name] is not None:
            body[name] = params[name]
    try:
        path = path_of("transfers", identity, params["leg"])
        answer = client.change("POST", path, body, check_mode)
    except LicenseProblem as problem:
        if missing is not None and problem.code == "leg-out-of-order":
            return _waiting(params, missing)
        raise
    # A dry run predicts a leg without its document; the run itself would have to wait for it.
    if check_mode and missing is not None and answer["changed"]:
        return _waiting(params, missing)
    return _result(params, answer, check_mode)


def _waiting(params: Params, path: str) -> Result:
    return {
        "changed": False,
        "waiting": True,
        "msg": f"The leg {params['leg']} of transfer {params['name']} waits for the file {path}.",
        "transfer": None,
        "before": None,
        "after": None,
        "plan": None,
        "facts": None,
        "document": None,
        "operation": None,
        "diff": {"before": {}, "after": {}},
    }


def _result(params: Params, answer: dict[str, t.Any], check_mode: bool) -> Result:
    written = False
    destination = params["document_dest"]
    if destination is not None and answer["document"] is not None:
        written = write_document(destination, answer["document"], check_mode)
    side = "source" if params["leg"] in ("issue", "confirm") else "target"
    held = answer["before"]["items"]
    end = f"{params[side]} ({side}, container {held[0]['container'] if held else 'none'})"
    return {
        "changed": answer["changed"] or written,
        "waiting": False,
        "transfer": answer["transfer"],
        "before": _held(answer["before"]),
        "after": _held(answer["after"]),
        "plan": answer["plan"],
        "facts": answer["facts"],
        "document": answer["document"],
        "operation": answer["operation"],
        "diff": {
            "before_header": f"{end}, before {params['leg']} of {params['name']}",
            "after_header": f"{end}, after {params['leg']} of {params['name']}",
            "before": _shown(answer["before"]["items"]),
            "after": _shown(answer["after"]["items"]),
        },
    }


def _held(side: dict[str, t.Any]) -> dict[str, t.Any]:
    """What a side holds, under a name that a template reaches with a dot."""
    return {"license_items": side["items"]}


def _end(record: dict[str, t.Any]) -> str:
    side = record["side"]
    end = record[side]
    return f"{end['agent']} ({side}, container {end['container']})"


def _shown(items: list[dict[str, t.Any]]) -> dict[str, dict[str, t.Any]]:
    """Items as a diff shows them: what a person counts, by the codes of the item."""
    members = ("seats", "units", "borrowed_seats")
    return {item["item"]: {member: item[member] for member in members} for item in items}
