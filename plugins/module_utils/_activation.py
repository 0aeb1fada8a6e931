# SPDX-License-Identifier: GPL-3.0-or-later
"""Activation of a license server, online by password and offline by two files."""

from __future__ import annotations

import base64
import binascii
import re
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._client import (
    AgentClient,
    path_of,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._files import (
    read_file,
    write_file,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    AGENT_UNKNOWN,
    INPUT_INVALID,
    LicenseProblem,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._waiting import waiting_members

Params = t.Dict[str, t.Any]
Result = t.Dict[str, t.Any]

VENDOR = "chaos"
_DIGEST: t.Final = re.compile(r"[0-9a-f]{64}")
_SHOWN = ("activated", "method", "account")


def run_online(params: Params, client: AgentClient, check_mode: bool) -> Result:
    """Activate with an account, or deactivate; the module's whole result."""
    if params["state"] == "deactivated":
        return _deactivated(params, client, check_mode)
    if not params["password"]:
        raise LicenseProblem.of(
            INPUT_INVALID,
            f"The password of the account {params['account']} is empty.",
            "See whether the variable or vault that it comes from is set in this run.",
        )
    body = {"account": params["account"], "password": params["password"]}
    if params["already_active"]:
        body["already_active"] = True
    return _result(client.change("PUT", _path(), body, check_mode))


def run_offline(params: Params, client: AgentClient, check_mode: bool) -> Result:
    """One half of an exchange by files, or the end of the activation; the whole result."""
    if params["state"] == "deactivated":
        return {**_deactivated(params, client, check_mode), "request": None, "digest": None}
    if params["state"] == "requested":
        return _requested(params, client, check_mode)
    return _answered(params, client, check_mode)


def _require_digest(digest: t.Any) -> None:
    """It becomes a part of a file's name on the controller."""
    if digest is not None and not (isinstance(digest, str) and _DIGEST.fullmatch(digest)):
        raise LicenseProblem.of(
            AGENT_UNKNOWN,
            "The agent sent something else than the digest of its request.",
            "Update seatkeeper-agent and the collection to the same release, or find out who"
            " answers there.",
        )


def _requested(params: Params, client: AgentClient, check_mode: bool) -> Result:
    answer = client.change("POST", _path("request"), {}, check_mode)
    _require_digest(answer["digest"])
    written = False
    if params["request_path"] is not None and answer["request"] is not None:
        content = _decoded("The request that the agent sent", answer["request"])
        written = write_file(params["request_path"], content, check_mode)
    activation = client.get(_path())
    shown = {"request_digest": answer["digest"]}
    return {
        "changed": answer["changed"] or written,
        "request": answer["request"],
        "digest": answer["digest"],
        "requested_at": answer["requested_at"],
        "request_path": params["request_path"],
        "activation": activation,
        "before": activation,
        "after": activation,
        "plan": None,
        "operation": None,
        "waiting": [],
        "diff": _difference(
            {"request_digest": None} if answer["changed"] else shown,
            {"request_digest": answer["digest"] or "a new request"} if answer["changed"] else shown,
        ),
    }


def _answered(params: Params, client: AgentClient, check_mode: bool) -> Result:
    path = params["answer_path"]
    if path is not None:
        content = read_file(path)
    elif params["answer"] is not None:
        content = _decoded("The value of answer", params["answer"])
    else:
        content = None
    if content is None:
        return _without_answer(params, client)
    body = {
        "answer": base64.b64encode(content).decode("ascii"),
        "request_digest": params["request_digest"],
    }
    answer = client.change("POST", _path("response"), body, check_mode)
    return {**_result(answer), "request": None, "digest": params["request_digest"]}


def _without_answer(params: Params, client: AgentClient) -> Result:
    """Nothing can be done without the answer file; nothing has to be once it was used."""
    activation = client.get(_path())
    path = params["answer_path"]
    where = "there is no answer to the request" if path is None else f"there is no file {path}"
    instructions = params["instructions"] or [
        "Have the request answered on the vendor's account page",
        f"Put the answer file at {path}",
        "Run the playbook again",
    ]
    waits = []
    if not activation["activated"]:
        # A dry run makes no request and tells of the one that there is.
        requested = client.change("POST", _path("request"), {}, True)
        waits.append(
            {
                "operation": None,
                "kind": "activation",
                "subject": f"activation of {VENDOR}",
                "step": "answer",
                "title": f"{where} yet",
                "reversible": True,
                "who": "person",
                "instructions": instructions,
                "verified_by": "The server's status shows online licensing once it is used.",
                "attestable": False,
                "since": requested["requested_at"],
                "until": None,
                "overdue": False,
            }
        )
    unchanged = {"changed": False, "before": activation, "after": activation, "waiting": waits}
    return {**_result(unchanged), "request": None, "digest": activation.get("request_digest")}


def _deactivated(params: Params, client: AgentClient, check_mode: bool) -> Result:
    answer = client.change("DELETE", _path(), None, check_mode, params["plan_digest"])
    reported = _result(answer)
    notes = list(answer.get("notes") or ())
    if answer.get("digest") is not None:
        notes.append(f"What confirms giving it up all the same is {answer['digest']}.")
    return {**reported, "warnings": [*reported["warnings"], *notes]}


def _result(answer: dict[str, t.Any]) -> Result:
    return {
        "changed": answer["changed"],
        "activation": answer["after"],
        "before": answer["before"],
        "after": answer["after"],
        "plan": answer.get("plan"),
        "operation": answer.get("operation"),
        **waiting_members(answer),
        "diff": _difference(_shown(answer["before"]), _shown(answer["after"])),
    }


def _difference(before: dict[str, t.Any], after: dict[str, t.Any]) -> dict[str, t.Any]:
    name = f"activation of {VENDOR}"
    return {
        "before_header": f"{name}, before",
        "after_header": f"{name}, after",
        "before": before,
        "after": after,
    }


def _shown(activation: dict[str, t.Any] | None) -> dict[str, t.Any]:
    return {member: (activation or {}).get(member) for member in _SHOWN}


def _decoded(what: str, text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise LicenseProblem.of(
            INPUT_INVALID,
            f"{what} is not the content of a file as ansible.builtin.slurp gives it.",
            "Give the path of the file as answer_path, or what slurp has read of it.",
        ) from None


def _path(*parts: str) -> str:
    return path_of("servers", VENDOR, "activation", *parts)
