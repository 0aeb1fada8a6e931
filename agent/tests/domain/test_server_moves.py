# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups of license servers, where a license is, and what a target must be like."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from seatkeeper_agent.domain.rules import RuleVerdict
from seatkeeper_agent.domain.server_move_rules import target_rows
from seatkeeper_agent.domain.server_moves import (
    BackedUpLicense,
    LicenseState,
    MovableLicense,
    MovableServer,
    Place,
    ServerBackup,
    ServerFile,
    back_up,
    place_of,
)

ONE, TWO = "15.90.10.1", "15.90.10.2"
ACTIVE, PENDING = LicenseState.ACTIVE, LicenseState.PENDING
INACTIVE, UNKNOWN = LicenseState.INACTIVE, LicenseState.UNKNOWN
FILE = ServerFile("a.lic", 12, "ab" * 32)
INSTALLER = ServerFile("setup.run", 99, "cd" * 32)
EMPTY = MovableServer(
    installed=False, serving=False, version=None, maintenance=None, licenses=(),
    reports_licenses=True, license_files=(FILE,), installer=INSTALLER, free_bytes=1_000_000,
    ports_busy=(), update_locks=(),
)  # fmt: skip
SOURCE = replace(
    EMPTY, installed=True, serving=True, version="1.4.0", ports_busy=(3400, 3401),
    licenses=(MovableLicense(ONE, ("Server",), ACTIVE), MovableLicense(TWO, None, ACTIVE)),
)  # fmt: skip
DECLARED = (BackedUpLicense(ONE, ("Server",), True), BackedUpLicense(TWO, ("Client",), False))
MADE_AT = "2026-05-04T10:00:00+00:00"


def backed_up(
    seen: MovableServer = SOURCE, declared: tuple[BackedUpLicense, ...] = DECLARED
) -> ServerBackup:
    """A backup of the source."""
    return back_up("aimms", "old-server", MADE_AT, seen, declared, {"folder": "/usr/local/Aimms"})


def with_state(state: LicenseState, reports: bool = True) -> MovableServer:
    """A server that shows one license in a state."""
    licenses = (MovableLicense(ONE, (), state),)
    return replace(EMPTY, installed=True, licenses=licenses, reports_licenses=reports)


def test_a_backup_comes_back_as_it_was_written() -> None:
    backup = backed_up()
    text = json.dumps(backup.as_document())
    assert ServerBackup.from_document(json.loads(text)) == backup
    assert [entry.state for entry in backup.licenses] == [ACTIVE, ACTIVE]
    assert backup.version == "1.4.0"
    assert json.loads(json.dumps(SOURCE.as_document())) == SOURCE.as_document()


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        ({"form": "other/1"}, "form"),
        ({"version": 7}, "version"),
        ({"server": ""}, "server"),
        ({"extra": 1}, "the backup must be an object"),
        ({"licenses": {}}, "licenses must be a list"),
        ({"licenses": [{}]}, r"licenses\[0\]"),
        ({"license_files": [{"name": "../a", "bytes": 1, "sha256": "ab" * 32}]}, "without /"),
        ({"license_files": [{"name": "a", "bytes": 1, "sha256": "ab"}]}, "sha256"),
        ({"settings": []}, "settings"),
        ({"settings": {"a": "b\n"}}, r"settings\.a"),
    ],
)
def test_a_document_that_is_no_backup_is_refused(change: dict[str, Any], reported: str) -> None:
    with pytest.raises(ValueError, match=reported):
        ServerBackup.from_document({**backed_up().as_document(), **change})


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        ({"number": "15.90.10"}, "number"),
        ({"profiles": ["--license"]}, "profiles"),
        ({"has_code": "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE"}, "has_code must be true or false"),
        ({"state": "gone"}, "state"),
        ({"number": TWO}, "stands twice"),
        ({"profiles": ["Client"]}, "is linked to license"),
    ],
)
def test_a_license_that_cannot_be_is_refused(change: dict[str, Any], reported: str) -> None:
    document = backed_up().as_document()
    document["licenses"][0].update(change)
    with pytest.raises(ValueError, match=reported):
        ServerBackup.from_document(document)


def test_a_declaration_that_the_server_contradicts_is_refused() -> None:
    other = (BackedUpLicense(ONE, ("ProLicense",), True), DECLARED[1])
    with pytest.raises(ValueError, match="declared with ProLicense and the server shows Server"):
        backed_up(declared=other)
    with pytest.raises(ValueError, match=f"shows license {TWO}, which is not declared"):
        backed_up(declared=DECLARED[:1])
    unseen = replace(SOURCE, licenses=(), reports_licenses=False)
    assert [entry.state for entry in backed_up(unseen).licenses] == [UNKNOWN, UNKNOWN]


@pytest.mark.parametrize(
    ("source", "target", "place"),
    [
        (ACTIVE, INACTIVE, Place.SOURCE),
        (ACTIVE, PENDING, Place.SOURCE),
        (INACTIVE, ACTIVE, Place.TARGET),
        (ACTIVE, ACTIVE, Place.BOTH),
        (INACTIVE, INACTIVE, Place.ORPHANED),
        (INACTIVE, PENDING, Place.ORPHANED),
        (UNKNOWN, ACTIVE, Place.UNKNOWN),
        (ACTIVE, UNKNOWN, Place.UNKNOWN),
        (UNKNOWN, INACTIVE, Place.UNKNOWN),
    ],
)
def test_where_a_license_is(source: LicenseState, target: LicenseState, place: Place) -> None:
    assert place_of(ONE, with_state(source), with_state(target)) is place


def test_what_cannot_be_asked_is_unknown() -> None:
    assert place_of(ONE, None, with_state(ACTIVE)) is Place.UNKNOWN
    silent = replace(EMPTY, reports_licenses=False)
    assert place_of(ONE, silent, EMPTY) is Place.UNKNOWN
    assert silent.license(ONE).profiles is None
    assert place_of(ONE, EMPTY, EMPTY) is Place.ORPHANED
    assert place_of(ONE, None, with_state(ACTIVE), released=True) is Place.TARGET
    assert place_of(ONE, None, EMPTY, released=True) is Place.ORPHANED
    assert place_of(ONE, with_state(ACTIVE), EMPTY, released=True) is Place.SOURCE


def verdicts(target: MovableServer, **values: Any) -> dict[str, RuleVerdict]:
    """The verdict on each rule for a target."""
    rows = target_rows(backed_up(), target, **values)
    assert all(row.advice.endswith(".") for row in rows)
    # Clauses, which a report puts behind each other.
    assert not any(text.endswith(".") for row in rows for text in (row.required, row.observed))
    return {row.rule: row.verdict for row in rows}


def test_a_good_target_is_only_asked_for_its_version() -> None:
    reported = verdicts(EMPTY, installer_sha256=INSTALLER.sha256, free_bytes_min=1_000_000)
    assert reported.pop("version") is RuleVerdict.UNKNOWN
    assert set(reported.values()) == {RuleVerdict.MET}


def test_a_declared_version_counts_before_that_of_the_source() -> None:
    newer = replace(EMPTY, version="1.5")
    assert verdicts(newer, version="1.4.0")["version"] is RuleVerdict.NOT_MET
    assert verdicts(newer, version="1.5")["version"] is RuleVerdict.MET
    assert verdicts(EMPTY, version="1.5")["version"] is RuleVerdict.UNKNOWN
    backup = replace(backed_up(), version=None)
    rows = {row.rule: row.verdict for row in target_rows(backup, newer)}
    assert rows["version"] is RuleVerdict.UNKNOWN


@pytest.mark.parametrize(
    ("rule", "change", "verdict"),
    [
        ("ports_free", {"ports_busy": (3401,)}, RuleVerdict.NOT_MET),
        ("ports_free", {"ports_busy": (3400, 3401), "installed": None}, RuleVerdict.UNKNOWN),
        (
            "ports_free",
            {"ports_busy": (3400, 3401), "installed": True, "serving": True},
            RuleVerdict.MET,
        ),
        (
            "not_serving_others",
            {"licenses": (MovableLicense("1.2.3.4", (), ACTIVE),)},
            RuleVerdict.NOT_MET,
        ),
        (
            "not_serving_others",
            {"licenses": (MovableLicense(ONE, (), ACTIVE),), "installed": True},
            RuleVerdict.MET,
        ),
        ("not_serving_others", {"installed": True, "reports_licenses": False}, RuleVerdict.UNKNOWN),
        ("version", {"installed": True, "version": "1.4.0"}, RuleVerdict.MET),
        ("version", {"installed": True, "version": "1.10"}, RuleVerdict.MET),
        ("version", {"installed": True, "version": "1.3.9"}, RuleVerdict.NOT_MET),
        ("installer", {"installer": None}, RuleVerdict.NOT_MET),
        ("installer", {"installer": FILE}, RuleVerdict.NOT_MET),
        ("installer", {"installer": None, "installed": True}, RuleVerdict.MET),
        ("installer", {"installer": None, "installed": None}, RuleVerdict.UNKNOWN),
        ("license_files", {"license_files": ()}, RuleVerdict.NOT_MET),
        ("license_files", {"license_files": (replace(FILE, sha256="00"),)}, RuleVerdict.NOT_MET),
        ("license_files", {"license_files": None}, RuleVerdict.UNKNOWN),
        ("room", {"free_bytes": 999_999}, RuleVerdict.NOT_MET),
        ("room", {"free_bytes": None}, RuleVerdict.UNKNOWN),
        ("not_locked", {"update_locks": (".lock",)}, RuleVerdict.NOT_MET),
    ],
)
def test_each_rule_of_a_target(rule: str, change: dict[str, Any], verdict: RuleVerdict) -> None:
    target = replace(EMPTY, **change)
    reported = verdicts(target, installer_sha256=INSTALLER.sha256, free_bytes_min=1_000_000)
    assert reported[rule] is verdict
