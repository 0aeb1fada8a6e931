# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is awaited is said before the wait, now and again during it, and what came of it is told."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils import _state
from ansible_collections.seatkeeper.licensing.plugins.module_utils._state import run_state

PARAMS: dict[str, t.Any] = {
    "declarations": [],
    "documents": [],
    "evidence": [],
    "records": [],
    "files": {},
    "secrets": {},
    "look": False,
    "dry_run": False,
    "wait_timeout": 600,
}
WAIT = {
    "operation": "op-1",
    "who": "person",
    "title": "borrowing 1 seat",
    "instructions": ["Open the page"],
    "verified_by": "The server shows it",
}


def result(**values: t.Any) -> dict[str, t.Any]:
    """One result of an answer."""
    usual = {"changed": False, "before": {"seats": 0}, "steps": [], "waits_for": None}
    return {**usual, **values}


class Client:
    """An agent whose person takes their time: it gives the answers one after the other."""

    def __init__(self, *answers: dict[str, t.Any]) -> None:
        self._answers = list(answers)
        self.followed: list[tuple[str, float]] = []
        self.said: list[str] = []

    def change(self, *_request: t.Any, **_more: t.Any) -> dict[str, t.Any]:
        return {"results": [self._answers.pop(0)], "documents": []}

    def follow_waiting(self, operation: str, seconds: float) -> None:
        self.followed.append((operation, seconds))

    def report(self, line: str) -> None:
        self.said.append(line)


def ran(client: Client, check_mode: bool = False, **params: t.Any) -> dict[str, t.Any]:
    return run_state({**PARAMS, **params}, t.cast(t.Any, client), check_mode)


def test_instructions_come_before_the_wait_and_stand_once() -> None:
    client = Client(result(waits_for=WAIT, changed=True), result(waits_for=WAIT), result())
    done = ran(client)
    assert [operation for operation, _seconds in client.followed] == ["op-1", "op-1"]
    assert all(0 < seconds <= _state.REPORT_SECONDS for _operation, seconds in client.followed)
    first, second = client.said
    assert "Waiting for a person: borrowing 1 seat. (1) Open the page" in first
    assert "Open the page" not in second
    assert second.startswith("Still waiting")
    assert done["changed"] is True
    assert done["results"][0]["before"] == {"seats": 0}


def test_what_somebody_did_meanwhile_is_a_change_of_this_run() -> None:
    client = Client(result(waits_for=WAIT), result(before={"seats": 1}))
    assert ran(client)["results"][0]["changed"] is True


def test_a_doubt_is_waited_for_by_nobody_and_what_fails_meanwhile_is_no_change() -> None:
    client = Client(result(waits_for={"operation": "op-1"}))
    assert ran(client)["results"][0]["waits_for"] == {"operation": "op-1"}
    assert (client.followed, client.said) == ([], [])
    failed = result(problem={"code": "step-failed"}, waits_for=None)
    assert ran(Client(result(waits_for=WAIT), failed))["changed"] is False


@pytest.mark.parametrize(("check_mode", "params"), [(True, {}), (False, {"wait_timeout": 0})])
def test_nobody_waits_who_is_not_to(check_mode: bool, params: dict[str, t.Any]) -> None:
    client = Client(result(waits_for=WAIT))
    ran(client, check_mode, **params)
    assert (client.followed, client.said) == ([], [])
