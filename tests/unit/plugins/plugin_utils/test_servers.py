# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles for license servers and dongles make of the inventory and of results."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._migrations import (
    migration_outcome,
    migrations_left,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._servers import (
    declared_at,
    server_rows,
    wait_lines,
)

USER = "artist@studio-a.example"
ENTRY = {"dongle": "90000001", "target_user": USER}
WAIT = {
    "operation": "op-1",
    "subject": "dongle 90000001",
    "title": "transferring the dongle",
    "who": "person",
    "instructions": ["Open the page.", "Click TRANSFER."],
    "verified_by": "The account shows more licenses.",
    "attestable": False,
    "since": "2026-11-20T10:00:00Z",
    "until": "2026-11-21T10:00:00Z",
    "overdue": True,
}
STEP = {
    "name": "transfer",
    "title": "migrating it",
    "performer": "person",
    "reversible": False,
    "state": "planned",
}
RESULT = {
    "dongle_migration_entry": ENTRY,
    "changed": True,
    "plan": {"steps": [STEP]},
    "digest": "d",
    "acknowledgement": "I know.",
    "report_table": ["met  one_dongle"],
    "waiting": [],
}


def record(state: str, **changes: t.Any) -> dict[str, t.Any]:
    dongle = {"id": "90000001", "path": "1-1.4", "serial": "90000001"}
    usual = {"dongle": dongle, "names": ["90000001"], "target_user": USER}
    return {**usual, "state": state, **changes}


def test_an_entry_is_for_its_agent_or_for_every_host() -> None:
    entries = [{"host": "b", "n": 1}, {"n": 2}, {"host": "a", "n": 3}]
    assert [entry["n"] for entry in declared_at(entries, "a")] == [2, 3]


def test_a_dongle_that_was_migrated_to_the_same_user_is_left_out() -> None:
    assert migrations_left([ENTRY], []) == [ENTRY]
    assert migrations_left([ENTRY], [record("waiting")]) == [ENTRY]
    assert migrations_left([ENTRY], [record("done")]) == []
    assert migrations_left([{**ENTRY, "dongle": 90000001}], [record("done")]) == []


def test_a_dongle_that_was_declared_by_its_path_is_left_out_by_it_as_well() -> None:
    named = record("done", names=["1-1.4", "90000001"])
    assert migrations_left([{**ENTRY, "dongle": "1-1.4"}], [named]) == []
    assert migrations_left([{**ENTRY, "dongle": "1-1.4"}], [record("done")]) != []


def test_another_user_goes_to_the_agent_which_refuses_it() -> None:
    other = [record("done", target_user="admin@studio-a.example")]
    assert migrations_left([ENTRY], other) == [ENTRY]


def test_an_outcome_shows_rules_plan_and_what_confirms_it() -> None:
    outcome = migration_outcome([RESULT])
    assert outcome["confirmations"] == [
        {"dongle": "90000001", "plan_digest": "d", "acknowledge_irreversible": "I know."}
    ]
    assert [row["title"] for row in outcome["plan"]] == ["migrating it"]
    assert outcome["failures"] == []
    shown = "\n".join(outcome["lines"])
    for part in ("met  one_dongle", "migrating it", "I know."):
        assert part in shown


def test_what_failed_is_told_and_does_not_hide_the_others() -> None:
    failed = {"dongle_migration_entry": {**ENTRY, "dongle": "90000002"}, "msg": "Told why."}
    outcome = migration_outcome([failed, {**RESULT, "waiting": [WAIT]}])
    assert outcome["failures"] == ["Dongle 90000002: Told why."]
    assert outcome["waits"] == [WAIT]
    assert len(outcome["plan"]) == 1


def test_what_is_done_has_nothing_to_show() -> None:
    done = {**RESULT, "changed": False, "digest": None, "report_table": []}
    outcome = migration_outcome([done])
    assert outcome["lines"] == []


def test_a_wait_tells_what_to_do_and_that_it_is_late() -> None:
    assert wait_lines([WAIT]) == [
        "Waiting for a person: transferring the dongle",
        "  About: dongle 90000001",
        "  When: since 2026-11-20T10:00:00Z, until 2026-11-21T10:00:00Z (overdue)",
        "  1. Open the page.",
        "  2. Click TRANSFER.",
        "  Done when: The account shows more licenses.",
    ]
    lines = wait_lines([{**WAIT, "step": "verify 1.2.3.4", "attestable": True}])
    assert lines[-1] == (
        "  Then say so on the host: seatkeeper-agent attest op-1 done --step 'verify 1.2.3.4'"
        " 'how you know'"
    )
    undated = {**WAIT, "since": None, "until": None, "overdue": False}
    assert not any("When" in line for line in wait_lines([undated]))


def test_servers_are_shown_product_by_product() -> None:
    server: dict[str, t.Any] = {
        "vendor": "chaos",
        "version": "6.0.1",
        "dongle_service": False,
        "activation": {"activated": True, "method": "online", "account": USER},
        "licenses": [
            {"product": "V-Ray", "seats": {"interface": 4}},
            {"product": "Phoenix", "seats": {"render": 2}},
        ],
        "offline_products": ["Phoenix"],
    }
    rows = server_rows([{"vendor": "codemeter", "settings": {}}, server])
    assert [(row["product"], row["interface"], row["borrowed"]) for row in rows] == [
        ("V-Ray", 4, None),
        ("Phoenix", None, "yes"),
    ]
    assert rows[0]["activation"] == f"online, {USER}"
    off = {"activated": False, "method": None, "account": None}
    (row,) = server_rows([{**server, "activation": off, "licenses": []}])
    assert (row["activation"], row["product"]) == ("none", None)
    unknown = {**off, "activated": True}
    assert server_rows([{**server, "activation": unknown}])[0]["activation"] == "by other means"
