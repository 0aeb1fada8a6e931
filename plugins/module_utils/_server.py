# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared of a license server, and what the agent says about it."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._client import (
    AgentClient,
    path_of,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    INPUT_INVALID,
    LicenseProblem,
)

Params = t.Dict[str, t.Any]
Settings = t.Dict[str, t.Dict[str, str]]


def run_server(params: Params, client: AgentClient, check_mode: bool) -> dict[str, t.Any]:
    """Declare settings, dongle service and version; the module's whole result."""
    path = path_of("servers", params["vendor"])
    body: dict[str, t.Any] = {"settings": settings_as_texts(params["settings"])}
    for member in ("dongle_service", "version_min"):
        if params[member] is not None:
            body[member] = params[member]
    if params["state"] is not None:
        body["running"] = params["state"] == "started"
    answer = client.change("PUT", path, body, check_mode)
    name = f"license server {params['vendor']}"
    notes = list(answer.get("notes") or ())
    return {
        "changed": answer["changed"],
        "server": client.get(path),
        "before": answer["before"],
        "after": answer["after"],
        "plan": answer["plan"],
        "notes": notes,
        "operation": answer.get("operation"),
        "warnings": notes,
        "diff": {
            "before_header": f"{name}, before",
            "after_header": f"{name}, after",
            "before": answer["before"],
            "after": answer["after"],
        },
    }


def settings_as_texts(settings: dict[str, t.Any]) -> Settings:
    """Sections of keys as the product writes them, where every value is a text."""
    found: Settings = {}
    for section, keys in settings.items():
        if not isinstance(keys, dict):
            raise _invalid(f"The section {section} of settings is not a dictionary of keys.")
        found[str(section)] = {
            str(key): _text(f"{section}.{key}", value) for key, value in keys.items()
        }
    return found


def _text(name: str, value: t.Any) -> str:
    # YAML reads 'yes' as true; which word the product has for it is not known here.
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return str(value)
    raise _invalid(f"The value of {name} in settings is neither a text nor a number.")


def _invalid(detail: str) -> LicenseProblem:
    return LicenseProblem.of(
        INPUT_INVALID, detail, "Write sections, keys and values as the product does, in quotes."
    )
