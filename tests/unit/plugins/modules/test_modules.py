# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules ask the agent, and what they tell about its answer."""

from __future__ import annotations

import json
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils._arguments import ArgumentSpec
from ansible_collections.seatkeeper.licensing.plugins.module_utils._borrow import run_borrow
from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import (
    transfer_id,
    transfer_reference,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._info import run_info
from ansible_collections.seatkeeper.licensing.plugins.module_utils._transfer import run_transfer
from ansible_collections.seatkeeper.licensing.plugins.modules import (
    license_borrow,
    license_info,
    license_transfer,
)
from ansible_collections.seatkeeper.licensing.tests.unit.plugins.running import run
from ansible_collections.seatkeeper.licensing.tests.unit.plugins.unix_server import (
    Script,
    Seen,
    problem,
)

ITEM = {"item": "6000010:201@1", "name": "Simulation seats", "seats": 25}
HELD = {"item": "6000010:201", "container": "130-1000000001", "units": 0, "borrowed_seats": 0}
RECORD = {
    "id": transfer_id("move"),
    "name": "move",
    "side": "source",
    "state": "in_transit",
    "source": {"agent": "old-server", "container": "130-1000000001"},
    "target": {"agent": "new-server", "container": "130-2000000002"},
}
ANSWER = {
    "changed": True,
    "transfer": RECORD,
    "before": {"items": [{**HELD, "seats": 25}]},
    "after": {"items": [{**HELD, "seats": 15}]},
    "facts": {},
    "plan": {"digest": "d", "steps": []},
    "document": {"payload": "e30=", "payloadType": "x", "signatures": []},
    "operation": {"id": "op", "state": "done"},
}
LEG = {
    "name": "move",
    "leg": "issue",
    "item": "6000010:201",
    "type": "licenses",
    "quantity": 10,
    "source": "old-server",
    "target": "new-server",
}


def leg(script: Script, check_mode: bool = False, **options: t.Any) -> t.Any:
    merged = {**LEG, **options}
    return run(license_transfer.ARGUMENTS, run_transfer, script, check_mode, **merged)


def test_a_leg_sends_the_declaration_and_the_document() -> None:
    result, seen = leg(lambda _seen: ANSWER, document={"payload": "x"}, until="2026-11-28")
    assert seen[0].method == "POST"
    assert seen[0].path == f"/v1/transfers/{transfer_id('move')}/issue"
    assert seen[0].query == {}
    assert seen[0].body["transfer"] == {
        "name": "move",
        "item": "6000010:201",
        "type": "licenses",
        "mode": "push",
        "source": {"agent": "old-server", "container": None},
        "target": {"agent": "new-server", "container": None},
        "quantity": 10,
        "until": "2026-11-28T00:00:00Z",
        "parent": None,
    }
    assert seen[0].body["document"] == {"payload": "x"}
    assert result["changed"] is True
    assert result["document"] == ANSWER["document"]
    assert result["before"]["license_items"] == ANSWER["before"]["items"]
    assert result["after"]["license_items"] == ANSWER["after"]["items"]


def test_check_mode_is_the_same_request_as_a_dry_run() -> None:
    _result, (done,) = leg(lambda _seen: ANSWER)
    _result, (checked,) = leg(lambda _seen: ANSWER, check_mode=True)
    assert checked.query == {"dry_run": "true"}
    assert (checked.path, checked.body) == (done.path, done.body)


def test_the_difference_names_host_and_side_and_counts_only_what_people_count() -> None:
    result, _seen = leg(lambda _seen: ANSWER)
    shown = result["diff"]
    assert shown["before_header"].startswith("old-server (source, container 130-1000000001)")
    assert shown["before"] == {"6000010:201": {"seats": 25, "units": 0, "borrowed_seats": 0}}
    assert shown["after"] == {"6000010:201": {"seats": 15, "units": 0, "borrowed_seats": 0}}


def test_a_parent_may_be_named_or_given_by_id() -> None:
    identity = "7be1a4a2-0a3c-5a4e-8f0e-6a6dd1a8f6d1"
    assert transfer_reference(identity.upper()) == identity
    assert transfer_reference("move") == transfer_id("move")


def test_a_problem_fails_with_both_sentences_and_the_whole_problem() -> None:
    result, _seen = leg(lambda _seen: problem("not-enough"))
    assert result["failed"]
    assert result["msg"] == "Told about not-enough. Do something about it."
    assert result["problem"]["code"] == "not-enough"


@pytest.mark.parametrize("until", ["+7d", "tomorrow", "2026-13-01"])
def test_an_end_that_is_no_date_is_refused_before_anything_is_asked(until: str) -> None:
    result, seen = leg(lambda _seen: ANSWER, until=until)
    assert result["problem"]["code"] == "input-invalid"
    assert "fixed date" in result["msg"]
    assert seen == []


def test_a_time_limit_of_nothing_is_refused() -> None:
    result, seen = leg(lambda _seen: ANSWER, timeout=0)
    assert "not a number of seconds" in result["msg"]
    assert seen == []


def test_a_document_is_written_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "move.transfer.json"
    unchanged = {**ANSWER, "changed": False}
    first, _seen = leg(lambda _seen: ANSWER, document_dest=str(path))
    second, _seen = leg(lambda _seen: unchanged, document_dest=str(path))
    assert json.loads(path.read_text()) == ANSWER["document"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (first["changed"], second["changed"]) == (True, False)
    assert list(tmp_path.iterdir()) == [path]
    path.chmod(0o644)
    third, _seen = leg(lambda _seen: unchanged, document_dest=str(path))
    assert third["changed"] is True
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_check_mode_writes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "move.transfer.json"
    result, _seen = leg(lambda _seen: ANSWER, check_mode=True, document_dest=str(path))
    assert result["changed"] is True
    assert not path.exists()


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "move.transfer.json"
    result, _seen = leg(lambda _seen: ANSWER, document_dest=str(path))
    assert result["problem"]["code"] == "document-file"
    assert str(path) in result["msg"]


def test_a_document_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "move.request.json"
    path.write_text('{"payload": "carried"}')
    _result, seen = leg(lambda _seen: ANSWER, document_file=str(path))
    assert seen[0].body["document"] == {"payload": "carried"}


def test_a_file_without_a_document_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "move.request.json"
    path.write_text("not JSON")
    result, seen = leg(lambda _seen: ANSWER, document_file=str(path))
    assert result["problem"]["code"] == "document-file"
    assert seen == []


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_leg_without_its_file_waits(tmp_path: Path, check_mode: bool) -> None:
    path = tmp_path / "move.request.json"
    answer = ANSWER if check_mode else problem("leg-out-of-order")
    result, _seen = leg(lambda _seen: answer, check_mode=check_mode, document_file=str(path))
    assert result["waiting"] is True
    assert result["changed"] is False
    assert str(path) in result["msg"]


def test_absent_gives_the_transfer_up_or_finds_nothing_to_do() -> None:
    def script(seen: Seen) -> t.Any:
        known = {**RECORD, "state": "requested"}
        return known if seen.method == "GET" else {"changed": True, "transfer": known}

    result, seen = leg(script, state="absent")
    assert [request.method for request in seen] == ["GET", "DELETE"]
    assert result["diff"]["after"] == {"state": "void"}
    result, seen = leg(lambda _seen: problem("transfer-unknown", 404), state="absent")
    assert result["changed"] is False


def test_a_borrow_is_declared_and_given_back() -> None:
    answer = {
        "changed": True,
        "borrow": {"id": "b", "name": "fair", "lots": []},
        "transfers": [{"id": "t"}],
        "before": {"seats": 0, "until": None, "lots": []},
        "after": {"seats": 2, "until": "2026-11-28T00:00:00Z", "lots": []},
    }
    options = {
        "name": "fair",
        "item": "6000010:204",
        "source": "old-server",
        "target": "new-server",
        "seats": 2,
        "until": "2026-11-28",
    }
    spec = license_borrow.ARGUMENTS
    result, (seen,) = run(spec, run_borrow, lambda _seen: answer, **options)
    assert seen.method == "PUT"
    assert (seen.body["seats"], seen.body["until"]) == (2, "2026-11-28T00:00:00Z")
    assert result["transfers"] == [{"id": "t"}]
    assert result["diff"]["after"] == {"seats": 2, "until": "2026-11-28T00:00:00Z"}
    _result, (seen,) = run(spec, run_borrow, lambda _seen: answer, **options, state="absent")
    assert seen.body["seats"] == 0


def _fleet(seen: Seen) -> t.Any:
    items = [ITEM, {**ITEM, "item": "6000010:202@1"}]
    answers: dict[str, t.Any] = {
        "/v1/containers": {"containers": [{"serial": "1-1"}, {"serial": "1-2"}], "next": None},
        "/v1/containers/1-1/items": {"items": items, "next": None},
        "/v1/containers/1-2/items": {"items": [], "next": None},
        "/v1/containers/1-1/history": {"history": [{"index": 0}], "next": None},
        "/v1/transfers": {"transfers": [RECORD], "next": None},
    }
    return answers.get(seen.path, problem("transfer-unknown", 404))


def info(**options: t.Any) -> t.Any:
    return run(license_info.ARGUMENTS, run_info, _fleet, **options)


def test_items_are_read_with_their_container() -> None:
    result, _seen = info(gather=["containers", "license_items"])
    assert [item["container"] for item in result["license_items"]] == ["1-1", "1-1"]
    assert result["changed"] is False


def test_a_filter_leaves_out_the_rest() -> None:
    result, seen = info(gather=["license_items", "history"], container="1-1", item="6000010:202")
    assert [item["item"] for item in result["license_items"]] == ["6000010:202@1"]
    assert [request.query["item"] for request in seen if "history" in request.path] == [
        "6000010:202"
    ]


def test_a_container_that_is_not_there_is_refused_with_those_that_are() -> None:
    result, _seen = info(gather=["containers"], container="9-9")
    assert "it has: 1-1, 1-2" in result["msg"]


def test_named_transfers_are_read_beside_the_open_ones() -> None:
    result, seen = info(gather=["transfers"], open_only=True, transfers=["move", "other"])
    assert [record["id"] for record in result["transfers"]] == [RECORD["id"]]
    assert seen[0].query["state"] == "open"
    assert seen[-1].path == f"/v1/transfers/{transfer_id('other')}"


def test_an_option_in_two_parts_of_a_specification_is_a_mistake() -> None:
    spec = ArgumentSpec(options={"name": {"type": "str"}})
    with pytest.raises(ValueError, match="options given twice: name"):
        spec.merge(spec)
