# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders beside each other: what is placed counts for the next, and what is declared, too."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from operations.hosts import DAY
from seatkeeper_agent.domain.problems import ProblemCode
from seatkeeper_agent.operations.orders.requests import day_of
from seatkeeper_twins.altigen import people
from seatkeeper_twins.parts import control

from .bench import Bench, declared
from .support import KEYS, OLD, Support

SOFT = "0077-0000-0001"
ALL_STEPS = ("send", "move", "register_old", "register_new")


def full(stations: int = 35, **values: Any) -> dict[str, Any]:
    """The new system on a chassis for 50 stations."""
    counted = {"chassis": "Max1000", "stations": stations, **values}
    return {**declared()["target"], **counted}


def soft() -> dict[str, Any]:
    """A software-only system of the twin."""
    there = {"name": "Branch", "system_key": SOFT, "chassis": "software_only", "stations": 0}
    return {**declared()["target"], **there}


def other(name: str, **values: Any) -> dict[str, Any]:
    """Another order as the playbook declares it beside one."""
    known = declared(name)
    return {**{key: known[key] for key in ("name", "source", "target", "keys")}, **values}


def today(bench: Bench) -> date:
    """By the agent's clock."""
    return day_of(bench.clock())


def finish(bench: Bench, name: str) -> None:
    """People say that all is done."""
    for _step in ALL_STEPS:
        bench.attest(name=name)
    assert bench.view(name)["state"] == "done"


def test_the_second_order_that_overfills_a_chassis_is_refused(bench: Bench) -> None:
    """Each alone would be met; together they are 55."""
    bench.go(name="first", target=full())
    refused = bench.refused_alike(name="second", target=full())
    assert refused.code is ProblemCode.ORDER_NOT_ALLOWED
    for part in ("'second'", "'first'", "55 in all"):
        assert part in refused.detail
    assert [entry["name"] for entry in bench.orders.page("", 10)] == ["first"]


def test_what_is_only_declared_beside_it_counts_as_well(bench: Bench) -> None:
    """Also where another host places it."""
    values = {"name": "second", "target": full()}
    assert bench.put(dry_run=True, **values)["report"]["verdict"] == "open"
    beside = [other("first", target=full())]
    assert "55 in all" in bench.refused(**values, others=beside).detail
    ended = {"target": full(), "ended_on": (today(bench) - timedelta(days=3)).isoformat()}
    counted = full(stations_as_of=(today(bench) - timedelta(days=1)).isoformat())
    values = {"name": "second", "target": counted}
    answer = bench.put(dry_run=True, others=[other("first", **ended)], **values)
    assert answer["report"]["verdict"] == "open"


def test_a_done_order_counts_until_the_stations_are_counted_anew(bench: Bench) -> None:
    """The day of the count decides."""
    bench.clock.offset_seconds = -2 * DAY
    bench.go(name="first", target=full(), case_number="CAS-1")
    finish(bench, "first")
    bench.clock.offset_seconds = 0
    before = (today(bench) - timedelta(days=4)).isoformat()
    refused = bench.refused(name="second", target=full(stations_as_of=before))
    assert "55 in all" in refused.detail
    undated = bench.refused(name="second", target=full())
    assert "is not known well enough" in undated.detail
    assert "stations_as_of" in undated.next_action
    after = today(bench).isoformat()
    fits = bench.put(dry_run=True, name="second", target=full(40, stations_as_of=after))
    assert fits["report"]["verdict"] == "open"
    ahead = (today(bench) + timedelta(days=2)).isoformat()
    refused = bench.refused(name="second", target=full(stations_as_of=ahead))
    assert (refused.code, ahead in refused.detail) == (ProblemCode.REQUEST_INVALID, True)


def test_a_key_is_ordered_to_one_system_only(bench: Bench) -> None:
    """While it is under way, and afterwards from where it went."""
    keys = [{"key": "LK-1", "product": "ALTI-STATION-10"}]
    bench.go(name="first", keys=keys, case_number="CAS-1")
    third = {**declared()["target"], "name": "third", "system_key": "THIRD"}
    refused = bench.refused(name="second", keys=keys, target=third)
    assert "LK-1 is in the order 'first' as well" in refused.detail
    finish(bench, "first")
    refused = bench.refused(name="second", keys=keys, target=third)
    assert "LK-1 went to Front desk new with the order 'first'" in refused.detail
    onward = {"source": declared()["target"], "target": third, "keys": keys, "name": "second"}
    assert bench.put(dry_run=True, **onward)["report"]["verdict"] == "open"


def test_an_order_that_nothing_came_of_counts_for_nothing(bench: Bench) -> None:
    """It was given up before the vendor moved anything."""
    bench.go(name="first", target=full())
    bench.attest(happened=False, name="first")
    bench.go(name="second", target=full())


@pytest.mark.parametrize(
    "unknown",
    [{"assurance_until": None}, {"registered": None}, {"owner": ""}, {"stations": None}],
)
def test_an_unknown_places_nothing_also_with_a_confirmation(
    bench: Bench, unknown: dict[str, Any]
) -> None:
    """300 USD are not spent on what nobody has declared."""
    target = {**full(), **unknown}
    refused = bench.refused_alike(target=target, confirmation="0" * 64)
    assert refused.code is ProblemCode.ORDER_NOT_ALLOWED
    assert "is not known well enough" in refused.detail
    assert bench.orders.page("", 10) == []


def fee(answer: dict[str, Any]) -> str:
    """What the move costs."""
    return str(answer["quote"]["lines"][0]["amount"])


def test_two_orders_of_one_pair_that_go_together_cost_one_fee(bench: Bench) -> None:
    """In the plan by what is declared, when placed by what is placed."""
    beside = [other("first", shares_fee=True)]
    planned = bench.put(dry_run=True, name="second", others=beside)
    assert fee(planned) == "0.00"
    alone = bench.refused(name="second", others=beside, confirmation=planned["plan"]["digest"])
    assert alone.code is ProblemCode.CONFIRMATION_REQUIRED
    assert fee(bench.go(name="first")) == "300.00"
    both = bench.put(name="second", others=beside, confirmation=planned["plan"]["digest"])
    assert (fee(both), both["order"]["state"]) == ("0.00", "waiting")
    (reported,) = [
        entry["instructions"][0] for entry in bench.awaited() if "'second'" in entry["subject"]
    ]
    assert "the support case of the order 'first'" in reported
    # A third shares with the one that pays, and what pays is not shared back.
    assert fee(bench.put(dry_run=True, name="third")) == "0.00"
    bench.put(name="first", case_number="CAS-1")
    refused = bench.refused(name="second", case_number="CAS-2")
    assert refused.code is ProblemCode.DECLARATION_DIFFERS
    assert "one support case, which is CAS-1, not CAS-2" in refused.detail
    assert bench.put(name="second", case_number="CAS-1")["changed"] is True
    assert fee(bench.put(dry_run=True, name="fourth", case_number="CAS-9")) == "300.00"
    finish(bench, "first")
    assert fee(bench.put(dry_run=True, name="fourth")) == "300.00"


def test_what_others_placed_meanwhile_is_not_overlooked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was judged before, and is written after."""
    said = bench.confirmed(name="second", target=full())
    look = bench.orders._judged_today

    def late(request: Any, dry_run: bool) -> Any:
        judged = look(request, dry_run)
        monkeypatch.setattr(bench.orders, "_judged_today", look)
        bench.go(name="first", target=full())
        return judged

    monkeypatch.setattr(bench.orders, "_judged_today", late)
    refused = bench.refused(**said)
    assert refused.code is ProblemCode.CONTAINER_BUSY
    assert [entry["name"] for entry in bench.orders.page("", 10)] == ["first"]


def test_today_is_judged_by_the_clock_and_a_date_lies_ahead(bench: Bench) -> None:
    """A date of last week makes nothing active that has ended."""
    yesterday = (today(bench) - timedelta(days=1)).isoformat()
    ended = {**declared()["target"], "assurance_until": yesterday}
    assert "and today is" in bench.refused(target=ended).detail
    past = bench.refused(on=yesterday)
    assert past.code is ProblemCode.REQUEST_INVALID
    assert yesterday in past.detail
    bench.go(on=(today(bench) + timedelta(days=7)).isoformat())


def test_an_open_order_declared_otherwise_says_what_and_never_to_pay_twice(bench: Bench) -> None:
    """Systems and keys are what it stands for."""
    bench.go()
    refused = bench.refused(keys=declared()["keys"][:1])
    assert refused.code is ProblemCode.DECLARATION_DIFFERS
    assert f"declared {KEYS[0]}, begun with {KEYS[0]}, {KEYS[1]}" in refused.detail
    assert "new name" not in refused.next_action
    assert "its fee is due" in refused.next_action


def test_a_done_order_declared_otherwise_says_so(bench: Bench) -> None:
    """Declared one, done another."""
    bench.go(case_number="CAS-1")
    finish(bench, "front-desk")
    third = {**declared()["target"], "system_key": "THIRD"}
    for dry_run in (True, False):
        refused = bench.refused(dry_run=dry_run, target=third)
        assert refused.code is ProblemCode.DECLARATION_DIFFERS
        assert "target: declared THIRD, done 0012-9999-0001" in refused.detail
    same = bench.put(target={**declared()["target"], "stations": 45})
    assert (same["changed"], same["after"]) == (False, {"state": "done"})


def test_the_vendors_new_keys_are_recorded_and_the_purchase_order_is_a_step(
    mailing: Bench, support: Support
) -> None:
    """From hardware to software-only, with the twin's desk."""
    values: dict[str, Any] = {"target": soft()}
    steps = [step["name"] for step in mailing.go(**values)["plan"]["steps"]]
    assert steps == [
        "papers", "case", "papers_with_case", "purchase_order", "send", "authorize", "move",
        "new_keys", "register_old", "register_new",
    ]  # fmt: skip
    case = people.open_case(support.address, SOFT)
    mailing.put(case_number=case, **values)
    assert (mailing.awaits(), support.mails()) == ([("person", "purchase_order")], [])
    people.purchase_order(support.address, SOFT)
    mailing.attest(statement="Sent as PO 4711.")
    assert len(support.mails()) == 1
    support.fax(case)
    mailing.attest(statement="Faxed.")
    support.work()
    answer = control.describe(support.address)["cases"][case]["answers"][-1]["text"]
    mailing.attest(statement=answer)
    (waiting,) = mailing.awaited()
    assert (waiting["who"], waiting["step"], waiting["attestable"]) == ("vendor", "new_keys", False)
    issued = answer.removeprefix("Moved: ").removesuffix(".").split(", ")
    case_list = control.describe(support.address)["keys"]
    keys = [{"key": each, "product": case_list[each]["product"]} for each in issued]
    assert mailing.put(dry_run=True, new_keys=keys, **values)["changed"] is True
    assert mailing.put(new_keys=keys, **values)["order"]["new_keys"] == keys
    assert "new_keys" in mailing.actions()
    assert mailing.awaits() == [("person", "register_old")]
    support.register(OLD)
    mailing.attest()
    assert all(each in mailing.awaited()[0]["instructions"][0] for each in issued)
    assert set(issued) <= set(support.register(SOFT, *issued))
    mailing.attest()
    assert mailing.view()["state"] == "done"
    assert mailing.put(new_keys=keys, **values)["changed"] is False
    refused = mailing.refused(new_keys=keys[:1], **values)
    assert issued[1] in refused.detail


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"new_keys": [{"key": "SSW-1", "product": "SSW-STATION-10"}]}, "software-only"),
        ({"new_keys": [{"key": KEYS[0], "product": "P"}], "target": soft()}, KEYS[0]),
        ({"new_keys": [{"key": "A", "product": "P"}] * 2, "target": soft()}, "named twice"),
    ],
)
def test_new_keys_that_cannot_be_are_named(bench: Bench, values: dict[str, Any], part: str) -> None:
    """Before anything is done."""
    refused = bench.refused(**values)
    assert (refused.code, part in refused.detail) == (ProblemCode.REQUEST_INVALID, True)
