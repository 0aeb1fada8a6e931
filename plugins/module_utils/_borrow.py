# SPDX-License-Identifier: GPL-3.0-or-later
"""A declared borrow: the question to the borrower's agent and what is told about its answer."""

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
from ansible_collections.seatkeeper.licensing.plugins.module_utils._transfer import place

Params = t.Dict[str, t.Any]


def run_borrow(params: Params, client: AgentClient, check_mode: bool) -> dict[str, t.Any]:
    """Declare the borrow at the borrower; the module's whole result."""
    path = path_of("borrows", params["borrow_id"] or borrow_id(params["name"]))
    present = params["state"] == "present"
    until = params["until"]
    if not present and until is None:
        known = client.find(path)
        if known is None:
            return _nothing_borrowed()
        until = known["until"]
    body = {
        "name": params["name"],
        "item": params["item"],
        "type": params["type"],
        "source": place(params, "source"),
        "target": place(params, "target"),
        "seats": params["seats"] if present else 0,
        "until": instant("until", until),
    }
    answer = client.change("PUT", path, body, check_mode)
    end = f"{params['target']} (borrower of {params['name']})"
    return {
        "changed": answer["changed"],
        "borrow": answer["borrow"],
        "transfers": answer["transfers"],
        "before": answer["before"],
        "after": answer["after"],
        "diff": {
            "before_header": f"{end}, before",
            "after_header": f"{end}, after",
            "before": _shown(answer["before"]),
            "after": _shown(answer["after"]),
        },
    }


def _nothing_borrowed() -> dict[str, t.Any]:
    nothing: dict[str, t.Any] = {"seats": 0, "until": None, "lots": []}
    return {
        "changed": False,
        "borrow": None,
        "transfers": [],
        "before": nothing,
        "after": nothing,
        "diff": {"before": {}, "after": {}},
    }


def _shown(state: dict[str, t.Any] | None) -> dict[str, t.Any]:
    return {member: (state or {}).get(member) for member in ("seats", "until")}
