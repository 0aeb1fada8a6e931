# SPDX-License-Identifier: GPL-3.0-or-later
"""Any prefix of the legs may have run already: the rest, and only the rest, is left to do."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import transfer_id
from ansible_collections.seatkeeper.licensing.plugins.module_utils._tables import table
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._declarations import (
    all_transfers,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._legs import (
    LEGS,
    Fleet,
    Reported,
    leg_calls,
    needed_legs,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._outcome import (
    kept_results,
    outcome,
    sum_problems,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._places import borrows_of

DECLARED = {
    "name": "simulation",
    "item": "6000010:201",
    "type": "licenses",
    "quantity": 10,
    "source": "old-server",
    "target": "new-server",
}
IDENTITY = transfer_id("simulation")
CONTAINERS = {"old-server": "130-1000000001", "new-server": "130-2000000002"}


def record(side: str, state: str, **changes: t.Any) -> dict[str, t.Any]:
    return {
        "id": IDENTITY,
        "name": "simulation",
        "item": "6000010:201",
        "type": "licenses",
        "mode": "push",
        "quantity": 10,
        "until": None,
        "parent": None,
        "side": side,
        "state": state,
        "source": {"agent": "old-server", "container": CONTAINERS["old-server"]},
        "target": {"agent": "new-server", "container": CONTAINERS["new-server"]},
        "amounts": {"seats": 10},
        "documents": {},
        **changes,
    }


def items(container: str, seats: int, borrowed_until: str | None = None) -> dict[str, t.Any]:
    return {
        "container": container,
        "item": "6000010:201@1",
        "seats": seats,
        "units": 0,
        "status": "enabled",
        "borrowed_until": borrowed_until,
    }


def reported(agent: str, *records: dict[str, t.Any], seats: int = 0) -> Reported:
    serial = CONTAINERS[agent]
    before = {
        "containers": [{"serial": serial}],
        "items": [items(serial, seats)],
        "transfers": list(records),
    }
    return {"agent": agent, "results": {}, "before": before}


def fleet(source: str | None, target: str | None) -> list[Reported]:
    old = [] if source is None else [record("source", source)]
    new = [] if target is None else [record("target", target)]
    return [reported("old-server", *old), reported("new-server", *new)]


def left(hosts: list[Reported], declared: bool = True, by_files: bool = False) -> list[str]:
    found = all_transfers([DECLARED] if declared else [], hosts)
    return needed_legs(found[0], Fleet(hosts), by_files) if found else []


@pytest.mark.parametrize(
    ("source", "target", "legs"),
    [
        (None, None, ["request", "issue", "install", "confirm", "acknowledge"]),
        (None, "requested", ["issue", "install", "confirm", "acknowledge"]),
        ("created", "requested", ["issue", "install", "confirm", "acknowledge"]),
        ("debiting", "requested", ["issue", "install", "confirm", "acknowledge"]),
        ("in_transit", "requested", ["install", "confirm", "acknowledge"]),
        ("in_transit", "accepted", ["install", "confirm", "acknowledge"]),
        ("in_transit", "crediting", ["install", "confirm", "acknowledge"]),
        ("in_transit", "transferred", ["confirm", "acknowledge"]),
        ("transferred_receipted", "transferred", ["acknowledge"]),
        ("transferred_receipted", "transferred_receipted", []),
        ("in_transit", "refused", ["confirm"]),
        ("crediting_back", "refused", ["confirm"]),
        ("in_transit", "void", ["install", "confirm", "acknowledge"]),
        ("debiting", "void", ["issue", "install", "confirm", "acknowledge"]),
        (None, "void", ["request", "issue", "install", "confirm", "acknowledge"]),
        ("created", "void", ["request", "issue", "install", "confirm", "acknowledge"]),
        ("void", "refused", []),
        ("void", "void", []),
        ("void", "requested", []),
    ],
)
def test_the_legs_that_are_left(source: str | None, target: str | None, legs: list[str]) -> None:
    assert left(fleet(source, target)) == legs


@pytest.mark.parametrize(
    ("source", "target", "legs"),
    [
        ("in_transit", "void", ["install", "confirm", "acknowledge"]),
        ("debiting", "requested", ["issue", "install", "confirm", "acknowledge"]),
        ("in_transit", "crediting", ["install", "confirm", "acknowledge"]),
        ("transferred_receipted", "transferred", ["acknowledge"]),
        ("created", "requested", []),
        (None, "requested", []),
        # What one host alone says leads to nothing.
        ("in_transit", None, []),
        (None, "crediting", []),
        ("created", "accepted", []),
    ],
)
def test_what_nobody_declares_any_more_is_driven_on_once_it_was_debited(
    source: str | None, target: str | None, legs: list[str]
) -> None:
    assert left(fleet(source, target), declared=False) == legs


def test_a_changed_declaration_goes_to_the_agent_which_refuses_it() -> None:
    hosts = fleet("transferred_receipted", "transferred_receipted")
    changed = all_transfers([{**DECLARED, "quantity": 11}], hosts)[0]
    assert needed_legs(changed, Fleet(hosts), by_files=False) == ["issue"]


@pytest.mark.parametrize("target", [None, "requested", "void"])
@pytest.mark.parametrize("source", [None, "created"])
def test_what_has_not_begun_is_declared_anew(source: str | None, target: str | None) -> None:
    hosts = fleet(source, target)
    changed = all_transfers([{**DECLARED, "quantity": 11}], hosts)[0]
    assert needed_legs(changed, Fleet(hosts), by_files=False) == list(LEGS)


@pytest.mark.parametrize(
    ("source", "target", "leg"),
    [
        ("debiting", "requested", "issue"),
        ("in_transit", "requested", "issue"),
        ("in_transit", "void", "issue"),
        (None, "accepted", "request"),
        (None, "crediting", "request"),
    ],
)
def test_what_may_have_begun_is_refused_where_it_began(
    source: str | None, target: str | None, leg: str
) -> None:
    hosts = fleet(source, target)
    changed = all_transfers([{**DECLARED, "quantity": 11}], hosts)[0]
    assert needed_legs(changed, Fleet(hosts), by_files=False) == [leg]


def test_with_files_a_host_repeats_what_the_other_may_lack() -> None:
    assert left(fleet("in_transit", None)[:1], by_files=True) == list(LEGS)
    assert left(fleet("transferred_receipted", None)[:1], by_files=True) == [
        "request",
        "install",
        "confirm",
        "acknowledge",
    ]
    done = fleet("transferred_receipted", "transferred_receipted")
    assert left(done, by_files=True) == []


def answered(hosts: list[Reported], agent: str, leg: str, **result: t.Any) -> list[Reported]:
    """The hosts after one host ran a leg."""
    call = {"id": IDENTITY, "name": "simulation"}
    return [
        kept_results(host, leg, [{"license_transfer_call": call, **result}])
        if host["agent"] == agent
        else host
        for host in hosts
    ]


def calls(hosts: list[Reported], leg: str, agent: str, documents_dir: str = "") -> list[t.Any]:
    transfers = all_transfers([DECLARED], hosts)
    return leg_calls(transfers, leg, agent, Fleet(hosts), documents_dir)


STEP = {
    "leg": "request",
    "name": "request",
    "title": "ask",
    "reversible": True,
    "performer": "agent",
    "state": "planned",
}


def requested_well(hosts: list[Reported]) -> list[Reported]:
    """The hosts after the source's rules were asked and allow it."""
    plan = {"digest": "d", "steps": [STEP]}
    return answered(hosts, "old-server", "ask", changed=True, plan=plan)


def test_the_source_is_asked_before_the_target_is_touched() -> None:
    hosts = fleet(None, None)
    assert calls(hosts, "request", "new-server") == []
    (requested,) = calls(hosts, "ask", "old-server")
    assert (requested["leg"], requested["document"], requested["plan_digest"]) == (
        "issue",
        None,
        None,
    )
    assert calls(hosts, "ask", "new-server") == []
    refused = answered(hosts, "old-server", "ask", msg="Not enough.")
    assert calls(refused, "request", "new-server") == []
    reported_old = outcome(all_transfers([DECLARED], refused), "old-server", refused, "")
    assert reported_old["failures"] == ["simulation, leg issue: Not enough."]
    plan = {"digest": "d", "steps": [STEP]}
    allowed = answered(hosts, "old-server", "ask", changed=True, plan=plan)
    assert len(calls(allowed, "request", "new-server")) == 1
    reported_old = outcome(all_transfers([DECLARED], allowed), "old-server", allowed, "")
    assert (reported_old["plan"], reported_old["legs"]) == ([], list(LEGS))
    # Nothing is asked of a source that is not there, or where the target asked before.
    assert len(calls(hosts[1:], "request", "new-server")) == 1
    assert calls(hosts, "ask", "old-server", "/documents") == []
    assert calls(fleet(None, "requested"), "ask", "old-server") == []


def test_a_call_names_both_containers_and_takes_the_document_of_this_run() -> None:
    hosts = requested_well(fleet(None, None))
    request = calls(hosts, "request", "new-server")[0]
    assert request["source_container"] == "130-1000000001"
    assert request["target_container"] == "130-2000000002"
    assert calls(hosts, "request", "old-server") == []
    assert calls(hosts, "issue", "old-server") == []
    plan = {"digest": "d", "steps": [STEP]}
    hosts = answered(
        hosts,
        "new-server",
        "request",
        changed=True,
        plan=plan,
        document={"payload": "r"},
        facts={"firm_item_present": True},
    )
    issue = calls(hosts, "issue", "old-server")[0]
    assert issue["document"] == {"payload": "r"}
    assert issue["facts"] == {"firm_item_present": True}
    assert calls(hosts, "request", "new-server") == []


def test_a_document_is_found_in_the_journal_of_either_host() -> None:
    request = {"payload": "kept"}
    hosts = fleet(None, "requested")
    hosts[1]["before"]["transfers"][0]["documents"]["request"] = request
    assert calls(hosts, "issue", "old-server")[0]["document"] == request


def test_a_failed_leg_stops_its_transfer_and_is_told_on_its_host_only() -> None:
    hosts = answered(requested_well(fleet(None, None)), "new-server", "request", msg="Told why.")
    assert calls(hosts, "issue", "old-server") == []
    transfers = all_transfers([DECLARED], hosts)
    reported_new = outcome(transfers, "new-server", hosts, "")
    reported_old = outcome(transfers, "old-server", hosts, "")
    assert reported_new["failures"] == ["simulation, leg request: Told why."]
    assert reported_old["failures"] == []
    assert reported_old["plan"] == []
    assert reported_old["legs"] == ["issue", "install", "confirm", "acknowledge"]


def test_the_plan_holds_the_steps_that_change_something() -> None:
    plan = {"digest": "d", "steps": [STEP]}
    hosts = answered(fleet(None, None), "new-server", "request", changed=True, plan=plan)
    reported_old = outcome(all_transfers([DECLARED], hosts), "old-server", hosts, "")
    assert [(row["transfer"], row["leg"], row["host"]) for row in reported_old["plan"]] == [
        ("simulation", "request", "new-server")
    ]


def test_what_cannot_be_undone_shows_the_digest_that_confirms_it() -> None:
    hosts = fleet("created", "requested")
    plan = {"digest": "abc", "steps": [{**STEP, "reversible": False}]}
    hosts = answered(hosts, "old-server", "issue", changed=True, plan=plan)
    reported_old = outcome(all_transfers([DECLARED], hosts), "old-server", hosts, "")
    assert reported_old["confirmations"] == {"simulation": "abc"}


def test_an_agent_that_no_host_has_is_named() -> None:
    hosts = fleet(None, None)[1:]
    reported_new = outcome(all_transfers([DECLARED], hosts), "new-server", hosts, "")
    assert "no host of this play has the agent old-server" in reported_new["failures"][0]
    assert outcome(all_transfers([DECLARED], hosts), "new-server", hosts, "/x")["failures"] == []


def test_a_refused_transfer_is_over_and_says_so() -> None:
    hosts = fleet("void", "refused")
    reported_new = outcome(all_transfers([DECLARED], hosts), "new-server", hosts, "")
    assert "was refused at new-server and is over" in reported_new["failures"][0]


def test_documents_have_file_names_that_people_recognise() -> None:
    transfers = all_transfers([{**DECLARED, "name": "Ärger/../x"}], fleet(None, None))
    call = leg_calls(transfers, "request", "new-server", Fleet(fleet(None, None)), "/stick")[0]
    assert call["leg"] == "request"
    assert call["document_dest"].startswith("/stick/_rger_.._x-")
    assert call["document_dest"].endswith(".request.json")


def test_an_end_that_is_no_date_names_the_transfer() -> None:
    with pytest.raises(AnsibleFilterError, match="Transfer simulation: The value 'soon' of until"):
        all_transfers([{**DECLARED, "until": "soon"}], [])


def test_the_source_container_is_the_one_that_has_the_item() -> None:
    hosts = fleet(None, None)
    hosts[0]["before"]["containers"].append({"serial": "130-3"})
    assert all_transfers([DECLARED], hosts)[0]["source"]["container"] == "130-1000000001"
    hosts[0]["before"]["items"].append(items("130-3", 1))
    assert all_transfers([DECLARED], hosts)[0]["source"]["container"] is None
    borrow = {"item": "6000010:201", "source": "old-server", "target": "new-server"}
    assert borrows_of([borrow], "new-server", hosts)[0]["target_container"] == "130-2000000002"
    assert borrows_of([borrow], "old-server", hosts) == []


def after(
    hosts: list[Reported], *seats: int, state: str = "transferred_receipted"
) -> list[Reported]:
    return [
        {
            **host,
            "after": {
                "items": [items(CONTAINERS[host["agent"]], count)],
                "transfers": [record(side, state)],
            },
        }
        for host, count, side in zip(hosts, seats, ("source", "target"), strict=False)
    ]


def test_sums_notice_what_is_lost_or_doubled() -> None:
    hosts = [reported("old-server", seats=25), reported("new-server", seats=0)]
    transfers = all_transfers([DECLARED], hosts)
    assert sum_problems(transfers, after(hosts, 15, 10)) == []
    assert "There were 25 seats" in sum_problems(transfers, after(hosts, 15, 0))[0]
    assert "there are 35 now" in sum_problems(transfers, after(hosts, 25, 10))[0]


def test_what_is_on_its_way_is_counted() -> None:
    hosts = [reported("old-server", seats=25), reported("new-server", seats=0)]
    transfers = all_transfers([DECLARED], hosts)
    assert sum_problems(transfers, after(hosts, 15, 0, state="in_transit")) == []


def test_what_leaves_the_play_is_left_out() -> None:
    hosts = [reported("old-server", seats=25)]
    transfers = all_transfers([DECLARED], hosts)
    assert sum_problems(transfers, after(hosts, 15)) == []


def test_a_table_has_columns_of_equal_width() -> None:
    rows = [{"item": "6000010:201", "seats": 25}, {"item": "1:2", "seats": None}]
    assert table(rows, {"item": "Item", "seats": "Seats"}) == [
        "Item         Seats",
        "6000010:201  25",
        "1:2",
    ]
