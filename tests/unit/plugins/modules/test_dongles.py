# SPDX-License-Identifier: GPL-3.0-or-later
"""Dongles, their eligibility and their migration; and who is waited for, and how long."""

from __future__ import annotations

import math
import time
import typing as t

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils._borrow import run_borrow
from ansible_collections.seatkeeper.licensing.plugins.module_utils._dongles import run_dongles
from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import (
    borrow_id,
    migration_id,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._info import run_info
from ansible_collections.seatkeeper.licensing.plugins.module_utils._migration import run_migration
from ansible_collections.seatkeeper.licensing.plugins.modules import (
    dongle_info,
    dongle_migrate,
    license_borrow,
    license_info,
)
from ansible_collections.seatkeeper.licensing.tests.unit.plugins.running import run
from ansible_collections.seatkeeper.licensing.tests.unit.plugins.unix_server import (
    Script,
    Seen,
    problem,
)

DONGLE = {"id": "W-1", "path": "1-1.4", "vendor": "chaos", "migrated": False}
OTHER = {"id": "H-1", "path": "1-1.3", "vendor": None, "migrated": False}
RULES = [
    {
        "rule": "server_version",
        "required": "at least 4.5.0",
        "observed": "6.0.1",
        "verdict": "met",
        "advice": "Nothing to do.",
    },
    {
        "rule": "one_dongle",
        "required": "exactly one",
        "observed": "two",
        "verdict": "not_met",
        "advice": "Unplug the other one.",
    },
]
WAIT = {
    "operation": "op-1",
    "step": "transfer",
    "title": "transferring the dongle on the page",
    "who": "person",
    "instructions": ["Open http://127.0.0.1:30304", "Click TRANSFER"],
    "verified_by": "The account shows more licenses",
    "attestable": False,
    "since": "2026-11-21T09:30:00Z",
    "until": None,
    "overdue": False,
}
MIGRATION = {"id": "m", "state": "waiting", "notes": [], "comparison": None}
WAITING = {
    "changed": True,
    "before": {"state": "none"},
    "after": {"state": "waiting"},
    "report": {"verdict": "open", "rules": RULES[:1]},
    "plan": {
        "digest": "d",
        "confirmation_required": True,
        "acknowledgement": "I know that it cannot be undone.",
        "steps": [],
    },
    "migration": MIGRATION,
    "operation": {"id": "op-1", "state": "waiting"},
    "waiting": [WAIT],
}
DONE = {
    **WAITING,
    "changed": False,
    "before": {"state": "waiting"},
    "after": {"state": "done"},
    "operation": {"id": "op-1", "state": "done"},
    "waiting": [],
    "migration": {**MIGRATION, "state": "done", "comparison": "matches"},
}


def migrate(script: Script, check_mode: bool = False, **options: t.Any) -> t.Any:
    merged = {"dongle": "W-1", "target_user": "artist@studio-a.example", **options}
    return run(dongle_migrate.ARGUMENTS, run_migration, script, check_mode, **merged)


def test_dongles_are_listed_with_a_report_where_one_can_be_made() -> None:
    def script(seen: Seen) -> t.Any:
        if seen.path == "/v1/dongles":
            return {"dongles": [OTHER, DONGLE], "source": "kernel", "problem": None, "next": None}
        return {"dongle": "W-1", "verdict": "refused", "rules": RULES}

    spec = dongle_info.ARGUMENTS
    result, seen = run(
        spec, run_dongles, script, eligibility=True, target_user="artist@studio-a.example"
    )
    assert [entry.path for entry in seen] == ["/v1/dongles", "/v1/dongles/W-1/eligibility"]
    assert seen[1].query == {"target_user": "artist@studio-a.example"}
    assert [dongle["eligibility"] is None for dongle in result["dongles"]] == [True, False]
    assert result["dongles"][1]["eligibility_table"][1].startswith("not met  one_dongle")
    assert result["warnings"] == []
    result, seen = run(spec, run_dongles, script)
    assert len(seen) == 1
    assert "eligibility" not in result["dongles"][1]


def test_an_empty_list_does_not_pass_for_a_host_without_dongles() -> None:
    unreadable = {
        "dongles": [],
        "source": "kernel",
        "problem": problem("usb-unavailable")[1],
        "next": None,
    }
    result, _seen = run(dongle_info.ARGUMENTS, run_dongles, lambda _seen: unreadable)
    assert result["usb_problem"]["code"] == "usb-unavailable"
    assert result["warnings"] == ["Told about usb-unavailable. Do something about it."]


def test_check_mode_gives_report_plan_digest_and_the_sentence_to_repeat() -> None:
    planned = {**WAITING, "operation": None, "waiting": [], "migration": None}
    result, (seen,) = migrate(lambda _seen: planned, check_mode=True, wait_timeout=60)
    assert (seen.method, seen.query) == ("PUT", {"dry_run": "true"})
    assert seen.path == f"/v1/migrations/{migration_id('chaos', 'W-1')}"
    assert (result["digest"], result["acknowledgement"]) == (
        "d",
        "I know that it cannot be undone.",
    )
    assert result["report"]["verdict"] == "open"


def test_a_migration_sends_all_that_is_declared_and_confirmed() -> None:
    held = [{"product": "V-Ray", "version": "3.0", "perpetual": True}]
    _result, (seen,) = migrate(
        lambda _seen: DONE,
        licenses=held,
        isolate=True,
        plan_digest="d",
        acknowledge_irreversible="I know that it cannot be undone.",
        due_after=3600,
    )
    assert seen.body == {
        "dongle": "W-1",
        "target_user": "artist@studio-a.example",
        "isolate": True,
        "licenses": [{**held[0], "seats": None}],
        "plan_digest": "d",
        "acknowledgement": "I know that it cannot be undone.",
        "due_after": 3600,
        "dongle_company": None,
        "account_company": None,
    }


def test_a_refusal_shows_every_rule() -> None:
    status, document = problem("dongle-not-eligible")
    result, _seen = migrate(lambda _seen: (status, {**document, "rules": RULES}))
    assert result["failed"]
    lines = result["msg"].splitlines()
    assert lines[0] == "Told about dongle-not-eligible. Do something about it."
    assert lines[1:] == [
        "met      server_version  at least 4.5.0; seen: 6.0.1",
        "not met  one_dongle      exactly one; seen: two",
        "                         Unplug the other one.",
    ]
    assert result["report"] == {"verdict": "refused", "rules": RULES}
    assert result["problem"]["code"] == "dongle-not-eligible"


def test_a_step_for_a_person_is_told_and_is_no_failure() -> None:
    result, (_seen,) = migrate(lambda _seen: WAITING)
    assert "failed" not in result
    assert result["changed"] is True
    assert result["waiting"] == [WAIT]
    (warning,) = result["warnings"]
    assert warning == (
        "Waiting for a person: transferring the dongle on the page. (1) Open"
        " http://127.0.0.1:30304 (2) Click TRANSFER. The account shows more licenses."
    )


def test_what_is_overdue_says_so() -> None:
    late = {**WAIT, "until": "2026-11-21T10:00:00Z", "overdue": True, "who": "vendor"}
    result, _seen = migrate(lambda _seen: {**WAITING, "waiting": [late]})
    assert result["warnings"][0].startswith("Waiting for the vendor: ")
    assert result["warnings"][0].endswith("This was expected by 2026-11-21T10:00:00Z.")


def _person(looks: float, began: bool = True, look_seconds: float = 0.0) -> Script:
    """Somebody who has done the step after so many looks; an earlier run may have begun it."""
    looked: list[str] = []

    def script(seen: Seen) -> t.Any:
        is_done = len(looked) > looks
        if seen.method == "GET":
            looked.append(seen.path)
            time.sleep(look_seconds)
        if seen.method == "PUT":
            return DONE if is_done else {**WAITING, "changed": began}
        return {"id": "op-1", "state": "running" if is_done else "waiting", "problem": None}

    return script


def test_a_task_may_wait_for_the_person_and_tells_how_it_ended() -> None:
    result, seen = migrate(_person(3, began=False), wait_timeout=100)
    assert seen[0].method == seen[-1].method == "PUT"
    followed = [entry for entry in seen if entry.method == "GET"]
    assert {entry.path for entry in followed} == {"/v1/operations/op-1"}
    assert 1 <= int(followed[0].query["wait"]) <= 100
    assert result["changed"] is True
    assert result["before"] == {"state": "none"}
    assert result["after"] == {"state": "done"}
    assert (result["waiting"], result["warnings"]) == ([], [])


def test_a_person_who_does_not_come_is_told_after_the_time() -> None:
    started = time.monotonic()
    result, _seen = migrate(_person(math.inf), wait_timeout=1)
    assert time.monotonic() - started < 60
    assert result["waiting"] == [WAIT]
    assert result["changed"] is True


def test_waiting_for_a_person_does_not_use_up_the_time_for_the_agent() -> None:
    result, _seen = migrate(_person(5, look_seconds=0.5), wait_timeout=100, timeout=2)
    assert result["after"] == {"state": "done"}


def test_work_that_comes_to_wait_is_no_failure() -> None:
    running = {"id": "op-1", "state": "running", "problem": None, "result": None}
    answers: list[t.Any] = [
        (202, {"operation": running}),
        {**running, "state": "waiting"},
        {**WAITING, "changed": False},
    ]
    result, _seen = migrate(lambda _seen: answers.pop(0))
    assert result["waiting"] == [WAIT]


def test_no_seconds_before_nothing_is_asked() -> None:
    result, seen = migrate(lambda _seen: DONE, wait_timeout=-1)
    assert result["problem"]["code"] == "input-invalid"
    assert seen == []


def test_what_was_noticed_is_warned_of_once() -> None:
    noticed = {
        **MIGRATION,
        "state": "done",
        "comparison": "differs",
        "differences": ["V-Ray: declared 2 interface, arrived 0"],
        "notes": [{"at": "2026-11-21T09:30:00Z", "text": "A second dongle was plugged in."}],
    }
    result, _seen = migrate(lambda _seen: {**DONE, "changed": True, "migration": noticed})
    assert result["warnings"][0] == "A second dongle was plugged in."
    assert "did not gain what the dongle W-1" in result["warnings"][1]
    assert "V-Ray: declared 2 interface, arrived 0. Compare" in result["warnings"][1]
    result, _seen = migrate(lambda _seen: {**DONE, "migration": noticed})
    assert result["warnings"] == []


def test_what_has_not_begun_is_given_up() -> None:
    def script(seen: Seen) -> t.Any:
        if seen.method == "GET":
            return {**MIGRATION, "state": "running"}
        return {"changed": True, "migration": {**MIGRATION, "state": "failed"}}

    result, seen = migrate(script, state="absent", target_user=None)
    assert [entry.method for entry in seen] == ["GET", "DELETE"]
    assert result["diff"]["before"] == {"state": "running"}
    assert result["diff"]["after"] == {"state": "failed"}
    result, _seen = migrate(lambda _seen: problem("migration-unknown", 404), state="absent")
    assert result["changed"] is False


BORROW = {
    "vendor": "chaos",
    "name": "on-location",
    "product": "V-Ray",
    "seats": 2,
    "until": "2026-12-01",
}
BORROWED = {
    "changed": True,
    "before": {"seats": 0, "until": None, "auto_renew": False},
    "after": {"seats": 2, "until": "2026-12-01T00:00:00Z", "auto_renew": True},
    "plan": {"steps": []},
    "borrow": {"id": "b", "name": "on-location"},
    "operation": {"id": "op-1", "state": "waiting"},
    "waiting": [WAIT],
}


def test_seats_are_borrowed_at_the_license_server() -> None:
    spec = license_borrow.ARGUMENTS
    options = {**BORROW, "auto_renew": True}
    result, (seen,) = run(spec, run_borrow, lambda _seen: BORROWED, **options)
    assert seen.method == "PUT"
    assert seen.path == f"/v1/servers/chaos/borrows/{borrow_id('on-location')}"
    assert seen.body == {
        "name": "on-location",
        "product": "V-Ray",
        "seats": 2,
        "until": "2026-12-01T00:00:00Z",
        "auto_renew": True,
    }
    assert result["transfers"] == []
    assert result["waiting"] == [WAIT]
    assert result["diff"]["after"]["seats"] == 2


def test_seats_at_the_license_server_are_returned() -> None:
    def script(seen: Seen) -> t.Any:
        known = {"id": "b", "until": "2026-12-01T00:00:00Z"}
        return known if seen.method == "GET" else BORROWED

    gone = {**BORROW, "state": "absent", "seats": None, "until": None, "auto_renew": True}
    result, seen = run(license_borrow.ARGUMENTS, run_borrow, script, **gone)
    assert seen[1].body["seats"] == 0
    assert seen[1].body["auto_renew"] is False
    nothing = problem("borrow-unknown", 404)
    result, _seen = run(license_borrow.ARGUMENTS, run_borrow, lambda _seen: nothing, **gone)
    assert (result["changed"], result["borrow"]) == (False, None)


@pytest.mark.parametrize(
    ("vendor", "option", "value"),
    [("chaos", "item", "x"), ("chaos", "source", "x"), ("codemeter", "auto_renew", True)],
)
def test_an_option_of_the_other_vendor_is_refused(vendor: str, option: str, value: t.Any) -> None:
    ends = dict.fromkeys(("item", "source", "target"), "x") if vendor == "codemeter" else {}
    options = {**BORROW, "product": None, "vendor": vendor, **ends, option: value}
    result, seen = run(license_borrow.ARGUMENTS, run_borrow, lambda _seen: BORROWED, **options)
    assert f"The option {option} is for the vendor" in result["msg"]
    assert seen == []


def _host(seen: Seen) -> t.Any:
    answers: dict[str, t.Any] = {
        "/v1/agent": {"vendors": [{"vendor": "codemeter"}, {"vendor": "chaos"}]},
        "/v1/servers/chaos": {"vendor": "chaos", "running": True},
        "/v1/dongles": {"dongles": [DONGLE], "source": "kernel", "problem": None, "next": None},
        "/v1/migrations": {
            "migrations": [MIGRATION, {**MIGRATION, "state": "done"}],
            "next": None,
        },
        "/v1/waiting": {"waiting": [WAIT], "next": None},
    }
    return answers.get(seen.path, problem("runtime-unavailable", 503))


def test_servers_dongles_migrations_and_waits_are_read() -> None:
    gather = ["servers", "dongles", "migrations", "waiting"]
    result, _seen = run(license_info.ARGUMENTS, run_info, _host, gather=gather)
    assert [entry["running"] for entry in result["servers"]] == [None, True]
    assert result["servers"][0]["problem"]["code"] == "runtime-unavailable"
    assert result["dongles"] == [DONGLE]
    assert len(result["migrations"]) == 2
    assert result["waiting"] == [WAIT]
    result, _seen = run(license_info.ARGUMENTS, run_info, _host, gather=gather, open_only=True)
    assert result["migrations"] == [MIGRATION]
