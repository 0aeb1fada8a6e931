# SPDX-License-Identifier: GPL-3.0-or-later
"""A declared borrow between hosts, and which product a declaration is for."""

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
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    INPUT_INVALID,
    LicenseProblem,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._server_borrow import (
    run_server_borrow,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._transfer import place

Params = t.Dict[str, t.Any]

_OPTIONS_OF: t.Final = {
    "codemeter": ("item", "source", "source_container", "target", "target_container"),
    "chaos": ("product", "auto_renew"),
}


def run_borrow(params: Params, client: AgentClient, check_mode: bool) -> dict[str, t.Any]:
    """Declare the borrow where the vendor has it declared; the module's whole result."""
    for vendor, options in _OPTIONS_OF.items():
        given = [option for option in options if params[option] is not None]
        if vendor != params["vendor"] and given:
            raise LicenseProblem.of(
                INPUT_INVALID,
                f"The option {given[0]} is for the vendor {vendor}, the borrow {params['name']} is"
                f" declared for {params['vendor']}.",
                f"Leave {given[0]} out, or set vendor to {vendor}.",
            )
    if params["vendor"] == "chaos":
        return run_server_borrow(params, client, check_mode)
    return _between_hosts(params, client, check_mode)


def _between_hosts(params: Params, client: AgentClient, check_mode: bool) -> dict[str, t.Any]:
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
