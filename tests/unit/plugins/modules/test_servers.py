# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked about license servers and their activation, and what is told of the answers."""

from __future__ import annotations

import base64
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils._activation import (
    run_offline,
    run_online,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._server import run_server
from ansible_collections.seatkeeper.licensing.plugins.modules import (
    license_server,
    offline_activation,
    online_activation,
)
from ansible_collections.seatkeeper.licensing.tests.unit.plugins.running import run
from ansible_collections.seatkeeper.licensing.tests.unit.plugins.unix_server import (
    Script,
    Seen,
    problem,
)

STEP = {"name": "edit", "title": "t", "reversible": True, "performer": "agent", "state": "done"}
OFF = {"activated": False, "method": None, "account": None, "request_digest": None}
ON = {**OFF, "activated": True, "method": "online", "account": "admin@studio-a.example"}
CSR = b"\x00\xffrequest"
REQUEST = {
    "changed": True,
    "request": base64.b64encode(CSR).decode(),
    "digest": "d" * 64,
    "requested_at": "2026-11-21T09:30:00Z",
}
ACTIVATION = "/v1/servers/chaos/activation"


def server(script: Script, check_mode: bool = False, **options: t.Any) -> t.Any:
    merged = {"vendor": "chaos", **options}
    return run(license_server.ARGUMENTS, run_server, script, check_mode, **merged)


def _settings(seen: Seen) -> t.Any:
    if seen.method == "GET":
        return {"vendor": "chaos", "running": True, "settings": {}}
    return {
        "changed": True,
        "before": {"local": {"vrlPort": None}},
        "after": {"local": {"vrlPort": "30305"}},
        "plan": {"steps": [STEP]},
        "notes": ["The dongle service was left off, because its dongle was migrated."],
        "operation": {"id": "op", "state": "done"},
    }


def test_the_service_is_asked_for_only_where_its_state_is_declared() -> None:
    for state, running in (("started", True), ("stopped", False)):
        _result, (put, _get) = server(_settings, state=state)
        assert put.body == {"settings": {}, "running": running}
    _result, (put, _get) = server(_settings)
    assert put.body == {"settings": {}}


def test_settings_are_sent_as_texts_and_notes_are_warned_of() -> None:
    result, (put, get) = server(_settings, settings={"local": {"vrlPort": 30305}})
    assert (put.method, put.path, put.query) == ("PUT", "/v1/servers/chaos", {})
    assert put.body == {"settings": {"local": {"vrlPort": "30305"}}}
    assert (get.method, get.path) == ("GET", "/v1/servers/chaos")
    assert result["server"]["running"] is True
    assert result["warnings"] == result["notes"]
    assert result["diff"]["after"] == {"local": {"vrlPort": "30305"}}


def test_only_what_is_declared_is_asked_for() -> None:
    _result, (put, _get) = server(_settings, dongle_service="enabled", version_min="4.5.0")
    assert put.body == {"settings": {}, "dongle_service": "enabled", "version_min": "4.5.0"}


def test_check_mode_of_settings_is_the_same_request_as_a_dry_run() -> None:
    _result, (put, _get) = server(_settings, check_mode=True, dongle_service="disabled")
    assert put.query == {"dry_run": "true"}


@pytest.mark.parametrize(
    "settings", [{"proxy": "10.0.0.1"}, {"proxy": {"on": True}}, {"proxy": {"host": None}}]
)
def test_a_setting_that_is_no_text_is_refused_before_anything_is_asked(
    settings: dict[str, t.Any],
) -> None:
    result, seen = server(_settings, settings=settings)
    assert result["problem"]["code"] == "input-invalid"
    assert "proxy" in result["msg"]
    assert seen == []


def online(script: Script, check_mode: bool = False, **options: t.Any) -> t.Any:
    merged = {"account": "admin@studio-a.example", "password": "hidden", **options}
    return run(online_activation.ARGUMENTS, run_online, script, check_mode, **merged)


def _activated(_seen: Seen) -> t.Any:
    return {"changed": True, "before": OFF, "after": ON, "plan": {"steps": [STEP]}}


def test_an_online_activation_sends_the_password_in_the_body_only() -> None:
    result, (seen,) = online(_activated)
    assert (seen.method, seen.path, seen.query) == ("PUT", ACTIVATION, {})
    assert seen.body == {"account": "admin@studio-a.example", "password": "hidden"}
    assert "hidden" not in str(seen.headers)
    assert "hidden" not in str(result)
    assert result["activation"] == ON
    assert result["diff"]["after"]["account"] == "admin@studio-a.example"


def test_check_mode_of_an_activation_is_a_dry_run() -> None:
    _result, (seen,) = online(_activated, check_mode=True)
    assert seen.query == {"dry_run": "true"}


@pytest.mark.parametrize(
    "code", ["credentials-refused", "runtime-refused", "runtime-unavailable", "activated-otherwise"]
)
def test_failures_of_an_activation_are_told_apart(code: str) -> None:
    result, _seen = online(lambda _seen: problem(code))
    assert result["problem"]["code"] == code


@pytest.mark.parametrize("kind", ["online", "offline"])
def test_an_activation_is_given_up(kind: str) -> None:
    def script(_seen: Seen) -> t.Any:
        return {"changed": True, "before": ON, "after": OFF, "plan": {"steps": [STEP]}}

    if kind == "online":
        result, (seen,) = online(script, state="deactivated")
    else:
        result, (seen,) = offline(script, state="deactivated")
    assert (seen.method, seen.path) == ("DELETE", ACTIVATION)
    assert result["activation"] == OFF


def offline(script: Script, check_mode: bool = False, **options: t.Any) -> t.Any:
    return run(offline_activation.ARGUMENTS, run_offline, script, check_mode, **options)


def _requesting(answer: dict[str, t.Any]) -> Script:
    return lambda seen: answer if seen.method == "POST" else OFF


def test_the_request_is_written_once_as_its_bytes_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "cert.csr"
    first, seen = offline(_requesting(REQUEST), state="requested", request_path=str(path))
    assert [(entry.method, entry.path) for entry in seen] == [
        ("POST", f"{ACTIVATION}/request"),
        ("GET", ACTIVATION),
    ]
    assert path.read_bytes() == CSR
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    same = _requesting({**REQUEST, "changed": False})
    second, _seen = offline(same, state="requested", request_path=str(path))
    assert (first["changed"], second["changed"]) == (True, False)
    assert second["digest"] == "d" * 64
    assert second["diff"]["before"] == second["diff"]["after"]
    path.unlink()
    third, _seen = offline(same, state="requested", request_path=str(path))
    assert third["changed"] is True


def test_check_mode_makes_and_writes_no_request(tmp_path: Path) -> None:
    path = tmp_path / "cert.csr"
    planned = {"changed": True, "request": None, "digest": None, "requested_at": None}
    result, seen = offline(
        _requesting(planned), check_mode=True, state="requested", request_path=str(path)
    )
    assert seen[0].query == {"dry_run": "true"}
    assert result["changed"] is True
    assert not path.exists()
    written, _seen = offline(
        _requesting({**REQUEST, "changed": False}),
        check_mode=True,
        state="requested",
        request_path=str(path),
    )
    assert written["changed"] is True
    assert not path.exists()


def test_the_answer_goes_as_its_bytes_with_the_digest_of_its_request(tmp_path: Path) -> None:
    path = tmp_path / "cert.crt"
    path.write_bytes(b"\x00answer")
    result, (seen,) = offline(_activated, answer_path=str(path), request_digest="d" * 64)
    assert (seen.method, seen.path) == ("POST", f"{ACTIVATION}/response")
    assert base64.b64decode(seen.body["answer"]) == b"\x00answer"
    assert seen.body["request_digest"] == "d" * 64
    assert result["changed"] is True
    folded = base64.b64encode(b"\x00answer").decode()
    _result, (inline,) = offline(_activated, answer=f"{folded[:4]}\n{folded[4:]}\n")
    assert inline.body["answer"] == folded


def test_an_answer_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    path = str(tmp_path / "cert.crt")
    since = "2026-11-21T09:30:00Z"

    def requested(seen: Seen) -> t.Any:
        return OFF if seen.method == "GET" else {"requested_at": since}

    reported = ["Ask Ann.", "Run it again."]
    for options in ({"answer_path": path}, {"instructions": reported}):
        result, seen = offline(requested, **options)
        # Nothing is changed: the request that there is was only asked for.
        assert [entry.query.get("dry_run") for entry in seen] == [None, "true"]
        assert result["changed"] is False
        (wait,) = result["waiting"]
        assert (wait["who"], wait["since"]) == ("person", since)
        assert result["warnings"][0].startswith("Waiting for a person: ")
    assert path in offline(requested, answer_path=path)[0]["warnings"][0]
    assert wait["instructions"] == reported


def test_once_activated_nobody_needs_the_answer_again(tmp_path: Path) -> None:
    on = {**ON, "method": "offline", "account": None}
    result, _seen = offline(lambda _seen: on, answer_path=str(tmp_path / "cert.crt"))
    assert (result["changed"], result["waiting"], result["warnings"]) == (False, [], [])


def test_an_answer_that_is_no_base64_is_refused_before_anything_is_asked() -> None:
    result, seen = offline(_activated, answer="not base64!")
    assert result["problem"]["code"] == "input-invalid"
    assert seen == []


def test_a_folder_in_place_of_the_answer_is_one_sentence(tmp_path: Path) -> None:
    result, seen = offline(_activated, answer_path=str(tmp_path))
    assert result["problem"]["code"] == "document-file"
    assert seen == []
