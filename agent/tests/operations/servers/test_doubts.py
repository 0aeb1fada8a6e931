# SPDX-License-Identifier: GPL-3.0-or-later
"""A doubt at a license server ends at the next run, by what shows then, and nothing is retried."""

from __future__ import annotations

from pathlib import Path

import pytest
from api.asking import asking

from operations.hosts import ACTOR
from seatkeeper_agent.domain.problems import ProblemCode
from seatkeeper_agent.domain.records import OperationState
from seatkeeper_twins.lab.lab import Lab

from .bench import ACCOUNT, Bench, refused

HOST, SERVER = "render-server", "/v1/servers/chaos"
LOGIN = {"account": "admin@studio-a.example", "password": "demo-admin-password"}
IDLE = """#!/bin/sh
[ "$1" = --version ] && exec "$0.real" "$@"
exit 0
"""
"""A vrlctl that ends well and has done nothing."""


def idle(bench: Bench, method: str) -> None:
    """A call that ends well without an effect."""

    def call(*_arguments: object) -> None:
        bench.server.calls.append(method)

    setattr(bench.server, method, call)


@pytest.mark.usefixtures("impatient")
def test_an_activation_without_effect_ends_as_failed_and_the_next_run_activates(
    bench: Bench,
) -> None:
    """It is tried once, looked at by the run, and not believed."""
    working = bench.server.activate_online
    idle(bench, "activate_online")
    problem = refused(bench.log_in)
    assert problem.code is ProblemCode.IN_DOUBT
    assert "reported success, but nothing of it can be seen" in problem.detail
    assert bench.server.calls == ["activate_online"]
    bench.server.activate_online = working  # type: ignore[method-assign]
    bench.resume()
    assert [operation.state for operation in bench.operations()] == [OperationState.FAILED]
    assert bench.log_in()["after"]["account"] == ACCOUNT
    states = sorted(operation.state.value for operation in bench.operations())
    assert (states, bench.opened()) == (["done", "failed"], [])


@pytest.mark.usefixtures("impatient")
def test_an_activation_whose_effect_comes_late_is_concluded(bench: Bench) -> None:
    """For the account that it was tried with; it is not tried again."""
    idle(bench, "activate_online")
    refused(bench.log_in)
    bench.server.activated = True
    bench.resume()
    assert bench.activation.read()["account"] == ACCOUNT
    assert bench.log_in()["changed"] is False
    assert bench.server.calls == ["activate_online"]


@pytest.mark.usefixtures("impatient")
def test_a_deactivation_in_doubt_is_never_made_by_a_look(bench: Bench) -> None:
    """Nobody may want it any more: it ends as failed, and has to be declared again."""
    bench.log_in()
    idle(bench, "deactivate")
    assert refused(bench.activation.deactivate, ACTOR, False).code is ProblemCode.IN_DOUBT
    bench.restart()
    bench.resume()
    assert (bench.opened(), bench.server.activated) == ([], True)
    assert bench.server.calls.count("deactivate") == 1
    problem = next(entry.problem for entry in bench.operations() if entry.problem)
    assert "not tried again unasked" in problem["detail"]


@pytest.mark.usefixtures("impatient")
def test_a_doubt_that_nothing_tells_stays_and_says_what_to_do(bench: Bench) -> None:
    """The server does not tell whether it is activated."""
    idle(bench, "activate_online")
    refused(bench.log_in)
    bench.server.activated = None
    bench.resume()
    (held,) = bench.opened()
    assert held.state is OperationState.IN_DOUBT
    assert "run the playbook again" in (held.problem or {})["next_action"]


@pytest.mark.timeout(600)
def test_the_next_run_ends_a_doubt_of_vrlctl_and_activates(tmp_path: Path) -> None:
    """The whole agent, without a restart; other work on the server is free at once as well."""
    with (
        Lab.create({HOST: {"chaos": {"profile": "5.5"}}}, tmp_path / "lab") as lab,
        asking(lab[HOST]) as asker,
    ):
        vrlctl = lab[HOST].chaos.vrlctl
        real = vrlctl.rename(vrlctl.with_name(f"{vrlctl.name}.real"))
        vrlctl.write_text(IDLE, encoding="utf-8")
        vrlctl.chmod(0o755)
        path = f"{SERVER}/activation"
        for _run in range(2):
            assert asker.problem("PUT", path, json=LOGIN)["code"] == "in-doubt"
        real.rename(vrlctl)
        switched = asker.ask("PUT", SERVER, json={"dongle_service": "enabled"})
        assert switched.status_code == 200, switched.text
        done = asker.ask("PUT", path, json=LOGIN)
        assert done.json()["after"]["account"] == LOGIN["account"], done.text
        operations = lab[HOST].client.all("/v1/operations", "operations")
        states = [entry["state"] for entry in operations if entry["kind"] == "activation"]
        assert sorted(states) == ["done", "failed", "failed"]
