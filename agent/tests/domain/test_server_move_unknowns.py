# SPDX-License-Identifier: GPL-3.0-or-later
"""Unknown is never met: what nobody can see of a target, and what follows from it, rule by rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from seatkeeper_agent.domain.rules import OnUnknown, RuleRow, RuleVerdict, is_refused
from seatkeeper_agent.domain.server_move_rules import ON_UNKNOWN, target_rows
from seatkeeper_agent.domain.server_moves import LicenseState, MovableLicense, MovableServer

from .test_server_moves import EMPTY, FILE, INSTALLER, backed_up

UNSEEN = MovableServer(
    installed=None, serving=None, version=None, maintenance=None, licenses=(),
    reports_licenses=False, license_files=None, installer=None, free_bytes=None,
    ports_busy=None, update_locks=None,
)  # fmt: skip
DEMANDED = {"version": "1.4.0", "installer_sha256": INSTALLER.sha256, "free_bytes_min": 1_000}
TABLE = {
    # Rule: what an unknown does where it is demanded of the target, and where it is not.
    "ports_free": ("shown", "shown"),
    "not_serving_others": ("shown", "shown"),
    "version": ("blocks", "shown"),
    "installer": ("blocks", "shown"),
    "license_files": ("shown", "shown"),
    "room": ("blocks", "shown"),
    "not_locked": ("shown", "shown"),
}


def rows(target: MovableServer, **demanded: Any) -> dict[str, RuleRow]:
    """What the rules say of a target, by their names."""
    return {row.rule: row for row in target_rows(backed_up(), target, **demanded)}


def test_every_rule_of_a_move_says_what_an_unknown_does() -> None:
    reported = {rule: tuple(then.value for then in pair) for rule, pair in ON_UNKNOWN.items()}
    assert reported == TABLE
    assert set(rows(EMPTY)) == set(TABLE)


def test_nothing_of_a_machine_that_nobody_can_see_is_met() -> None:
    found = rows(UNSEEN)
    assert {row.verdict for row in found.values()} == {RuleVerdict.UNKNOWN}
    assert {rule: row.on_unknown.value for rule, row in found.items()} == {
        rule: then for rule, (_demanded, then) in TABLE.items()
    }
    assert not is_refused(tuple(found.values()))
    assert "not known" in found["not_locked"].observed
    assert "not known" in found["ports_free"].observed


def test_what_is_demanded_and_cannot_be_seen_blocks() -> None:
    found = rows(UNSEEN, **DEMANDED)
    assert {rule for rule, row in found.items() if row.blocks} == {"version", "installer", "room"}
    for rule, demand in zip(("version", "installer", "room"), DEMANDED.items(), strict=True):
        alone = rows(UNSEEN, **dict([demand]))
        assert [each for each, row in alone.items() if row.blocks] == [rule]


def test_a_version_is_demanded_of_what_is_installed_already() -> None:
    """Before the installation nothing tells it; after it the very same rule is asked again."""
    assert not rows(EMPTY, version="1.4.0")["version"].blocks
    installed = replace(EMPTY, installed=True)
    assert rows(installed, version="1.4.0")["version"].on_unknown is OnUnknown.BLOCKS
    assert rows(installed, version="1.4.0")["version"].blocks


@pytest.mark.parametrize("state", [LicenseState.PENDING, LicenseState.UNKNOWN])
def test_a_license_of_others_that_may_be_served_is_not_ruled_out(state: LicenseState) -> None:
    others = (MovableLicense("1.2.3.4", None, state),)
    row = rows(replace(EMPTY, licenses=others))["not_serving_others"]
    assert row.verdict is RuleVerdict.UNKNOWN
    assert "1.2.3.4" in row.observed


def test_a_rule_never_takes_the_absence_of_a_look_for_a_look() -> None:
    """Each thing that is seen alone settles its own rule and no other one."""
    seen: dict[str, tuple[str, Any]] = {
        "ports_free": ("ports_busy", ()),
        "not_locked": ("update_locks", ()),
        "room": ("free_bytes", 1),
        "license_files": ("license_files", (FILE,)),
        "version": ("version", "1.4.0"),
        "not_serving_others": ("reports_licenses", True),
    }
    for rule, (member, value) in seen.items():
        found = rows(replace(UNSEEN, **{member: value}))
        met = [each for each, row in found.items() if row.verdict is not RuleVerdict.UNKNOWN]
        assert met == [rule]
