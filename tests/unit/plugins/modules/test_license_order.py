# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders: what the agent is told, what is shown of rules and quote, and where the papers go."""

from __future__ import annotations

import base64
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import order_id
from ansible_collections.seatkeeper.licensing.plugins.module_utils._info import run_info
from ansible_collections.seatkeeper.licensing.plugins.module_utils._order import (
    quote_table,
    run_order,
)
from ansible_collections.seatkeeper.licensing.plugins.modules import license_info, license_order
from ansible_collections.seatkeeper.licensing.tests.unit.plugins.running import run
from ansible_collections.seatkeeper.licensing.tests.unit.plugins.unix_server import (
    Script,
    Seen,
    problem,
)

PATH = f"/v1/orders/{order_id('to-hq')}"
BRANCH = {"name": "branch", "system_key": "AA-1", "owner": "Studio A", "chassis": "Max1000"}
HEADQUARTERS = {**BRANCH, "name": "hq", "system_key": "AA-2", "registered": True, "stations": 40}
UNSET = {"registered": None, "assurance_until": None, "stations": None}
RULES = [
    {
        "rule": "target_assurance",
        "required": "on active Software Assurance",
        "observed": "hq: not declared",
        "verdict": "unknown",
        "advice": "Renew it.",
    },
    {
        "rule": "max1000_stations",
        "required": "at most 50",
        "observed": "hq: 60",
        "verdict": "not_met",
        "advice": "Move fewer.",
    },
]
NO_DAYS = {"key": None, "since": None, "until": None, "days": None}
SYSTEMS = {"source": "AA-1", "target": "AA-2"}
QUOTE = {
    "lines": [
        {
            "kind": "move_fee",
            "text": "One fee",
            "amount": "300.00",
            "to_be_asked": False,
            **SYSTEMS,
            **NO_DAYS,
        },
        {
            "kind": "software_assurance",
            "text": "Assurance",
            "amount": None,
            "to_be_asked": True,
            **SYSTEMS,
            **NO_DAYS,
        },
        {
            "kind": "conversion",
            "text": "A becomes B",
            "amount": None,
            "to_be_asked": False,
            **SYSTEMS,
            **NO_DAYS,
        },
    ],
    "total": None,
    "currency": "USD",
    "documents": ["license_transfer_form", "credit_card_authorization"],
}
STEPS = [
    {"name": "papers", "title": "making", "reversible": True, "performer": "agent"},
    {"name": "move", "title": "the vendor moving", "reversible": False, "performer": "vendor"},
]
PLANNED = {
    "changed": True,
    "before": {"state": "none"},
    "after": {"state": "waiting"},
    "report": {"verdict": "open", "rules": RULES[:1]},
    "quote": QUOTE,
    "plan": {
        "digest": "d",
        "confirmation_required": True,
        "steps": [{**step, "state": "planned"} for step in STEPS],
    },
    "order": None,
    "operation": None,
    "waiting": [],
}
WAIT = {
    "operation": "op-1",
    "step": "move",
    "title": "the vendor moving the licenses",
    "who": "vendor",
    "instructions": ["Wait for the vendor."],
    "verified_by": "The case says so",
    "attestable": True,
    "since": "2026-11-21T09:30:00Z",
    "until": "2026-11-22T09:30:00Z",
    "overdue": True,
}
WAITING = {
    **PLANNED,
    "before": {"state": "waiting"},
    "changed": False,
    "plan": {
        "digest": None,
        "confirmation_required": False,
        "steps": [{**STEPS[0], "state": "done"}, {**STEPS[1], "state": "intended"}],
    },
    "order": {"id": "o", "name": "to-hq", "keys": [{"key": "K-1"}], "state": "waiting"},
    "operation": {"id": "op-1", "state": "waiting"},
    "waiting": [WAIT],
}
DONE = {
    **WAITING,
    "after": {"state": "done"},
    "plan": {**WAITING["plan"], "steps": [{**step, "state": "done"} for step in STEPS]},
    "operation": {"id": "op-1", "state": "done"},
    "waiting": [],
}
PAPER = {
    "name": "license-transfer-form.html",
    "media_type": "text/html",
    "path": "/var/lib/form.html",
    "content": base64.b64encode(b"<form>").decode(),
}


def order(script: Script, check_mode: bool = False, **options: t.Any) -> t.Any:
    """Run the module with the usual declaration."""
    merged = {
        "name": "to-hq",
        "source": {**UNSET, **BRANCH},
        "target": {**UNSET, **HEADQUARTERS, "assurance_until": "2027-06-30 00:00:00"},
        "keys": [{"key": "K-1", "product": "ALTI-STATION-10", "quantity": None}],
        "date": "2026-11-22",
        **options,
    }
    return run(license_order.ARGUMENTS, run_order, script, check_mode, **merged)


def answering(answer: t.Any) -> Script:
    """An agent that answers so, and has one paper."""
    return lambda seen: answer if seen.method == "PUT" else {"documents": [PAPER]}


def test_the_agent_is_told_what_was_given_and_nothing_that_was_left_out() -> None:
    _result, (seen,) = order(
        lambda _seen: PLANNED,
        check_mode=True,
        fields={"cost_centre": 4711},
        prices={
            "move_fee": None,
            "assurance_per_year": {"ALTI-STATION-10": 120.5},
            "days_per_year": 360,
            "currency": None,
        },
        rules=[{"id": "mine"}],
        plan_digest="d",
    )
    assert (seen.method, seen.path, seen.query) == ("PUT", PATH, {"dry_run": "true"})
    assert seen.body == {
        "name": "to-hq",
        "source": BRANCH,
        "target": {**HEADQUARTERS, "assurance_until": "2027-06-30"},
        "keys": [{"key": "K-1", "product": "ALTI-STATION-10"}],
        "on": "2026-11-22",
        "fields": {"cost_centre": "4711"},
        "prices": {"assurance_per_year": {"ALTI-STATION-10": "120.5"}, "days_per_year": 360},
        "rules": [{"id": "mine"}],
        "case_number": None,
        "new_keys": [],
        "others": [],
        "plan_digest": "d",
    }


def test_other_orders_and_new_keys_are_passed_on_and_a_date_may_be_left_out() -> None:
    key = {"key": "K-2", "product": "ALTI-STATION-10", "quantity": None}
    other = {
        "name": "other",
        "source": {**UNSET, **BRANCH, "stations_as_of": "2026-11-20 00:00:00"},
        "target": {**UNSET, **HEADQUARTERS},
        "keys": [key],
        "ended_on": "2026-11-21",
        "shares_fee": False,
    }
    _result, (seen,) = order(
        lambda _seen: PLANNED, check_mode=True, date=None, others=[other], new_keys=[key]
    )
    given = {"key": "K-2", "product": "ALTI-STATION-10"}
    assert (seen.body["on"], seen.body["new_keys"]) == (None, [given])
    assert seen.body["others"] == [
        {
            **other,
            "source": {**BRANCH, "stations_as_of": "2026-11-20"},
            "target": HEADQUARTERS,
            "keys": [given],
        }
    ]


def test_an_unknown_that_blocks_is_a_refusal_with_its_advice() -> None:
    blocking = {**RULES[0], "on_unknown": "blocks"}
    status, document = problem("order-not-allowed")
    refused = (status, {**document, "rules": [blocking]})
    result, _seen = order(lambda _seen: refused, check_mode=True)
    assert result["failed"]
    assert "quote_table" not in result
    assert result["report_table"][1].strip() == "Renew it."


def test_check_mode_gives_report_quote_plan_and_digest() -> None:
    result, (_seen,) = order(lambda _seen: PLANNED, check_mode=True, documents_dir="/nowhere")
    assert (result["changed"], result["digest"]) == (True, "d")
    assert result["report_table"] == [
        "unknown  target_assurance  on active Software Assurance; seen: hq: not declared"
    ]
    assert result["quote_table"] == [
        " 300.00 USD  One fee",
        "to be asked  Assurance",
        "             A becomes B",
        "to be asked  Total",
        "Papers: license transfer form, credit card authorization",
    ]
    assert result["diff"]["before"] == {"state": "none"}
    assert result["diff"]["after"]["quote"] == result["quote_table"]
    assert result["diff"]["after"]["report"] == result["report_table"]
    assert (result["documents"], result["order"]) == ([], None)


def test_a_total_that_is_known_is_shown() -> None:
    priced = {**QUOTE, "lines": QUOTE["lines"][:1], "total": "300.00"}
    assert quote_table(priced)[:2] == ["300.00 USD  One fee", "300.00 USD  Total"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_refusal_shows_every_rule(check_mode: bool) -> None:
    status, document = problem("order-not-allowed")
    refused = (status, {**document, "rules": RULES, "quote": QUOTE})
    result, _seen = order(lambda _seen: refused, check_mode)
    assert result["failed"]
    assert result["problem"]["code"] == "order-not-allowed"
    lines = result["msg"].splitlines()
    assert lines[1].startswith("unknown  target_assurance")
    assert lines[2] == "not met  max1000_stations  at most 50; seen: hq: 60"
    assert lines[3].strip() == "Move fewer."
    assert result["report"] == {"verdict": "refused", "rules": RULES}
    assert result["quote_table"] == quote_table(QUOTE)


def test_one_that_was_placed_is_no_refusal_when_the_rules_have_changed_since() -> None:
    late = {**WAITING, "report": {"verdict": "refused", "rules": RULES}}
    result, _seen = order(answering(late), check_mode=True)
    assert (result.get("failed"), result["changed"]) == (None, False)


def test_what_waits_for_the_vendor_is_told_and_overdue_and_no_failure() -> None:
    result, seen = order(answering(WAITING))
    assert [entry.path for entry in seen] == [PATH, f"{PATH}/documents"]
    assert (result["changed"], result["waiting"]) == (False, [WAIT])
    (warning,) = result["warnings"]
    assert warning.startswith("Waiting for the vendor: the vendor moving the licenses.")
    assert warning.endswith("This was expected by 2026-11-22T09:30:00Z.")
    assert result["diff"]["before"] == result["diff"]["after"]
    assert result["documents"] == ["/var/lib/form.html"]
    assert result["order"]["license_keys"] == [{"key": "K-1"}]


def test_the_papers_are_written_for_their_owner_only_and_once(tmp_path: Path) -> None:
    folder = tmp_path / "orders" / "to-hq"
    planned, _seen = order(answering(WAITING), check_mode=True, documents_dir=str(folder))
    assert (planned["changed"], folder.exists()) == (True, False)
    result, _seen = order(answering(WAITING), documents_dir=str(folder))
    (path,) = folder.iterdir()
    assert result["documents"] == [str(path)]
    assert path.name.endswith(".license-transfer-form.html")
    assert path.read_bytes() == b"<form>"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert result["changed"] is True
    again, _seen = order(answering(WAITING), documents_dir=str(folder))
    assert again["changed"] is False


def test_orders_that_share_a_folder_keep_their_own_papers(tmp_path: Path) -> None:
    """Also where their names differ in nothing that a file may show."""
    contents: dict[str, bytes] = {}
    for number, name in enumerate(("to-hq", "to hq", "to_hq", "TO-HQ")):
        content = f"<form {number}>".encode()
        paper = {**PAPER, "content": base64.b64encode(content).decode()}

        def script(seen: Seen, paper: t.Any = paper) -> t.Any:
            return WAITING if seen.method == "PUT" else {"documents": [paper]}

        result, _seen = order(script, name=name, documents_dir=str(tmp_path))
        (path,) = result["documents"]
        contents[path] = content
    assert len({path.lower() for path in contents}) == 4
    assert {str(path): path.read_bytes() for path in tmp_path.iterdir()} == contents


def test_a_folder_is_found_in_either_spelling_of_its_name(tmp_path: Path) -> None:
    """A Mac writes its letters in two parts; the inventory has them in one."""
    there = tmp_path / "Auftra\u0308ge"
    there.mkdir()
    result, _seen = order(answering(WAITING), documents_dir=str(tmp_path / "Auftr\u00e4ge"))
    assert list(tmp_path.iterdir()) == [there]
    assert result["documents"] == [str(path) for path in there.iterdir()]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result, _seen = order(answering(WAITING), documents_dir=str(tmp_path / "file"))
    assert result["problem"]["code"] == "document-file"
    assert "cannot be made a folder" in result["msg"]


def test_it_waits_as_long_as_it_may_and_has_changed_when_somebody_did_a_step() -> None:
    looks: list[str] = []

    def script(seen: Seen) -> t.Any:
        is_done = len(looks) > 3
        if seen.method == "PUT":
            return DONE if is_done else WAITING
        if seen.path.endswith("/documents"):
            return {"documents": []}
        looks.append(seen.path)
        state = "done" if is_done else "waiting"
        return {"id": "op-1", "state": state, "problem": None, "result": None}

    result, _seen = order(script, wait_timeout=100)
    assert (result["changed"], result["waiting"]) == (True, [])
    assert (result["before"], result["after"]) == ({"state": "waiting"}, {"state": "done"})


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"date": "tomorrow"}, "'tomorrow' of date"),
        ({"source": {**UNSET, **BRANCH, "assurance_until": "soon"}}, "source.assurance_until"),
        ({"target": {**UNSET, **HEADQUARTERS, "stations_as_of": "x"}}, "target.stations_as_of"),
        ({"wait_timeout": -1}, "wait_timeout"),
    ],
)
def test_values_that_cannot_be_used_are_named(options: dict[str, t.Any], named: str) -> None:
    result, seen = order(answering(PLANNED), **options)
    assert (result["problem"]["code"], seen) == ("input-invalid", [])
    assert named in result["msg"]


def test_orders_are_gathered_and_a_host_without_the_vendor_has_none() -> None:
    listed = [{"id": str(n), "state": s} for n, s in enumerate(("waiting", "done", "failed"))]

    def gather(answer: t.Any, **options: t.Any) -> t.Any:
        spec = license_info.ARGUMENTS
        return run(spec, run_info, lambda _seen: answer, gather=["orders"], **options)[0]["orders"]

    page = {"orders": listed, "next": None}
    assert gather(page) == listed
    assert gather(page, open_only=True) == listed[:1]
    assert gather(problem("vendor-unknown", 404)) == []
    assert run(
        license_info.ARGUMENTS, run_info, lambda _seen: problem("forbidden", 403), gather=["orders"]
    )[0]["failed"]


def test_a_vendor_without_a_license_server_is_no_license_server() -> None:
    def script(seen: Seen) -> t.Any:
        if seen.path == "/v1/agent":
            return {"vendors": [{"vendor": "codemeter"}, {"vendor": "altigen"}]}
        known = {"vendor": "codemeter", "running": True}
        return known if "codemeter" in seen.path else problem("vendor-unknown", 404)

    result, _seen = run(license_info.ARGUMENTS, run_info, script, gather=["servers"])
    assert [server["vendor"] for server in result["servers"]] == ["codemeter"]
