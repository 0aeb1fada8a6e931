# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared orders: their systems, what is left of them, and what a run came to."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._orders import (
    order_list,
    order_outcome,
    order_rows,
)

SYSTEMS = [{"name": "branch", "system_key": "AA-1"}, {"name": "hq", "system_key": "AA-2"}]
ORDER = {"name": "to-hq", "source": "branch", "target": "hq", "keys": [{"key": "K-1"}]}
WAIT = {
    "step": "send",
    "operation": "op-1",
    "subject": "order 'to-hq'",
    "attestable": True,
    "title": "the vendor moving the licenses",
    "who": "vendor",
    "instructions": ["Wait."],
    "verified_by": "The case says so",
    "since": "2026-11-21T09:30:00Z",
    "until": "2026-11-22T09:30:00Z",
    "overdue": False,
}
KNOWN = {
    **ORDER,
    "state": "waiting",
    "source_key": "AA-1",
    "target_key": "AA-2",
    "ended_on": None,
    "case_number": "CAS-1",
    "operation": {"id": "op-1", "state": "waiting"},
}
STEP = {
    "name": "move",
    "title": "moving",
    "performer": "vendor",
    "reversible": False,
    "state": "planned",
}
QUOTE = {"lines": [], "total": None, "currency": "USD", "documents": []}


def result(name: str, **values: t.Any) -> dict[str, t.Any]:
    """What the module returned for an order."""
    return {
        "license_order_entry": {"name": name},
        "changed": True,
        "plan": {"steps": [STEP]},
        "digest": "d",
        "quote": QUOTE,
        "quote_table": ["to be asked  Total"],
        "report_table": ["met  same_owner"],
        "waiting": [],
        **values,
    }


def test_orders_get_the_systems_that_they_name() -> None:
    (found,) = order_list([ORDER], SYSTEMS, [])
    assert (found["source"], found["target"]) == (SYSTEMS[0], SYSTEMS[1])
    assert found["keys"] == ORDER["keys"]


@pytest.mark.parametrize("number", ["4111 1111 1111 1111", 4111111111111111])
@pytest.mark.parametrize(
    ("order", "system"),
    [
        ({"fields": {"cost_centre": "{}"}}, {}),
        ({"case_number": "{}"}, {}),
        ({"name": "{}"}, {}),
        ({}, {"owner": "{}"}),
    ],
)
def test_card_data_gets_to_no_host(
    order: dict[str, t.Any], system: dict[str, t.Any], number: t.Any
) -> None:
    def put(value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {name: put(inner) for name, inner in value.items()}
        return number if value == "{}" else value

    with pytest.raises(
        AnsibleFilterError, match="may hold the number of a payment card"
    ) as reported:
        order_list([{**ORDER, **put(order)}], [{**SYSTEMS[0], **put(system)}, SYSTEMS[1]], [])
    assert "1111" not in str(reported.value)
    typed = {**SYSTEMS[0], "system_key": "4111 1111 1111 1111"}
    assert order_list([ORDER], [typed, SYSTEMS[1]], [])


def test_only_done_orders_are_left_out() -> None:
    states = ("none", "running", "waiting", "in_doubt", "failed", "done")
    known = {state: [{**KNOWN, "state": state}] for state in states}
    left = {state: len(order_list([ORDER], SYSTEMS, known[state])) for state in states}
    assert left == {**dict.fromkeys(states, 1), "done": 0}


def test_a_done_order_may_name_systems_that_are_gone() -> None:
    done = {**KNOWN, "state": "done"}
    assert order_list([ORDER], [], [done]) == []
    with pytest.raises(AnsibleFilterError, match="names the target moon"):
        order_list([{**ORDER, "target": "moon"}], SYSTEMS, [done])


@pytest.mark.parametrize(
    "declared",
    [
        {"keys": [{"key": "K-2"}]},
        {"keys": [{"key": "K-1"}, {"key": "K-2"}]},
        {"target": "third"},
        {"source": "hq"},
    ],
)
def test_a_done_order_that_is_declared_otherwise_is_asked_about(
    declared: dict[str, t.Any],
) -> None:
    systems = [*SYSTEMS, {"name": "third", "system_key": "AA-3"}]
    done = [{**KNOWN, "state": "done"}]
    (found,) = order_list([{**ORDER, **declared}], systems, done)
    assert found["name"] == "to-hq"
    renamed = [{"name": "office", "system_key": "AA-1"}, *systems]
    assert order_list([{**ORDER, "source": "office"}], renamed, done) == []


def test_orders_that_are_declared_before_are_given_beside_one() -> None:
    first, second, third = (
        {**ORDER, "host": agent, "name": name, "keys": [{"key": name}]}
        for name, agent in (("a", "here"), ("b", "elsewhere"), ("c", "here"))
    )
    everywhere = [first, second, third]
    found = order_list([first, third], SYSTEMS, [], everywhere)
    assert [[o["name"] for o in entry["others"]] for entry in found] == [[], ["a", "b"]]
    assert [o["shares_fee"] for o in found[1]["others"]] == [True, False]
    assert found[1]["others"][0]["target"] == SYSTEMS[1]
    # What the host has placed, its agent knows by itself.
    placed = [{**KNOWN, "name": "a"}]
    (left,) = order_list([third], SYSTEMS, placed, everywhere)
    assert [o["name"] for o in left["others"]] == ["b"]


def test_what_other_hosts_have_placed_counts_as_they_know_it() -> None:
    mine = {**ORDER, "host": "here", "name": "c"}
    theirs = {**KNOWN, "name": "b", "state": "done", "ended_on": "2026-11-21"}
    elsewhere = [theirs, {**KNOWN, "name": "f", "state": "failed"}, {**KNOWN, "name": "w"}]
    (found,) = order_list([mine], SYSTEMS, [], [mine], elsewhere)
    assert [(o["name"], o["ended_on"]) for o in found["others"]] == [
        ("b", "2026-11-21"),
        ("w", None),
    ]
    assert found["others"][0]["target"]["system_key"] == "AA-2"


@pytest.mark.parametrize(
    ("orders", "systems", "reported"),
    [
        ([{**ORDER, "target": "moon"}], SYSTEMS, "names the target moon.*There is: branch, hq"),
        ([ORDER], [], "There is: none"),
        ([ORDER], [*SYSTEMS, SYSTEMS[0]], "phone_systems have the name branch"),
        ([ORDER, ORDER], SYSTEMS, "license_orders have the name to-hq"),
    ],
)
def test_what_is_declared_wrongly_is_one_sentence(
    orders: list[t.Any], systems: list[t.Any], reported: str
) -> None:
    with pytest.raises(AnsibleFilterError, match=reported):
        order_list(orders, systems, [])


def test_a_row_tells_who_has_to_act_since_when_and_until_when() -> None:
    (row,) = order_rows([KNOWN], [WAIT])
    assert row == {
        "name": "to-hq",
        "move": "branch to hq",
        "keys": 1,
        "case_number": "CAS-1",
        "state": "waiting",
        "who": "vendor",
        "waits_for": "the vendor moving the licenses",
        "since": "2026-11-21T09:30:00Z",
        "until": "2026-11-22T09:30:00Z",
    }
    (late,) = order_rows([KNOWN], [{**WAIT, "overdue": True}])
    assert late["until"] == "2026-11-22T09:30:00Z (overdue)"
    (row,) = order_rows([{**KNOWN, "operation": None, "state": "none"}], [WAIT])
    assert (row["who"], row["until"]) == (None, None)


def test_an_outcome_shows_what_is_to_be_confirmed_and_who_is_awaited() -> None:
    placed = result("b", digest=None, waiting=[WAIT])
    refused = {"license_order_entry": {"name": "c"}, "failed": True, "msg": "Not allowed."}
    priced = result("d", quote={**QUOTE, "total": "300.00"})
    found = order_outcome([result("a"), placed, refused, priced, {"skipped": True}])
    assert [(entry["order"], entry["total"]) for entry in found["confirmations"]] == [
        ("a", "to be asked"),
        ("d", "300.00 USD"),
    ]
    assert {row["order"] for row in found["plan"]} == {"a", "d"}
    assert found["waits"] == [WAIT]
    assert found["failures"] == ["Order c: Not allowed."]
    assert [quote["order"] for quote in found["quotes"]] == ["a", "b", "d"]
    text = "\n".join(found["lines"])
    assert "The rules for order a:\nmet  same_owner\nWhat order a costs:\nto be asked" in text
    assert "order b" not in text
    assert "Waiting for the vendor: the vendor moving the licenses" in text


def test_a_run_shows_what_its_orders_cost_together() -> None:
    def cost(amount: str | None, **values: t.Any) -> dict[str, t.Any]:
        lines = [{"amount": "300.00"}, {"amount": amount}]
        total = None if amount is None else f"{300 + float(amount):.2f}"
        return {"quote": {**QUOTE, "lines": lines, "total": total}, **values}

    found = order_outcome([result("a", **cost("20.00")), result("b", **cost("0.00"))])
    assert "The orders to be confirmed cost together: 620.00 USD" in found["lines"]
    found = order_outcome([result("a", **cost("20.00")), result("b", **cost(None))])
    assert (
        "The orders to be confirmed cost together: 620.00 USD, and what is to be asked"
        in found["lines"]
    )
    placed = {"digest": None, "before": {"state": "none"}}
    found = order_outcome([result(n, **cost("1.00", **placed)) for n in ("a", "b")])
    assert "The orders placed now cost together: 602.00 USD" in found["lines"]
    waiting = {"digest": None, "before": {"state": "waiting"}}
    found = order_outcome([result(n, **cost("1.00", **waiting)) for n in ("a", "b")])
    assert not [line for line in found["lines"] if "together" in line]


def test_nothing_ordered_is_nothing_told() -> None:
    assert order_outcome([])["lines"] == []


def test_another_host_speaks_for_its_own_orders_only() -> None:
    """Of one that is declared for this host, and of what cannot be read, nothing is taken."""
    placed = {**KNOWN, "name": "placed-elsewhere"}
    about_this = {**KNOWN, "keys": [{"key": "K-9"}]}
    (found,) = order_list([ORDER], SYSTEMS, [], [], [placed, about_this, {"name": 1}, None])
    assert [other["name"] for other in found["others"]] == ["placed-elsewhere"]
    with pytest.raises(AnsibleFilterError, match="sent something that cannot be read, at orders"):
        order_list([{**ORDER, "host": "pbx"}], SYSTEMS, [{"name": 1}])
