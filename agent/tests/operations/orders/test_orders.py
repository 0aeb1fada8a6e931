# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders step by step: judged, confirmed, followed through everybody's hands."""

from __future__ import annotations

import stat
import time
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from operations.hosts import DAY
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.operations.orders.requests import OrderRequest, order_id
from seatkeeper_agent.operations.watcher import Watcher

from .bench import BY_MAIL, BY_PERSON, NAME, Bench, declared, known_of, wait_for
from .support import KEYS, NEW, OLD, Support

COST_CENTRE = {
    "id": "cost_centre",
    "kind": "field_required",
    "field": "cost_centre",
    "required": "the order names a cost centre",
    "advice": "Give the field cost_centre.",
}


def target(**values: Any) -> dict[str, Any]:
    """The new system, declared otherwise."""
    return {**declared()["target"], **values}


def test_a_person_does_every_step_in_order(bench: Bench) -> None:
    """Each is handed out when the one before is done, and told what to do."""
    first = bench.go()
    assert (first["changed"], first["order"]["state"]) == (True, "waiting")
    assert [step["name"] for step in first["plan"]["steps"]] == BY_PERSON
    assert bench.awaits() == [("person", "case")]
    assert NEW in first["waiting"][0]["instructions"][0]
    assert first["waiting"][0]["attestable"] is False
    again = bench.put()
    assert (again["changed"], again["before"], again["after"]) == (
        False,
        {"state": "waiting"},
        {"state": "waiting"},
    )
    reported = bench.put(case_number="CAS-1")
    assert (reported["changed"], reported["order"]["case_number"]) == (True, "CAS-1")
    for who, step in (
        ("person", "send"),
        ("vendor", "move"),
        ("person", "register_old"),
        ("person", "register_new"),
    ):
        assert bench.awaits() == [(who, step)]
        bench.attest()
    assert bench.view()["state"] == "done"
    assert set(bench.steps().values()) == {"done"}
    assert [action for action in bench.actions() if action.startswith("attested")] == [
        "attested:send",
        "attested:move",
        "attested:register_old",
        "attested:register_new",
    ]
    head = bench.head()
    assert bench.put(case_number="CAS-1")["changed"] is False
    assert bench.head() == head


def test_the_twin_moves_what_was_mailed_and_wants_the_old_system_first(
    mailing: Bench, support: Support
) -> None:
    """From the confirmation to licenses that are in use at the new system."""
    mailing.go()
    case = support.open_case()
    reported = mailing.put(case_number=case)
    assert [step["name"] for step in reported["plan"]["steps"]] == BY_MAIL
    (mail,) = support.mails()
    assert (mail["case"], mail["documents"]) == (case, ["license_transfer_form"])
    assert mailing.awaits() == [("person", "authorize")]
    support.fax(case)
    mailing.attest(statement="Faxed at ten.")
    assert mailing.awaits() == [("vendor", "move")]
    support.work()
    mailing.attest(statement="The case says so.")
    with pytest.raises(ValueError, match="register it first"):
        support.register(NEW, *KEYS)
    assert mailing.awaits() == [("person", "register_old")]
    assert not set(KEYS) & set(support.register(OLD))
    mailing.attest()
    assert mailing.awaits() == [("person", "register_new")]
    assert set(KEYS) <= set(support.register(NEW, *KEYS))
    mailing.attest()
    assert mailing.view()["state"] == "done"
    assert len(support.mails()) == 1


def test_what_breaks_rules_is_refused_with_all_of_them_and_leaves_no_trace(bench: Bench) -> None:
    """Also in a dry run, before any confirmation is asked for."""
    values = {"target": target(registered=False, owner="Studio B"), "rules": [COST_CENTRE]}
    for confirmation in (None, "0" * 64):
        refused = bench.refused_alike(**values, confirmation=confirmation)
        assert refused.code is ProblemCode.ORDER_NOT_ALLOWED
        rules = refused.as_document()["rules"]
        assert refused.facts["quote"]["lines"], "what it would cost is told all the same"
        unmet = {rule["rule"] for rule in rules if rule["verdict"] == "not_met"}
        assert unmet == {"target_registered", "same_owner", "cost_centre"}
        assert len(rules) > len(unmet)
    assert bench.orders.page("", 10) == []
    assert bench.actions() == []
    assert not (bench.folder / "orders").exists()


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"on": "2026-13-45"}, "front-desk"),
        ({"prices": {"move_fee": "much"}}, "move_fee"),
        ({"rules": [{"id": "x", "kind": "magic"}]}, "kind must be one of"),
        ({"rules": [{**COST_CENTRE, "id": "same_owner"}]}, "same_owner"),
        ({"case_number": " CAS-1"}, "case number"),
        ({"case_number": "CAS\u20281"}, "case number"),
    ],
)
def test_what_cannot_be_used_is_named(bench: Bench, values: dict[str, Any], part: str) -> None:
    """Before anything is done."""
    refused = bench.refused(**values)
    assert refused.code is ProblemCode.REQUEST_INVALID
    assert part in refused.detail
    assert bench.orders.page("", 10) == []


@pytest.mark.parametrize(
    "drift",
    [
        {"on": "2030-01-01"},
        {"rules": [{**COST_CENTRE, "kind": "field_in", "values": ["a"]}], "fields": {}},
        {"prices": {"move_fee": "310"}},
        {"prices": {"assurance_per_year": {"ALTI-STATION-10": "120"}}},
        {"fields": {"cost_centre": "CC-2"}},
        {"target": target(stations=26)},
        {"keys": declared()["keys"][:1]},
    ],
)
def test_a_confirmation_is_void_when_anything_is_declared_otherwise(
    bench: Bench, drift: dict[str, Any]
) -> None:
    """Nothing is remembered of such an attempt."""
    confirmation = bench.confirmed()["confirmation"]
    refused = bench.refused(**drift, confirmation=confirmation)
    expected = {ProblemCode.CONFIRMATION_REQUIRED, ProblemCode.ORDER_NOT_ALLOWED}
    assert refused.code in expected
    assert bench.orders.page("", 10) == []
    assert bench.refused().code is ProblemCode.CONFIRMATION_REQUIRED


def test_a_confirmation_is_void_when_the_operators_own_rules_have_changed(tmp_path: Path) -> None:
    """They are in a file of the host."""
    policy = tmp_path / "policy.json"
    policy.write_text('{"rules": []}', encoding="utf-8")
    bench = Bench(tmp_path / "host", policy_file=str(policy))
    said = bench.confirmed(fields={"cost_centre": "CC-1"})
    rule = str(COST_CENTRE).replace("'", '"')
    policy.write_text(f'{{"rules": [{rule}]}}', encoding="utf-8")
    bench.restart()
    assert bench.refused(**said).code is ProblemCode.CONFIRMATION_REQUIRED
    bench.close()


def test_what_is_placed_stays_as_it_was_declared(bench: Bench) -> None:
    """Nothing but its systems and its license keys makes it another order."""
    bench.go()
    before = bench.content()
    changed = target(stations=40, owner="Studio A Ltd.", assurance_until="2031-01-01")
    for dry_run in (True, False):
        reported = bench.put(
            dry_run=dry_run, on="2020-11-23", prices={"move_fee": "1"}, target=changed
        )
        assert (reported["changed"], reported["quote"]["lines"][0]["amount"]) == (False, "300.00")
    assert bench.content() == before
    assert bench.awaits() == [("person", "case")]


def test_the_case_number_may_come_later_and_stays(bench: Bench) -> None:
    """Another one is refused; a run without it plans and changes nothing."""
    bench.go()
    assert bench.put(dry_run=True, case_number="CAS-1")["changed"] is True
    assert bench.view()["case_number"] is None
    bench.put(case_number="CAS-1")
    for dry_run in (True, False):
        assert bench.put(dry_run=dry_run)["changed"] is False
        refused = bench.refused(dry_run=dry_run, case_number="CAS-2")
        assert refused.code is ProblemCode.DECLARATION_DIFFERS
        assert "CAS-1, not CAS-2" in refused.detail
    assert bench.view()["case_number"] == "CAS-1"


def test_a_run_that_looked_too_early_takes_nothing_back(bench: Bench) -> None:
    """Others gave the number, or began another attempt, after it had looked."""
    bench.go()
    known = known_of(bench)
    bench.put(case_number="CAS-1")
    late = OrderRequest(declared(), case_number="CAS-2")
    with pytest.raises(Problem) as caught:
        bench.orders._keep(known, late, {"case_number": "CAS-2"}, "late")
    assert caught.value.code is ProblemCode.CONTAINER_BUSY
    same = OrderRequest(declared(), case_number="CAS-1")
    bench.orders._keep(known, same, {"case_number": "CAS-1"}, "late")
    assert bench.put(case_number="CAS-1")["changed"] is False
    assert bench.view()["case_number"] == "CAS-1"
    assert bench.actions().count("case") == 1
    assert bench.awaits() == [("person", "send")]


def test_a_case_that_was_opened_before_is_not_asked_for(bench: Bench) -> None:
    """The number is declared with the order."""
    bench.go(case_number="CAS-1")
    assert bench.awaits() == [("person", "send")]


def test_the_papers_lie_in_the_folder_for_the_agent_alone(bench: Bench) -> None:
    """The cover mail once the case's number is known; card data has empty fields only."""
    bench.go()
    folder = Path(bench.view()["folder"])
    names = {"license-transfer-form.html", "credit-card-authorization.html"}
    assert {path.name for path in folder.iterdir()} == names
    bench.put(case_number="CAS-1")
    shown = bench.orders.documents(order_id(NAME))
    assert shown is not None
    assert {entry["name"] for entry in shown} == {*names, "cover-mail.eml"}
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"CAS-1" in (folder / "license-transfer-form.html").read_bytes()
    mail = message_from_bytes((folder / "cover-mail.eml").read_bytes(), policy=default)
    assert mail["Subject"].startswith("Case CAS-1: ")
    assert bench.orders.documents(order_id("unknown")) is None


def test_what_a_person_says_did_not_happen_ends_it_and_is_confirmed_anew(bench: Bench) -> None:
    """A mail that went out goes out once more only with another confirmation."""
    said = bench.confirmed(case_number="CAS-1")
    bench.put(**said)
    bench.attest(statement="Sent by post.")
    bench.attest(happened=False, statement="The vendor says no.")
    assert bench.view()["state"] == "failed"
    assert bench.view()["problem"]["code"] == "attested-undone"
    assert bench.refused(**said).code is ProblemCode.CONFIRMATION_REQUIRED
    again = bench.go()
    assert (again["changed"], again["order"]["case_number"]) == (True, "CAS-1")
    assert bench.awaits() == [("person", "send")]


def test_what_the_vendor_has_moved_is_not_given_up_and_paid_twice(bench: Bench) -> None:
    """What remains is to register; begun anew, the order would cost another fee."""
    bench.put(**bench.confirmed(case_number="CAS-1"))
    bench.attest(statement="Sent by post.")
    bench.attest(statement="Moved.")
    for step in ("register_old", "register_new"):
        with pytest.raises(Problem) as caught:
            bench.attest(happened=False, statement="The system was switched off.")
        assert caught.value.code is ProblemCode.LEG_OUT_OF_ORDER
        assert bench.awaits() == [("person", step)]
        bench.attest()
    assert bench.view()["state"] == "done"


def test_what_did_not_come_to_the_mail_goes_on_with_the_same_confirmation(bench: Bench) -> None:
    """Nobody outside has heard of it."""
    said = bench.confirmed()
    bench.put(**said)
    bench.attest(happened=False, statement="No case was opened.")
    assert bench.view()["state"] == "failed"
    assert bench.put(**said)["changed"] is True
    assert bench.awaits() == [("person", "case")]


def test_the_case_is_seen_and_not_attested(bench: Bench) -> None:
    """Its number is what shows it."""
    bench.go()
    with pytest.raises(Exception, match="observed, not attested"):
        bench.attest()
    assert bench.awaits() == [("person", "case")]


def test_the_vendor_has_a_day_and_is_shown_overdue_afterwards(bench: Bench) -> None:
    """Counted from the sending, and never moved by looking."""
    bench.go(case_number="CAS-1")
    assert bench.awaited()[0]["until"] is None
    bench.clock.offset_seconds = 60 - DAY
    bench.attest()
    (waiting,) = bench.awaited()
    assert (waiting["who"], waiting["overdue"]) == ("vendor", False)
    bench.attest(happened=False)
    bench.go()
    bench.clock.offset_seconds = -60 - DAY
    bench.attest()
    (late,) = bench.awaited()
    assert late["overdue"] is True
    bench.clock.offset_seconds = 0
    bench.put()
    assert bench.awaited() == [late]


def test_several_orders_go_on_beside_each_other(mailing: Bench, support: Support) -> None:
    """One that waits, is in doubt or cannot be mailed keeps no other back."""
    names = ("a", "b", "c", "d")
    for name in names:
        mailing.go(name=name)
    # Orders of one pair go in one support case, for one fee.
    cases = dict.fromkeys(names, support.open_case())
    support.fault("mail.after", "lose")
    assert mailing.refused(name="a", case_number=cases["a"]).code is ProblemCode.IN_DOUBT
    support.fault("recipient.before", "refuse", 550)
    assert mailing.refused(name="b", case_number=cases["b"]).code is ProblemCode.RUNTIME_REFUSED
    mailing.put(name="d", case_number=cases["d"])
    states = {name: mailing.view(name)["state"] for name in names}
    assert states == {"a": "in_doubt", "b": "failed", "c": "waiting", "d": "waiting"}
    assert set(mailing.awaits()) == {("person", "case"), ("person", "authorize")}
    resumed = mailing.orders.resume("agent")
    assert len(resumed) == 2
    assert [mail["case"] for mail in support.mails()] == [cases["a"], cases["d"]]


def test_one_that_cannot_go_on_is_told_after_the_others_were_looked_at(
    mailing: Bench, support: Support
) -> None:
    """The numbers of all came while the agent was not there; one mail is refused."""
    for name in ("a", "b", "c"):
        mailing.go(name=name)
        number = support.open_case()
        with mailing.journal.transaction() as unit:
            known = unit.declarations.get("order", order_id(name))
            assert known is not None
            unit.declarations.put("order", known.id, {**known.document, "case_number": number})
    support.fault("recipient.before", "refuse", 550)
    with pytest.raises(Exception, match="refuses the recipient"):
        mailing.orders.resume("agent")
    states = sorted(mailing.view(name)["state"] for name in ("a", "b", "c"))
    assert states == ["failed", "waiting", "waiting"]
    assert len(support.mails()) == 2


def test_the_watcher_writes_nothing_while_nothing_changes(bench: Bench) -> None:
    """It looks, again and again."""
    bench.go()
    bench.go(name="another", case_number="CAS-1")
    looks = []

    def look() -> None:
        bench.orders.resume("agent")
        looks.append(time.monotonic())

    before = bench.content()
    defects: list[Exception] = []
    watcher = Watcher(bench.journal, look, defects.append, seconds=0.01)
    watcher.start()
    try:
        wait_for(lambda: len(looks) >= 5)
    finally:
        watcher.stop()
    assert defects == []
    assert bench.content() == before
