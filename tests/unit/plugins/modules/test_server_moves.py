# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves of license servers: what the agent is told leg by leg, and what its answers become."""

from __future__ import annotations

import json
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import move_id
from ansible_collections.seatkeeper.licensing.plugins.module_utils._info import run_info
from ansible_collections.seatkeeper.licensing.plugins.module_utils._server_move import (
    run_backup,
    run_move,
    run_profile,
)
from ansible_collections.seatkeeper.licensing.plugins.modules import (
    license_info,
    license_profile,
    license_server_backup,
    license_server_move,
)
from ansible_collections.seatkeeper.licensing.tests.unit.plugins.running import run
from ansible_collections.seatkeeper.licensing.tests.unit.plugins.unix_server import (
    Script,
    Seen,
    problem,
)

PATH = f"/v1/moves/{move_id('planning')}"
LICENSES = [
    {"number": "1.2.3.4", "profiles": ["Client"], "code": "AAAAA-BBBBB"},
    {"number": "1.2.3.5", "profiles": [], "code": None},
]
ENDS = {"source": "old", "target": "new", "target_host": "new.example"}
BACKUP = {"form": "seatkeeper-server-backup/1", "made_at": "2026-11-23T10:00:00Z", "licenses": []}
RULE = {"rule": "port_free", "required": "Free.", "observed": "Busy.", "verdict": "not_met",
        "advice": "Free it."}  # fmt: skip
MOVE = {"name": "planning", "adrift": []}
ORPHANED = {"license": "1.2.3.4", "place": "nowhere", "since": None, "advice": ["Call."]}


def answer(**changes: t.Any) -> dict[str, t.Any]:
    """What the agent answers to a leg."""
    plan = {"digest": "d", "confirmation_required": False, "warnings": [], "codes_needed": [],
            "steps": []}  # fmt: skip
    shown: dict[str, t.Any] = {
        "changed": True,
        "before": {"state": "none"},
        "after": {"state": "backed_up"},
        "report": None,
        "backup": None,
        "plan": plan,
        "document": None,
        "move": MOVE,
        "operation": None,
        "waiting": [],
    }
    return {**shown, **changes}


def move(script: Script, check: bool = False, **options: t.Any) -> tuple[dict[str, t.Any], t.Any]:
    """What the module returns for a leg, and the request that it made."""
    leg = {} if options.get("state") == "absent" else {"leg": "backup"}
    given = {"name": "planning", **leg, **ENDS, "licenses": LICENSES, **options}
    result, seen = run(license_server_move.ARGUMENTS, run_move, script, check, **given)
    return result, seen[-1] if seen else None


@pytest.mark.parametrize("leg", ["backup", "prepare", "release", "install", "finish", "restore"])
def test_a_leg_tells_the_agent_what_it_needs_and_no_code_that_it_does_not(leg: str) -> None:
    result, seen = move(lambda _seen: answer(document={"signed": 1}), leg=leg)
    assert (seen.method, seen.path) == ("POST", f"{PATH}/legs/{leg}")
    assert seen.body["move"] == {"name": "planning", "vendor": "aimms", "source_lost": False} | ENDS
    activates = leg in ("install", "restore")
    assert ("AAAAA" in json.dumps(seen.body)) is activates
    if activates:
        assert seen.body["codes"] == [{"license": "1.2.3.4", "code": "AAAAA-BBBBB"}]
    reported = [{"number": "1.2.3.4", "profiles": ["Client"], "has_code": True},
            {"number": "1.2.3.5", "profiles": [], "has_code": False}]  # fmt: skip
    assert seen.body.get("licenses") == (reported if leg == "backup" else None)
    assert (result["changed"], result["document"], result["digest"]) == (True, {"signed": 1}, None)
    assert result["diff"]["before_header"] == "move planning, before"


def test_a_refusal_by_the_target_takes_no_codes() -> None:
    _result, seen = move(lambda _seen: answer(), leg="install", decision="refuse")
    assert "codes" not in seen.body
    assert seen.body["decision"] == "refuse"


def test_check_mode_asks_for_the_plan_and_returns_what_confirms_it() -> None:
    plan = {**answer()["plan"], "confirmation_required": True, "warnings": ["Jobs end in error."]}
    result, seen = move(lambda _seen: answer(plan=plan, move=None), True, leg="release")
    assert seen.query == {"dry_run": "true"}
    assert (result["digest"], result["plan"]["warnings"]) == ("d", ["Jobs end in error."])


def test_a_target_that_does_not_fit_is_refused_with_its_rules() -> None:
    refused = (409, {**problem("target-not-ready")[1], "rules": [RULE]})
    for check in (True, False):
        result, _seen = move(lambda _seen: refused, check, leg="prepare", backup=BACKUP)
        assert result["failed"]
        assert result["problem"]["code"] == "target-not-ready"
        assert "not met  port_free" in result["msg"]
        assert result["report_table"][1].strip() == "Free it."


def test_what_is_active_nowhere_is_a_warning() -> None:
    result, _seen = move(lambda _seen: answer(move={**MOVE, "adrift": [ORPHANED]}), leg="release")
    assert result["warnings"] == ["License 1.2.3.4 of move planning is active nowhere. Call."]
    maybe = {**ORPHANED, "place": "unknown"}
    result, _seen = move(lambda _seen: answer(move={**MOVE, "adrift": [maybe]}), leg="release")
    assert "is perhaps active nowhere" in result["warnings"][0]


def test_files_carry_backup_and_documents(tmp_path: Path) -> None:
    backup, document = tmp_path / "planning.backup.json", tmp_path / "planning.prepared.json"
    for changed in (True, False):
        script: Script = lambda _seen: answer(changed=False, backup=BACKUP)  # noqa: E731
        result, _seen = move(script, backup_dest=str(backup))
        assert result["changed"] is changed
    assert json.loads(backup.read_text()) == BACKUP
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    document.write_text('{"signed": 1}')
    files = {"backup_file": str(backup), "document_file": str(document)}
    _result, seen = move(lambda _seen: answer(), leg="prepare", **files)
    assert (seen.body["backup"], seen.body["document"]) == (BACKUP, {"signed": 1})


def test_a_file_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    missing = str(tmp_path / "absent.json")
    refused: Script = lambda _seen: problem("leg-out-of-order")  # noqa: E731
    planned: Script = lambda _seen: answer()  # noqa: E731
    for check, script in ((False, refused), (True, planned)):
        result, _seen = move(script, check, leg="release", document_file=missing)
        assert (result["changed"], len(result["waiting"])) == (False, 1)
        assert missing in result["waiting"][0]["instructions"][0]
        assert result["waiting"][0]["who"] == "person"
    # What is done needs no document any more.
    done: Script = lambda _seen: answer(changed=False)  # noqa: E731
    for check in (True, False):
        result, _seen = move(done, check, leg="release", document_file=missing)
        assert result["waiting"] == []


def test_a_move_is_given_up_where_it_is_known() -> None:
    def unknown(seen: Seen) -> t.Any:
        return problem("move-unknown", 404) if seen.method == "GET" else answer()

    result, seen = move(unknown, state="absent")
    assert (result["changed"], seen.method) == (False, "GET")
    result, seen = move(lambda _seen: answer(after={"state": "void"}), state="absent")
    assert (result["changed"], seen.method, seen.path) == (True, "DELETE", PATH)


def test_a_backup_is_no_change_because_time_passed(tmp_path: Path) -> None:
    path = tmp_path / "aimms.json"
    licenses = [{"number": "1.2.3.4", "profiles": ["Client"], "has_code": True}]

    def kept(seen: Seen) -> t.Any:
        if seen.method == "GET":
            return {"backup": {**BACKUP, "made_at": "2026-01-01T00:00:00Z"}}
        assert seen.body == {"licenses": licenses}
        return {"changed": False, "before": {}, "after": {}, "backup": BACKUP}

    options = {"licenses": licenses, "dest": str(path)}
    first, _seen = run(license_server_backup.ARGUMENTS, run_backup, kept, True, **options)
    assert first["changed"]
    assert not path.exists()
    written, _seen = run(license_server_backup.ARGUMENTS, run_backup, kept, **options)
    again, _seen = run(license_server_backup.ARGUMENTS, run_backup, kept, **options)
    assert (written["changed"], again["changed"]) == (True, False)
    assert again["diff"]["before"] == again["diff"]["after"]
    assert json.loads(path.read_text()) == BACKUP


def test_a_profile_is_linked() -> None:
    reported = {"changed": True, "before": {"license": None}, "after": {"license": "1.2.3.4"},
            "plan": {"steps": []}, "operation": None, "waiting": []}  # fmt: skip
    options = {"name": "Pro License", "license": "1.2.3.4"}
    result, seen = run(license_profile.ARGUMENTS, run_profile, lambda _seen: reported, **options)
    assert seen[0].path == "/v1/servers/aimms/profiles/Pro%20License"
    assert seen[0].body == {"license": "1.2.3.4", "state": "present"}
    assert result["diff"]["after"] == {"license": "1.2.3.4"}


def test_moves_are_read() -> None:
    found = [{"name": state, "state": state} for state in ("released", "arrived", "finished")]
    script: Script = lambda _seen: {"moves": found, "next": None}  # noqa: E731
    options = {"gather": ["moves"], "open_only": True}
    result, _seen = run(license_info.ARGUMENTS, run_info, script, **options)
    assert [entry["name"] for entry in result["moves"]] == ["released"]
    nobody: Script = lambda _seen: problem("vendor-unknown", 404)  # noqa: E731
    result, _seen = run(license_info.ARGUMENTS, run_info, nobody, **options)
    assert result["moves"] == []
