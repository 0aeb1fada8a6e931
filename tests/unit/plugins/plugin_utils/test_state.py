# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose products a host has, what counts as drift, as waiting and as a mistake."""

from __future__ import annotations

import typing as t
from itertools import pairwise

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._state import (
    drift,
    drift_table,
    failures,
    held_up,
    misspelt,
    vendors_here,
)

CODEMETER, NO_CODEMETER = (
    {"vendor": "codemeter", "version": version} for version in ("8.20", None)
)
CHAOS = {"vendor": "chaos", "version": None}
WAIT = {"operation": "op-1", "subject": "borrow 'fair'", "title": "borrowing 2", "who": "person"}


def test_the_agent_tells_whose_products_a_host_has() -> None:
    assert vendors_here([], [CODEMETER, CHAOS], {}, "a") == ["chaos", "codemeter"]
    assert vendors_here([], [NO_CODEMETER, CHAOS], {}, "a") == ["chaos"]
    # A host that shows nothing is asked for its containers, and says what is wrong.
    assert vendors_here([], [NO_CODEMETER], {}, "a") == ["codemeter"]


def test_the_inventory_says_it_instead() -> None:
    assert vendors_here(["chaos"], [CODEMETER], {}, "a") == ["chaos"]


def test_what_is_declared_for_this_very_host_counts() -> None:
    declared: dict[str, list[dict[str, t.Any]]] = {
        "license_transfers": [{"source": "a", "target": "b"}],
        "license_orders": [{"host": "c"}],
        "license_server_configs": [{"host": "d", "vendor": "chaos"}, {"vendor": "codemeter"}],
        "license_activations": [{"method": "online"}],
    }
    found = {agent: vendors_here(["chaos"], [], declared, agent) for agent in "abcde"}
    assert found["a"] == found["b"] == ["chaos", "codemeter"]
    assert found["c"] == ["altigen", "chaos"]
    assert found["d"] == found["e"] == ["chaos"]


def result(before: dict[str, t.Any], after: dict[str, t.Any], **more: t.Any) -> dict[str, t.Any]:
    """What a module returns."""
    shown = {"before_header": "server x, before", "before": before, "after": after}
    return {"changed": before != after, "diff": shown, **more}


def test_drift_has_a_row_for_each_value_that_differs() -> None:
    before = {"settings": {"a": {"level": "debug", "port": "1"}}, "rules": [1], "gone": 1}
    after = {"settings": {"a": {"level": "info", "port": "1"}}, "rules": [2], "new": 0}
    assert drift([{}, {"results": [result(before, after), result(after, after)]}]) == [
        {"what": "server x: settings.a.level", "declared": "info", "present": "debug",
         "outcome": "changed"},
        {"what": "server x: gone", "declared": None, "present": 1, "outcome": "changed"},
        {"what": "server x: new", "declared": 0, "present": None, "outcome": "changed"},
    ]  # fmt: skip


def test_work_that_people_go_on_with_is_declared_to_be_done() -> None:
    begun = result({"state": "none"}, {"state": "waiting"}, waiting=[WAIT])
    assert drift([begun]) == [
        {"what": "server x: state", "declared": "done", "present": "none", "outcome": "waits"},
        {"what": "borrow 'fair'", "present": "borrowing 2", "outcome": "waits for person"},
    ]
    again = result({"state": "waiting"}, {"state": "waiting"}, waiting=[WAIT])
    assert [row["outcome"] for row in drift([again])] == ["waits for person"]


def test_work_of_several_tasks_is_one_row() -> None:
    states = ("none", "backed_up", "released", "finished")
    legs = [result({"state": before}, {"state": now}) for before, now in pairwise(states)]
    row = {"what": "server x: state", "declared": "done", "present": "none", "outcome": "changed"}
    assert drift(legs) == [row]
    waits = result({"state": "backed_up"}, {"state": "releasing"}, waiting=[WAIT])
    assert drift([legs[0], waits])[0] == {**row, "outcome": "waits"}


BUSY = {"code": "container-busy", "operation": "op-1", "detail": "It was not begun."}


def test_what_a_waiting_step_holds_up_is_no_failure() -> None:
    refused = {"results": [{"problem": BUSY}, {"changed": False}]}
    assert held_up([refused], [WAIT])
    assert drift([refused]) == [{"what": "It was not begun.", "outcome": "waits"}]
    assert not held_up([refused], [])
    assert not held_up([{"problem": {**BUSY, "operation": "op-2"}}], [WAIT])
    assert not held_up([{"results": [{"problem": BUSY}, {"problem": {"code": "x"}}]}], [WAIT])
    # A task that failed without a problem of the agent is a failure like any other.
    assert not held_up([{"msg": "no such file"}], [WAIT])
    assert not held_up([{"results": [{"problem": BUSY}, {"msg": "no such file"}]}], [WAIT])


def test_the_table_has_every_host() -> None:
    row = {"what": "a thing", "declared": 1, "present": 0, "outcome": "changed"}
    reported = [
        {"host": "one", "drift": [row], "failures": [], "whole": True},
        {"host": "two", "drift": [], "failures": [], "whole": True},
        {"host": "three", "drift": [], "failures": [{"part": "orders"}] * 2, "whole": False},
    ]
    hosts = ["one", "two", "three", "four"]
    shown = [line.split() for line in drift_table(reported, hosts, True)]
    assert shown[0] == ["Host", "What", "Declared", "Present", "Outcome"]
    assert shown[1] == ["one", "a", "thing", "1", "0", "would", "change"]
    assert shown[2] == ["two", "nothing", "differs"]
    assert shown[3] == ["three", "orders", "failed"]
    assert shown[4][:4] == ["four", "not", "looked", "at,"]
    ran = [line.split() for line in drift_table(reported, hosts, False)]
    assert (ran[0][3], ran[1][-1]) == ("Before", "changed")


def test_a_failure_is_told_by_each_item_that_failed() -> None:
    assert failures({"msg": "Told why."}) == ["Told why."]
    items = [{"failed": True, "msg": "This one."}, {"failed": False}, {"failed": True}]
    loop = {"msg": "One or more items failed", "results": items}
    assert failures(loop) == ["This one.", "no reason was given"]


def test_a_variable_spelled_almost_as_one_that_is_read_is_a_mistake() -> None:
    known = ["license_transfers", "license_server_configs", "seatkeeper_vendors"]
    for name, meant in (
        ("license_transfer", "license_transfers"),
        ("licence_server_configs", "license_server_configs"),
        ("seatkeeper_vendor", "seatkeeper_vendors"),
    ):
        (reported,) = misspelt([name, "ansible_host", *known], known)
        assert reported.startswith(f"The inventory sets {name}, which nothing reads.")
        assert f"Did you mean {meant}?" in reported
    assert misspelt(["license_file", "servers", "license_server_key", *known], known) == []
