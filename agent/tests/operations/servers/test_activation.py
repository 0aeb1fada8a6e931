# SPDX-License-Identifier: GPL-3.0-or-later
"""Activation by a password that nobody keeps, and by files that fit each other."""

from __future__ import annotations

import base64
import hashlib
import pickle
from collections.abc import Callable

import pytest

from operations.hosts import Crash
from operations.products import Points
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.servers import Secret, ServerStatus
from seatkeeper_agent.operations.ports import DriverRefused, DriverUnavailable, DriverUnfinished

from .bench import ACCOUNT, PASSWORD, Bench, refused

OTHER, WRONG = "other@studio.example", "another password"


def test_a_server_is_logged_in_once(bench: Bench) -> None:
    """The second run neither logs in nor writes."""
    planned = bench.log_in(dry_run=True)
    assert (planned["changed"], bench.server.calls, bench.head()[0]) == (True, [], 0)
    answer = bench.log_in()
    assert answer["changed"] is True
    assert answer["before"]["activated"] is False
    assert answer["after"] == {
        "activated": True, "method": "online", "account": ACCOUNT, "request_digest": None,
    }  # fmt: skip
    head = bench.head()
    bench.restart()
    assert bench.log_in()["changed"] is False
    assert (bench.server.calls, bench.head()) == ([f"login {ACCOUNT}"], head)


def test_wrong_credentials_are_told_apart(bench: Bench) -> None:
    """From a refusal and from a vendor that cannot be reached; nothing is held afterwards."""
    problem = refused(bench.log_in, password=WRONG)
    assert problem.code is ProblemCode.CREDENTIALS_REFUSED
    bench.server.errors["activate_online"] = [DriverRefused("refused", 6)]
    assert refused(bench.log_in).code is ProblemCode.RUNTIME_REFUSED
    bench.server.errors["activate_online"] = [DriverUnavailable("not reached")]
    assert refused(bench.log_in).code is ProblemCode.RUNTIME_UNAVAILABLE
    assert bench.opened() == []
    assert bench.log_in()["changed"] is True


def test_an_account_of_somebody_else_stays(bench: Bench) -> None:
    """A person decides whose activation is given up."""
    bench.log_in()
    bench.server.accounts[OTHER] = PASSWORD
    for dry_run in (True, False):
        problem = refused(bench.log_in, account=OTHER, dry_run=dry_run)
        assert (problem.code, ACCOUNT in problem.detail) == (ProblemCode.ACTIVATED_OTHERWISE, True)
    assert len(bench.server.calls) == 1


def test_what_others_activated_passes_for_no_account_until_somebody_says_which(
    bench: Bench,
) -> None:
    """The server does not tell; a person who has looked states it once."""
    bench.server.activated = True
    for dry_run in (True, False):
        problem = refused(bench.log_in, dry_run=dry_run)
        assert (problem.code, ACCOUNT in problem.next_action) == (
            ProblemCode.ACTIVATED_OTHERWISE, True,
        )  # fmt: skip
    assert bench.activation.read()["method"] is None
    assert refused(bench.respond, b"x").code is ProblemCode.ACTIVATED_OTHERWISE
    planned, head = bench.log_in(is_active=True, dry_run=True), bench.head()
    assert (planned["changed"], planned["after"]["account"]) == (True, ACCOUNT)
    assert bench.activation.read()["account"] is None
    assert bench.log_in(is_active=True)["after"]["account"] == ACCOUNT
    assert bench.head()[0] == head[0] + 1
    for is_active in (True, False):
        assert bench.log_in(is_active=is_active)["changed"] is False
    assert refused(bench.log_in, account=OTHER, is_active=True).code is (
        ProblemCode.ACTIVATED_OTHERWISE
    )
    assert bench.server.calls == []


def test_others_who_were_first_activated_it_for_whomever(bench: Bench) -> None:
    """Between the look and the step: nothing is remembered of an account that nobody saw."""
    looked: list[bool] = []

    def status() -> ServerStatus:
        shown = seen()
        looked.append(True)
        bench.server.activated = True
        return shown

    seen = bench.server.status
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench.server, "status", status)
        assert refused(bench.log_in).code is ProblemCode.ACTIVATED_OTHERWISE
    assert len(looked) > 1
    assert (bench.activation.read()["account"], bench.server.calls) == (None, [])


def test_what_is_remembered_ends_with_the_activation(bench: Bench) -> None:
    """Also when a person gave it up on the page."""
    bench.log_in()
    bench.server.activated = False
    assert bench.activation.read()["account"] is None
    bench.server.accounts[OTHER] = PASSWORD
    assert bench.log_in(account=OTHER)["after"]["account"] == OTHER


def test_a_status_that_does_not_tell_stops_everything(bench: Bench) -> None:
    """Nothing is tried blindly."""
    bench.server.activated = None
    for call in (bench.log_in, bench.request):
        assert refused(call).code is ProblemCode.RUNTIME_REFUSED
    assert refused(bench.respond, b"x").code is ProblemCode.RUNTIME_REFUSED
    assert refused(bench.activation.deactivate, "x", False).code is ProblemCode.RUNTIME_REFUSED
    assert bench.server.calls == []


def test_it_is_given_up_once(bench: Bench) -> None:
    """However it was made."""
    bench.log_in()
    assert bench.activation.deactivate("tester", True)["changed"] is True
    assert bench.activation.deactivate("tester", False)["after"]["activated"] is False
    assert bench.activation.deactivate("tester", False)["changed"] is False
    assert bench.server.calls == [f"login {ACCOUNT}", "deactivate"]


def test_the_request_stays_the_same_until_it_was_used(bench: Bench) -> None:
    """The server is asked once; after its use there is another one."""
    assert bench.request(dry_run=True) == {
        "changed": True, "request": None, "digest": None, "requested_at": None,
    }  # fmt: skip
    requested = bench.request()
    assert requested["changed"] is True
    content = base64.b64decode(requested["request"])
    assert requested["digest"] == hashlib.sha256(content).hexdigest()
    head = bench.head()
    bench.restart()
    assert bench.request() == {**requested, "changed": False}
    assert (bench.server.calls, bench.head()) == (["request"], head)
    assert bench.activation.read()["request_digest"] == requested["digest"]
    bench.respond(bench.answer())
    assert bench.activation.read()["request_digest"] is None
    assert bench.request()["request"] is None
    bench.activation.deactivate("tester", False)
    assert bench.request()["request"] != requested["request"]


def test_an_answer_is_handed_over_once(bench: Bench) -> None:
    """Declared again it is recognised, without its request's digest as well."""
    answer, digest = bench.answer(), bench.request()["digest"]
    assert bench.respond(answer, digest, dry_run=True)["changed"] is True
    done = bench.respond(answer, digest)
    assert (done["changed"], done["after"]["method"]) == (True, "offline")
    head = bench.head()
    assert bench.respond(answer)["changed"] is False
    assert (bench.server.calls, bench.head()) == (["request", "upload"], head)


def test_files_that_do_not_fit_are_refused_before_they_are_uploaded(bench: Bench) -> None:
    """As far as that can be known."""
    answer = bench.server.answer_to(b"request 1")
    problem = refused(bench.respond, answer)
    assert problem.code is ProblemCode.EXCHANGE_MISSING
    requested = bench.request()
    problem = refused(bench.respond, answer, "0" * 64)
    assert (problem.code, requested["digest"] in problem.next_action) == (
        ProblemCode.ANSWER_FOREIGN, True,
    )  # fmt: skip
    problem = refused(bench.respond, base64.b64decode(requested["request"]))
    assert (problem.code, "request itself" in problem.detail) == (ProblemCode.ANSWER_FOREIGN, True)
    assert bench.server.calls == ["request"]
    bench.respond(answer)
    bench.activation.deactivate("tester", False)
    for dry_run in (True, False):
        problem = refused(bench.respond, answer, dry_run=dry_run)
        assert problem.code is ProblemCode.ANSWER_USED
    bench.request()
    assert refused(bench.respond, answer).code is ProblemCode.ANSWER_USED
    assert bench.server.calls.count("upload") == 1


def test_an_answer_that_only_the_server_can_judge_is_judged_by_it(bench: Bench) -> None:
    """The exchange stays open for the right one."""
    requested = bench.request()
    problem = refused(bench.respond, b"from elsewhere")
    assert problem.code is ProblemCode.RUNTIME_REFUSED
    assert bench.request() == {**requested, "changed": False}
    assert bench.respond(bench.answer())["changed"] is True


def test_a_login_ends_an_exchange(bench: Bench) -> None:
    """Its answer belongs to nothing any more."""
    answer = bench.answer()
    bench.log_in()
    assert refused(bench.respond, answer).code is ProblemCode.ACTIVATED_OTHERWISE
    bench.activation.deactivate("tester", False)
    assert refused(bench.respond, answer).code is ProblemCode.EXCHANGE_MISSING


@pytest.mark.usefixtures("impatient")
def test_an_answer_that_was_lost_counts_when_it_is_seen(bench: Bench) -> None:
    """Online and by files."""
    bench.server.lost = {name: [DriverUnfinished("lost")] for name in ("activate_online",)}
    assert bench.log_in()["changed"] is True
    bench.activation.deactivate("tester", False)
    bench.server.lost = {"activate_offline": [DriverUnfinished("lost")]}
    assert bench.respond(bench.answer())["after"]["method"] == "offline"
    assert bench.server.calls.count("upload") == 1


@pytest.mark.parametrize("kind", ["online", "offline", "off"])
def test_the_agent_ends_at_every_point(bench: Bench, kind: str) -> None:
    """What is seen is concluded, the rest is declared anew; nothing is held for ever."""
    prepare, act = acts(bench, kind)
    prepare()
    bench.point.revive()
    act()
    points = len(bench.point.passed)
    assert points >= 8
    for number in range(1, points + 1):
        prepare()
        bench.point.revive()
        bench.point.end_at = number
        with pytest.raises(Crash):
            act()
        bench.restart()
        bench.resume()
        assert bench.opened() == []
        act()
        assert bench.server.activated is (kind != "off")
        head = bench.head()
        assert (bench.resume(), bench.head(), bench.opened()) == ([], head, [])
        assert bench.activation.read()["method"] == (None if kind == "off" else kind)
    assert PASSWORD.encode() not in bench.content()


def acts(bench: Bench, kind: str) -> tuple[Callable[[], object], Callable[[], object]]:
    """What comes before, and what is interrupted."""

    def off() -> None:
        bench.activation.deactivate("tester", False)

    def by_files() -> None:
        if not bench.activation.read()["activated"]:
            bench.respond(bench.answer())

    if kind == "off":
        return bench.log_in, off
    return off, bench.log_in if kind == "online" else by_files


def test_what_was_interrupted_before_anything_is_not_remembered_as_anybodys(bench: Bench) -> None:
    """A person activates it on the page before the agent is back: for whom, nobody told."""
    bench.point.end_at = 3
    with pytest.raises(Crash):
        bench.log_in()
    bench.restart()
    assert [step.state.value for step in bench.opened()[0].steps] == ["planned"]
    bench.server.activated = True
    bench.resume()
    assert (bench.opened(), bench.activation.read()["account"]) == ([], None)
    assert refused(bench.log_in).code is ProblemCode.ACTIVATED_OTHERWISE


@pytest.mark.parametrize("kind", ["online", "offline"])
def test_what_needs_something_that_is_not_kept_is_declared_again(bench: Bench, kind: str) -> None:
    """It is said so, and nothing else is blamed."""
    _prepare, act = acts(bench, kind)
    bench.request()
    call = f"login {ACCOUNT}" if kind == "online" else "upload"
    bench.point.revive()
    bench.server.point = _ending_at(f"{call}.before")
    with pytest.raises(Crash):
        act()
    bench.server.point = bench.point
    bench.restart()
    bench.resume()
    (operation,) = bench.operations()
    assert operation.problem is not None
    assert operation.problem["code"] == ProblemCode.RUNTIME_UNFINISHED.value
    assert "is not kept" in operation.problem["detail"]
    assert operation.problem["next_action"] == "Declare it again."
    act()
    assert bench.server.activated is True


def _ending_at(name: str) -> Points:
    class Ending(Points):
        def __call__(self, passed: str) -> None:
            if passed == name:
                raise Crash

    return Ending()


def test_the_password_is_nowhere(bench: Bench) -> None:
    """Not in the journal, the audit, problems or texts, whatever became of it."""
    problems = [refused(bench.log_in, password=f"{PASSWORD}!")]
    bench.server.errors["activate_online"] = [DriverRefused("refused", 6)]
    problems.append(refused(bench.log_in))
    bench.point.revive()
    bench.point.end_at = 6
    with pytest.raises(Crash):
        bench.log_in()
    bench.restart()
    bench.resume()
    bench.log_in()
    for text in [*map(str, problems), *(str(entry.as_document()) for entry in problems)]:
        assert PASSWORD not in text
    assert PASSWORD.encode() not in bench.content()
    assert ACCOUNT.encode() in bench.content()


def test_a_secret_is_not_shown_by_accident() -> None:
    """Only asked for it is told."""
    secret = Secret(PASSWORD)
    shown = [str(secret), repr(secret), f"{secret}", f"{[secret]}", f"{ {'a': secret} }"]
    assert not any(PASSWORD in text for text in shown)
    assert secret.reveal() == PASSWORD
    with pytest.raises(TypeError, match="not written down"):
        pickle.dumps(secret)
    assert not hasattr(secret, "__dict__")
    with pytest.raises(Problem):
        raise Problem(ProblemCode.INTERNAL, f"{secret}", "Nothing.")
