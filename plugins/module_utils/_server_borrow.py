# SPDX-License-Identifier: GPL-3.0-or-later
"""Seats that a license server borrows of its online account, for use without internet."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._client import (
    AgentClient,
    path_of,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import (
    borrow_id,
    instant,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._waiting import (
    request_with_retries,
    waiting_members,
)

Params = t.Dict[str, t.Any]

_SHOWN = ("seats", "until", "auto_renew")


def run_server_borrow(params: Params, client: AgentClient, check_mode: bool) -> dict[str, t.Any]:
    """Declare the borrow at the license server; the module's whole result."""
    identity = params["borrow_id"] or borrow_id(params["name"])
    path = path_of("servers", params["vendor"], "borrows", identity)
    present = params["state"] == "present"
    until = params["until"]
    if not present and until is None:
        known = client.find(path)
        if known is None:
            return _nothing_borrowed()
        until = known["until"]
    body = {
        "name": params["name"],
        "product": params["product"],
        "seats": params["seats"] if present else 0,
        "until": instant("until", until),
        "auto_renew": bool(params["auto_renew"]) and present,
    }
    patience = 0 if check_mode else params["wait_timeout"]
    answer = request_with_retries(
        client, lambda: client.change("PUT", path, body, check_mode), patience
    )
    return _result(params, answer)


def _result(params: Params, answer: dict[str, t.Any]) -> dict[str, t.Any]:
    name = f"{params['product']} (borrow {params['name']})"
    return {
        "changed": answer["changed"],
        "borrow": answer["borrow"],
        "transfers": [],
        "before": answer["before"],
        "after": answer["after"],
        "plan": answer.get("plan"),
        "operation": answer.get("operation"),
        **waiting_members(answer),
        "diff": {
            "before_header": f"{name}, before",
            "after_header": f"{name}, after",
            "before": _shown(answer["before"]),
            "after": _shown(answer["after"]),
        },
    }


def _nothing_borrowed() -> dict[str, t.Any]:
    nothing: dict[str, t.Any] = {"seats": 0, "until": None, "auto_renew": False}
    return {
        "changed": False,
        "borrow": None,
        "transfers": [],
        "before": nothing,
        "after": nothing,
        "plan": None,
        "operation": None,
        "waiting": [],
        "diff": {"before": {}, "after": {}},
    }


def _shown(state: dict[str, t.Any] | None) -> dict[str, t.Any]:
    return {member: (state or {}).get(member) for member in _SHOWN}
