# SPDX-License-Identifier: GPL-3.0-or-later
"""Activation by the real driver in front of the twin, which is disturbed and killed meanwhile."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from vendors.chaos.twins import ADMIN, ARTIST, PASSWORDS, ChaosTwins

from operations.hosts import ACTOR
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.servers import steps
from seatkeeper_agent.operations.servers.activation import (
    AccountRequest,
    ActivationService,
    AnswerRequest,
)
from seatkeeper_agent.vendors.chaos.driver import ChaosDriver
from seatkeeper_twins.chaos import people
from seatkeeper_twins.parts import control

from .bench import refused

SETTLE_SECONDS = 0.2


@dataclass
class Host:
    """One agent's activation in front of running twins."""

    twins: ChaosTwins
    driver: ChaosDriver
    journal: Journal
    service: ActivationService
    answers: dict[str, bytes] = field(default_factory=dict)

    def log_in(self, account: str = ADMIN, password: str | None = None) -> dict[str, Any]:
        """Activate online."""
        said = PASSWORDS[account] if password is None else password
        wanted = AccountRequest(account, Secret(said))
        return self.service.activate(wanted, ACTOR, dry_run=False)

    def answered(self, request: dict[str, Any]) -> bytes:
        """What the account page gives for a request: once, and then the file is there."""
        if request["digest"] not in self.answers:
            content = base64.b64decode(request["request"])
            self.answers[request["digest"]] = people.answer_request(
                self.twins.cloud, ADMIN, PASSWORDS[ADMIN], content, "station"
            )
        return self.answers[request["digest"]]

    def respond(self, answer: bytes, digest: str | None = None) -> dict[str, Any]:
        """Hand an answer file over."""
        return self.service.respond(AnswerRequest(answer, digest), ACTOR, dry_run=False)

    def exchange(self) -> dict[str, Any]:
        """Activate by files."""
        return self.respond(self.answered(self.service.request(ACTOR, dry_run=False)))

    def give_up(self) -> dict[str, Any]:
        """Deactivate."""
        return self.service.deactivate(ACTOR, dry_run=False)

    def fault(self, point: str, action: str, **values: int) -> None:
        """Disturb the license server."""
        control.set_fault(self.twins.server, point, action, **values)

    def revive(self) -> None:
        """Start what has died; it comes back where it was."""
        for process in self.twins.processes:
            if process.pid is None:
                process.start()

    def opened(self) -> int:
        """How many operations hold the server."""
        with self.journal.reading() as unit:
            return unit.operations.count_open()


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChaosTwins]:
    """A cloud and a server."""
    made = ChaosTwins(Path(tmp_path_factory.mktemp("twins")))
    try:
        made.start()
        control.set_values(made.cloud, workstation_seconds=0)
        yield made
    finally:
        made.stop()


@pytest.fixture
def host(twins: ChaosTwins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A new agent; the server is as it was made."""
    patient = steps.wait_until
    monkeypatch.setattr(steps, "wait_until", lambda is_true: patient(is_true, 0.5))
    control.reset(twins.server)
    driver, journal = twins.driver(), Journal(tmp_path / "journal.db")
    service = ActivationService(journal, driver, Engine(journal, SETTLE_SECONDS))
    made = Host(twins, driver, journal, service)
    yield made
    made.revive()
    control.clear_faults(twins.server)
    journal.close()


def test_a_server_is_logged_in_and_given_up(host: Host) -> None:
    """Declared twice it is done once."""
    assert refused(host.log_in, password="no").code is ProblemCode.CREDENTIALS_REFUSED  # noqa: S106
    assert host.log_in()["after"]["account"] == ADMIN
    assert host.log_in()["changed"] is False
    assert refused(host.log_in, ARTIST).code is ProblemCode.ACTIVATED_OTHERWISE
    assert host.give_up()["after"]["activated"] is False
    assert host.give_up()["changed"] is False


def test_a_server_is_activated_by_files(host: Host) -> None:
    """The request stays until it was used; what does not fit never reaches the server."""
    requested = host.service.request(ACTOR, dry_run=False)
    assert host.service.request(ACTOR, dry_run=False) == {**requested, "changed": False}
    answer = host.answered(requested)
    host.fault("upload.before", "die")
    assert refused(host.respond, answer, "0" * 64).code is ProblemCode.ANSWER_FOREIGN
    own = base64.b64decode(requested["request"])
    assert refused(host.respond, own).code is ProblemCode.ANSWER_FOREIGN
    control.clear_faults(host.twins.server)
    assert host.respond(answer, requested["digest"])["after"]["method"] == "offline"
    assert host.respond(answer)["changed"] is False
    host.give_up()
    assert refused(host.respond, answer).code is ProblemCode.ANSWER_USED
    newer = host.service.request(ACTOR, dry_run=False)
    assert newer["digest"] != requested["digest"]
    assert refused(host.respond, answer, requested["digest"]).code is ProblemCode.ANSWER_USED


def test_an_answer_for_another_server_is_refused_by_this_one(host: Host) -> None:
    """Where nobody says which request it answers; the right one is taken afterwards."""
    requested = host.service.request(ACTOR, dry_run=False)
    right = host.answered(requested)
    wrong = right[:-4] + bytes(reversed(right[-4:]))
    assert refused(host.respond, wrong).code is ProblemCode.RUNTIME_REFUSED
    assert host.driver.status().activated is False
    assert host.respond(right)["changed"] is True


def test_what_a_person_did_on_the_page_counts(host: Host) -> None:
    """Activated or given up there, it is seen; for whom, only people know."""
    people.send_form(host.twins.server, "enable", user=ADMIN, password=PASSWORDS[ADMIN])
    assert refused(host.log_in).code is ProblemCode.ACTIVATED_OTHERWISE
    people.send_form(host.twins.server, "disable")
    assert host.give_up()["changed"] is False
    assert host.log_in()["changed"] is True


ACTIONS: dict[str, Callable[[Host], dict[str, Any]]] = {
    "activate": Host.log_in,
    "upload": Host.exchange,
    "deactivate": Host.give_up,
}


TROUBLES = {
    ProblemCode.RUNTIME_UNAVAILABLE,
    ProblemCode.RUNTIME_REFUSED,
    ProblemCode.RUNTIME_UNFINISHED,
    ProblemCode.IN_DOUBT,
}


@pytest.mark.parametrize(
    ("side", "action"),
    [("before", "die"), ("during", "die"), ("after", "die"), ("before", "lose"), ("after", "lose")],
)
@pytest.mark.parametrize("point", ACTIONS)
def test_a_server_that_dies_or_loses_its_answer(
    host: Host, point: str, side: str, action: str
) -> None:
    """Whatever became of it, the next run makes it so, and the one after changes nothing."""
    if point == "deactivate":
        host.log_in()
    if point == "upload":
        host.service.request(ACTOR, dry_run=False)
    host.fault(f"{point}.{side}", action)
    codes = set()
    for act in (lambda: ACTIONS[point](host), host.revive, lambda: host.service.resume("agent")):
        try:
            act()
        except Problem as problem:
            codes.add(problem.code)
    assert codes <= TROUBLES
    shown = host.service.read()
    if shown["activated"] is (point == "deactivate"):
        ACTIONS[point](host)
        shown = host.service.read()
    assert shown["activated"] is (point != "deactivate")
    method = {"activate": "online", "upload": "offline", "deactivate": None}[point]
    assert (shown["method"], host.opened()) == (method, 0)
    with host.journal.reading() as unit:
        head = unit.audit.head()
    assert host.service.resume("agent") == []
    if point != "upload":
        assert ACTIONS[point](host)["changed"] is False
    with host.journal.reading() as unit:
        assert unit.audit.head() == head


def test_a_silent_vendor_is_told_from_a_refusal(host: Host) -> None:
    """And nothing is held."""
    control.set_fault(host.twins.cloud, "login.before", "lose", times=20)
    try:
        problem = refused(host.log_in)
    finally:
        control.clear_faults(host.twins.cloud)
    assert problem.code in (ProblemCode.RUNTIME_UNAVAILABLE, ProblemCode.RUNTIME_REFUSED)
    assert host.opened() == 0
    assert host.log_in()["changed"] is True
