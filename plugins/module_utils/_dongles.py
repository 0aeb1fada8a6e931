# SPDX-License-Identifier: GPL-3.0-or-later
"""The license dongles of a host, and the vendor's rules for moving what is on them."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._client import (
    AgentClient,
    path_of,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._reports import report_table

MIGRATING_VENDOR = "chaos"
"""The vendor that documents how licenses leave a dongle for an account."""


def read_dongles(client: AgentClient) -> dict[str, t.Any]:
    """``dongles``, where they were read (``source``), and what kept them from being read."""
    answer = client.get(path_of("dongles"))
    return {
        "dongles": answer["dongles"],
        "source": answer.get("source"),
        "usb_problem": answer.get("problem"),
    }


def usb_warnings(found: dict[str, t.Any]) -> list[str]:
    """An empty list of dongles must not pass for a host without dongles."""
    problem = found["usb_problem"]
    if problem is None:
        return []
    return [f"{problem.get('detail', '')} {problem.get('next_action', '')}".strip()]


def run_dongles(
    params: dict[str, t.Any], client: AgentClient, _check_mode: bool
) -> dict[str, t.Any]:
    """List the dongles, with the report of each if it is asked for; the whole result."""
    found = read_dongles(client)
    dongles = found["dongles"]
    if params["eligibility"]:
        dongles = [_with_report(dongle, params, client) for dongle in dongles]
    return {"changed": False, **found, "dongles": dongles, "warnings": usb_warnings(found)}


def _with_report(
    dongle: dict[str, t.Any], params: dict[str, t.Any], client: AgentClient
) -> dict[str, t.Any]:
    report = None
    if dongle["vendor"] == MIGRATING_VENDOR:
        query = {
            "target_user": params["target_user"],
            "isolate": "true" if params["isolate"] else None,
        }
        report = client.get(path_of("dongles", dongle["id"], "eligibility"), query)
    lines = [] if report is None else report_table(report["rules"])
    return {**dongle, "eligibility": report, "eligibility_table": lines}
