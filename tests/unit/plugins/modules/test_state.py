# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module license_state makes of an agent's answers."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem
from ansible_collections.seatkeeper.licensing.plugins.module_utils._state import run_state

PARAMS: dict[str, t.Any] = {
    "declarations": [],
    "documents": [],
    "evidence": [],
    "records": [],
    "look": True,
    "dry_run": False,
    "files": {},
    "secrets": {},
    "wait_timeout": 0,
}


class Client:
    """An agent that answers as the test says."""

    def __init__(self, answer: dict[str, t.Any]) -> None:
        self.answer = answer
        self.sent: list[dict[str, t.Any]] = []

    def change(
        self, method: str, path: str, body: dict[str, t.Any], dry_run: bool
    ) -> dict[str, t.Any]:
        assert (method, path, dry_run) == ("PUT", "/v2/state", False)
        self.sent.append(body)
        if "code" in self.answer:
            raise LicenseProblem(self.answer)
        return self.answer


def run(answer: dict[str, t.Any], check_mode: bool = False) -> tuple[dict[str, t.Any], bool]:
    """The module's result, and whether the agent was asked for a plan only."""
    client = Client(answer)
    result = run_state(PARAMS, t.cast(t.Any, client), check_mode)
    return result, client.sent[0]["dry_run"]


def test_a_plan_is_no_change_and_check_mode_always_plans() -> None:
    answer = {"results": [{"changed": True}], "documents": []}
    assert run(answer)[0]["changed"] is True
    result, was_plan = run(answer, check_mode=True)
    assert (result["changed"], was_plan) == (False, True)


def test_an_agent_of_an_older_release_is_said_to_be_one() -> None:
    refused = {"code": "route-unknown", "detail": "No such route.", "next_action": "Look."}
    with pytest.raises(LicenseProblem, match=r"of an older release.*Update seatkeeper-agent"):
        run(refused)
    with pytest.raises(LicenseProblem, match="Not now"):
        run({"code": "container-busy", "detail": "Not now.", "next_action": "Wait."})
