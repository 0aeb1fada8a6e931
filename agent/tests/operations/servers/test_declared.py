# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared settings, the dongle service and the lowest version of a server without restarts."""

from __future__ import annotations

import pytest

from seatkeeper_agent.domain.problems import ProblemCode
from seatkeeper_agent.domain.records import OperationState
from seatkeeper_agent.operations.ports import DriverRefused, DriverUnfinished

from .bench import Bench, refused

PROXY = {"proxy": {"host": "10.0.0.1"}}


def test_settings_are_made_so_without_a_restart(bench: Bench) -> None:
    """Only the named key changes; the second run changes and writes nothing."""
    assert bench.declare(settings=PROXY, dry_run=True)["changed"] is True
    assert (bench.server.calls, bench.head()[0]) == ([], 0)
    answer = bench.declare(settings=PROXY)
    assert (answer["changed"], answer["notes"]) == (True, [])
    assert answer["before"] == {"proxy": {"host": ""}}
    assert answer["after"] == PROXY
    assert [step["name"] for step in answer["plan"]["steps"]] == ["edit"]
    assert bench.server.tree["proxy"] == {"host": "10.0.0.1", "port": "1"}
    assert bench.server.calls == ["write"]
    head = bench.head()
    assert bench.declare(settings=PROXY)["changed"] is False
    assert (bench.server.calls, bench.head()) == (["write"], head)


def test_the_dongle_service_is_switched_both_ways(bench: Bench) -> None:
    """Beside settings it is one operation of two steps."""
    answer = bench.declare(settings=PROXY, dongle_service=True)
    assert answer["after"] == {**PROXY, "dongle": {"service": "enabled"}}
    assert bench.server.calls == ["write", "dongle on"]
    (operation,) = bench.operations()
    assert [step.name for step in operation.steps] == ["edit", "dongle_service"]
    answer = bench.declare(dongle_service=False)
    assert (answer["before"], answer["after"]) == (
        {"dongle": {"service": "enabled"}}, {"dongle": {"service": "disabled"}},
    )  # fmt: skip
    assert bench.declare(dongle_service=False)["changed"] is False
    assert bench.server.calls == ["write", "dongle on", "dongle off"]


def test_it_is_left_off_for_a_reason_that_is_told(bench: Bench) -> None:
    """Only switching on is fought over; and settings beside it are made all the same."""
    bench.reason = "The vendor switched it off."
    answer = bench.declare(settings=PROXY, dongle_service=True)
    assert (answer["after"], answer["notes"]) == (PROXY, [bench.reason])
    bench.server.dongle_service = True
    assert bench.declare(dongle_service=True)["notes"] == []
    assert bench.declare(dongle_service=False)["changed"] is True


def test_a_service_that_the_status_does_not_tell_of_is_not_claimed(bench: Bench) -> None:
    """Neither is it tried."""
    bench.server.dongle_service = None
    problem = refused(bench.declare, dongle_service=True)
    assert problem.code is ProblemCode.RUNTIME_UNAVAILABLE
    assert "status does not tell" in problem.detail
    assert (bench.server.calls, bench.opened()) == ([], [])


@pytest.mark.parametrize(
    ("version", "floor", "is_fine"),
    [
        ("6.0.1", "6.0.1", True),
        ("6.0.1", "6.0.2", False),
        (None, "4.5.0", False),
        ("x", "1", False),
    ],
)
def test_the_lowest_version_is_a_floor(
    bench: Bench, version: str | None, floor: str, is_fine: bool
) -> None:
    """Below it, or unknown, nothing is touched; also in a dry run."""
    bench.server.version = version
    for dry_run in (True, False):
        if is_fine:
            assert bench.declare(version_min=floor, dry_run=dry_run)["changed"] is False
            continue
        problem = refused(bench.declare, version_min=floor, settings=PROXY, dry_run=dry_run)
        assert problem.code is ProblemCode.VERSION_TOO_OLD
        assert (version or "unknown") in problem.detail
    assert bench.server.calls == []


def test_a_setting_that_cannot_be_made_is_refused_before_anything(bench: Bench) -> None:
    """In the words of the driver."""
    for dry_run in (True, False):
        problem = refused(bench.declare, settings={"nowhere": {"a": "b"}}, dry_run=dry_run)
        assert (problem.code, "nowhere" in problem.detail) == (ProblemCode.REQUEST_INVALID, True)
    assert bench.head()[0] == 0


def test_what_the_server_does_not_keep_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that returned is no proof."""
    monkeypatch.setattr(bench.server, "write_settings", lambda _settings: None)
    problem = refused(bench.declare, settings=PROXY)
    assert problem.code is ProblemCode.IN_DOUBT
    assert bench.operations()[0].state is OperationState.IN_DOUBT


@pytest.mark.usefixtures("impatient")
def test_an_answer_that_is_lost_is_asked_for_again(bench: Bench) -> None:
    """Switching twice is harmless, and what counts is seen."""
    bench.server.errors["set_dongle_service"] = [DriverUnfinished("lost")]
    bench.server.lost["set_dongle_service"] = [DriverUnfinished("lost")]
    assert bench.declare(dongle_service=True)["changed"] is True
    assert bench.server.calls == ["dongle on", "dongle on"]


def test_a_refused_switch_keeps_the_settings_that_were_made(bench: Bench) -> None:
    """The next run goes on from there."""
    bench.server.errors["set_dongle_service"] = [DriverRefused("busy", 409)]
    problem = refused(bench.declare, settings=PROXY, dongle_service=True)
    assert problem.code is ProblemCode.RUNTIME_REFUSED
    assert bench.server.tree["proxy"]["host"] == "10.0.0.1"
    assert bench.opened() == []
    assert bench.declare(settings=PROXY, dongle_service=True)["after"] == {
        "dongle": {"service": "enabled"}
    }


def test_a_server_that_is_down_is_told(bench: Bench) -> None:
    """And may be asked again."""
    bench.server.is_up = False
    problem = refused(bench.declare, dongle_service=True)
    assert (problem.code, problem.retryable) == (ProblemCode.RUNTIME_UNAVAILABLE, True)


def test_what_is_shown(bench: Bench) -> None:
    """Settings, version, service, activation, licenses, borrows."""
    shown = bench.settings.read()
    assert shown["activation"] == {"activated": False, "method": None, "account": None}
    assert (shown["version"], shown["dongle_service"]) == ("6.0.1", False)
    bench.log_in()
    bench.server.offline["V-Ray"] = 1
    shown = bench.settings.read()
    assert shown["activation"]["method"] == "online"
    assert shown["licenses"] == [{"product": "V-Ray", "seats": {"render": 4}}]
    assert shown["offline_products"] == ["V-Ray"]
