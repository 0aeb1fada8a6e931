# SPDX-License-Identifier: GPL-3.0-or-later
"""The client follows pages and long work, survives a restart, and says which side is too old."""

from __future__ import annotations

import time
import typing as t
from contextlib import contextmanager

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils import _client
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem
from ansible_collections.seatkeeper.licensing.plugins.module_utils._transport import (
    UnixSocketTransport,
)
from ansible_collections.seatkeeper.licensing.tests.unit.plugins.unix_server import (
    Hangup,
    Script,
    Seen,
    UnixServer,
    problem,
    serving,
)


@contextmanager
def asking(
    script: Script, timeout_seconds: float = 20.0
) -> t.Iterator[tuple[_client.AgentClient, UnixServer]]:
    with serving(script) as server:
        transport = UnixSocketTransport(str(server.path))
        yield _client.AgentClient(transport, timeout_seconds), server


def in_turn(*answers: t.Any) -> Script:
    """A script that gives one answer after the other; an exception class is raised."""
    left = list(answers)

    def script(_seen: Seen) -> t.Any:
        answer = left.pop(0)
        if isinstance(answer, type):
            raise answer
        return answer

    return script


def agent(api_version: t.Any) -> dict[str, t.Any]:
    return {"agent": {"name": "old-server", "api_version": api_version}}


def test_pages_are_read_to_the_end() -> None:
    def script(seen: Seen) -> t.Any:
        start = int(seen.query.get("after", 0))
        following = start + 100 if start + 100 < 250 else None
        entries = [{"serial": n} for n in range(start, min(start + 100, 250))]
        return {"containers": entries, "next": following}

    with asking(script) as (client, server):
        found = client.pages("/v1/containers", "containers")
    assert [entry["serial"] for entry in found] == list(range(250))
    assert len(server.seen) == 3


def test_pages_without_an_end_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_client, "PAGES_MAX", 5)
    endless = {"containers": [], "next": "again"}
    with (
        asking(lambda _seen: endless) as (client, _server),
        pytest.raises(LicenseProblem) as reported,
    ):
        client.pages("/v1/containers", "containers")
    assert "no end after 5 pages" in str(reported.value)


def test_a_change_says_that_it_waits_and_what_it_sends() -> None:
    with asking(lambda _seen: {"changed": True}) as (client, server):
        client.change("POST", "/v1/transfers/x/issue", {"document": None}, dry_run=True)
    seen = server.seen[0]
    assert seen.query == {"dry_run": "true"}
    assert seen.headers["Prefer"].startswith("wait=")
    assert seen.body == {"document": None}


def test_long_work_is_followed_to_its_result() -> None:
    running = {"id": "op-1", "state": "running", "problem": None, "result": None}
    done = {**running, "state": "done", "result": {"changed": True}}
    script = in_turn((202, {"operation": running}), running, done)
    with asking(script) as (client, server):
        answer = client.change("POST", "/v1/transfers/x/issue", {}, dry_run=False)
    assert answer == {"changed": True}
    assert [seen.path for seen in server.seen[1:]] == ["/v1/operations/op-1"] * 2


def test_work_that_a_restart_forgot_is_asked_for_again() -> None:
    running = {"id": "op-1", "state": "running", "problem": None, "result": None}
    started = (202, {"operation": running})
    gone = {**running, "state": "done"}
    script = in_turn(started, problem("operation-unknown", 404), started, gone, {"changed": False})
    with asking(script) as (client, _server):
        assert client.change("POST", "/v1/transfers/x/issue", {}, dry_run=False) == {
            "changed": False
        }


def test_long_work_that_fails_tells_its_problem() -> None:
    running = {"id": "op-1", "state": "running", "problem": None, "result": None}
    failed = {**running, "state": "in_doubt", "problem": problem("in-doubt")[1]}
    script = in_turn((202, {"operation": running}), failed)
    with asking(script) as (client, _server), pytest.raises(LicenseProblem) as reported:
        client.change("POST", "/v1/transfers/x/issue", {}, dry_run=False)
    assert reported.value.code == "in-doubt"


def test_work_longer_than_the_time_limit_goes_on_without_the_playbook() -> None:
    running = {"id": "op-1", "state": "running", "problem": None, "result": None}

    def script(seen: Seen) -> t.Any:
        time.sleep(0.1)
        return (202, {"operation": running}) if seen.method == "POST" else running

    with asking(script, 3) as (client, _server), pytest.raises(LicenseProblem) as reported:
        client.change("POST", "/v1/transfers/x/issue", {}, dry_run=False)
    assert reported.value.code == "agent-timeout"
    assert "op-1" in str(reported.value)


def test_a_lost_answer_is_asked_for_again() -> None:
    script = in_turn(Hangup, Hangup, {"changed": False})
    with asking(script) as (client, server):
        answer = client.change("POST", "/v1/transfers/x/issue", {"document": 1}, dry_run=False)
    assert answer == {"changed": False}
    assert [seen.body for seen in server.seen] == [{"document": 1}] * 3


def test_an_agent_that_is_overloaded_for_a_moment_is_asked_again() -> None:
    script = in_turn(problem("agent-overloaded", 503), {"changed": False})
    with asking(script) as (client, server):
        assert client.change("POST", "/v1/transfers/x/issue", {}, False) == {"changed": False}
    assert len(server.seen) == 2


def test_what_else_is_unavailable_is_told_at_once() -> None:
    script = in_turn(problem("runtime-unavailable", 503))
    with asking(script) as (client, server), pytest.raises(LicenseProblem) as reported:
        client.get("/v1/containers")
    assert (reported.value.code, len(server.seen)) == ("runtime-unavailable", 1)


def test_an_agent_that_stays_away_is_given_up() -> None:
    def hang_up(_seen: Seen) -> t.Any:
        raise Hangup

    with asking(hang_up, 1.0) as (client, _server), pytest.raises(LicenseProblem) as reported:
        client.get("/v1/agent")
    assert reported.value.code == "agent-lost"
    assert reported.value.document["retryable"]


def test_a_problem_is_passed_on_whole() -> None:
    script = in_turn(problem("not-enough"))
    with asking(script) as (client, _server), pytest.raises(LicenseProblem) as reported:
        client.change("POST", "/v1/transfers/x/issue", {}, dry_run=False)
    assert reported.value.document == problem("not-enough")[1]
    assert str(reported.value) == "Told about not-enough. Do something about it."


def test_what_is_unknown_is_not_found() -> None:
    with asking(lambda _seen: problem("transfer-unknown", 404)) as (client, _server):
        assert client.find("/v1/transfers/x") is None


@pytest.mark.parametrize(
    ("version", "sentence"),
    [(0, "is too old: it speaks version 0"), (2, "is too new: it speaks version 2")],
)
def test_a_difference_in_versions_is_said(version: int, sentence: str) -> None:
    def script(seen: Seen) -> t.Any:
        return agent(version) if seen.path == "/v1/agent" else problem("route-unknown", 404)

    with asking(script) as (client, _server), pytest.raises(LicenseProblem) as reported:
        client.get("/v1/borrows")
    assert reported.value.code == "agent-version"
    assert sentence in str(reported.value)


def test_the_same_version_leaves_the_problem_alone() -> None:
    def script(seen: Seen) -> t.Any:
        return agent(1) if seen.path == "/v1/agent" else problem("request-invalid", 422)

    with asking(script) as (client, _server), pytest.raises(LicenseProblem) as reported:
        client.get("/v1/borrows")
    assert reported.value.code == "request-invalid"


def test_another_program_on_the_socket_is_no_agent() -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<h1>"
    with asking(lambda _seen: page) as (client, _server), pytest.raises(LicenseProblem) as reported:
        client.get("/v1/agent")
    assert reported.value.code == "agent-unknown"
    assert "text/html" in str(reported.value)
