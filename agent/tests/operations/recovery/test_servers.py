# SPDX-License-Identifier: GPL-3.0-or-later
"""License servers and dongles: what each problem advises leads to what was declared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from operations.dongles.bench import CHOSEN, TARGET, perpetual
from operations.dongles.bench import Bench as DongleBench
from operations.dongles.test_isolation import _allow, _forbid
from operations.dongles.test_page import missing
from operations.hosts import ACTOR, Crash
from operations.servers.bench import ACCOUNT, PASSWORD, Bench
from seatkeeper_agent.domain.problems import ProblemCode

from .table import meet, recovers, refused


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Bench]:
    """A license server that is not activated."""
    made = Bench(tmp_path / "office")
    yield made
    made.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DongleBench]:
    """A host with one dongle, on whose page a person works."""
    made = DongleBench(tmp_path / "desk", performer="person")
    made.plug()
    yield made
    made.close()


@pytest.fixture
def browsing(tmp_path: Path) -> Iterator[DongleBench]:
    """The same with a browser."""
    made = DongleBench(tmp_path / "browsing")
    made.plug()
    yield made
    made.close()


@recovers(ProblemCode.CREDENTIALS_REFUSED)
def test_the_right_password_activates(office: Bench) -> None:
    refused(ProblemCode.CREDENTIALS_REFUSED, "orrect", office.log_in, ACCOUNT, "wrong")
    assert office.log_in()["after"]["activated"] is True


@recovers(ProblemCode.ACTIVATED_OTHERWISE)
def test_what_is_activated_otherwise_is_deactivated_first(office: Bench) -> None:
    office.log_in()
    office.server.accounts["other@studio.example"] = PASSWORD
    code = ProblemCode.ACTIVATED_OTHERWISE
    refused(code, "Deactivate it first", office.log_in, "other@studio.example")
    office.activation.deactivate(ACTOR, False)
    assert office.log_in("other@studio.example")["after"]["activated"] is True


@recovers(ProblemCode.ACTIVATED_OTHERWISE)
def test_for_whom_others_activated_is_stated(office: Bench) -> None:
    office.server.activated = True
    refused(ProblemCode.ACTIVATED_OTHERWISE, "state already_active: true", office.log_in)
    assert office.log_in(is_active=True)["after"]["account"] == ACCOUNT
    assert office.log_in()["changed"] is False


@recovers(ProblemCode.EXCHANGE_MISSING, ProblemCode.ANSWER_FOREIGN, ProblemCode.ANSWER_USED)
def test_the_answer_to_the_open_request_is_brought(office: Bench) -> None:
    stray = office.server.answer_to(b"request 1")
    advice = "Declare the activation as requested first, and have that request answered"
    refused(ProblemCode.EXCHANGE_MISSING, advice, office.respond, stray)
    first = office.answer()
    advice = "Bring the answer to the request with the SHA-256"
    refused(ProblemCode.ANSWER_FOREIGN, advice, office.respond, first, "0" * 64)
    office.respond(first)
    office.activation.deactivate(ACTOR, False)
    refused(ProblemCode.ANSWER_USED, "Have a new request answered", office.respond, first)
    assert office.respond(office.answer())["after"]["activated"] is True


@recovers(ProblemCode.VERSION_TOO_OLD)
def test_an_old_server_is_updated(office: Bench) -> None:
    code, advice = ProblemCode.VERSION_TOO_OLD, "Update the server with the vendor's installer"
    refused(code, advice, office.declare, version_min="7.0")
    office.server.version = "7.0.1"
    assert office.declare(version_min="7.0")["changed"] is False


@recovers(ProblemCode.RUNTIME_UNFINISHED)
def test_what_was_interrupted_before_its_effect_is_declared_again(office: Bench) -> None:
    office.point.end_at = 3
    with pytest.raises(Crash):
        office.log_in()
    office.restart()
    office.resume()
    (ended,) = office.operations()
    problem = ended.problem or {}
    code = ProblemCode.RUNTIME_UNFINISHED
    meet(problem["code"], problem["next_action"], code, "Declare it again")
    assert office.log_in()["after"]["activated"] is True


@recovers(ProblemCode.DONGLE_UNKNOWN)
def test_a_dongle_is_named_as_it_is_plugged(browsing: DongleBench) -> None:
    code, advice = ProblemCode.DONGLE_UNKNOWN, "Name one by its serial number"
    refused(code, advice, browsing.put, "90000009")
    assert browsing.go(CHOSEN)["migration"]["state"] == "done"


@recovers(ProblemCode.DONGLE_NOT_ELIGIBLE)
def test_an_old_driver_of_the_dongle_is_updated(browsing: DongleBench) -> None:
    browsing.server.wibukey = "5.00"
    refused(ProblemCode.DONGLE_NOT_ELIGIBLE, "pdate", browsing.go)
    browsing.server.wibukey = "6.40"
    assert browsing.go()["migration"]["state"] == "done"


@recovers(ProblemCode.DONGLE_MIGRATED)
def test_a_migrated_dongle_stays_declared_for_its_user(browsing: DongleBench) -> None:
    browsing.go()
    code, advice = ProblemCode.DONGLE_MIGRATED, "Declare that user"
    refused(code, advice, browsing.put, target_user="other@studio.example")
    assert browsing.put(target_user=TARGET)["changed"] is False


@recovers(ProblemCode.ACKNOWLEDGEMENT_REQUIRED)
def test_the_sentence_is_given_that_the_plan_names(browsing: DongleBench) -> None:
    said = browsing.confirmed()
    sentence = said.pop("acknowledgement")
    code, advice = ProblemCode.ACKNOWLEDGEMENT_REQUIRED, f"the sentence: {sentence}"
    refused(code, advice, browsing.put, **said)
    assert browsing.put(**said, acknowledgement=sentence)["migration"]["state"] == "done"


@recovers(ProblemCode.ATTESTED_UNDONE)
def test_what_was_attested_as_not_done_is_planned_anew(desk: DongleBench) -> None:
    desk.go()
    desk.migrations.attest(desk.operation(), False, "Nobody clicked.", "migrator")
    problem = desk.view()["problem"]
    advice = "Mend the cause, then plan it anew"
    meet(problem["code"], problem["next_action"], ProblemCode.ATTESTED_UNDONE, advice)
    desk.go()
    desk.server.migrate()
    assert desk.put()["migration"]["state"] == "done"


@recovers(ProblemCode.ISOLATION_FAILED)
def test_dongles_that_could_not_be_given_back_are_given_back(browsing: DongleBench) -> None:
    browsing.plug("90000002", "1-1.2")
    attribute = browsing.bus.folder / "1-1.2" / "authorized"
    browsing.page.meanwhile = lambda: _forbid(attribute)
    advice = "Mend the cause and run again"
    refused(ProblemCode.ISOLATION_FAILED, advice, browsing.go, isolate=True)
    _allow(attribute)
    assert browsing.put()["migration"]["state"] == "done"
    assert browsing.authorized() == {"1-1.1": True, "1-1.2": True}


@recovers(ProblemCode.USB_UNAVAILABLE)
def test_the_agent_gets_access_to_the_bus(browsing: DongleBench) -> None:
    devices = browsing.bus.folder
    away = devices.rename(devices.with_name("away"))
    refused(ProblemCode.USB_UNAVAILABLE, "Give the agent access to USB", browsing.go)
    away.rename(devices)
    assert browsing.go(licenses=perpetual())["migration"]["state"] == "done"


@recovers(ProblemCode.PAGE_DIFFERS)
def test_a_person_looks_at_what_the_page_does_not_show(browsing: DongleBench) -> None:
    browsing.page.before = [missing()]
    problem = refused(ProblemCode.PAGE_DIFFERS, "", browsing.go)
    assert Path(problem.facts["screenshot"]).is_file()
    browsing.restart(performer="person")
    browsing.go()
    browsing.server.migrate()
    assert browsing.put()["migration"]["state"] == "done"
