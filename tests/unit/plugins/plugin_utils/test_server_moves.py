# SPDX-License-Identifier: GPL-3.0-or-later
"""What reports tell of moves: each license, what is active nowhere, and who has to judge."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._server_moves import (
    adrift_lines,
    move_rows,
    orphaned_lines,
    said_lines,
)

ORPHANED = {"license": "1.2.3.4", "place": "nowhere", "since": None, "advice": ["Call.", "Now."]}


def record(side: str, state: str, **changes: t.Any) -> dict[str, t.Any]:
    """A move as an agent knows it."""
    license_ = {"number": "1.2.3.4", "profiles": ["Client"], "place": side, "seen": "unknown"}
    return {
        "name": "planning",
        "source": "old",
        "target": "new",
        "side": side,
        "state": state,
        "licenses": [license_],
        "adrift": [],
        "steps": [],
        **changes,
    }


def test_rows_show_each_license() -> None:
    (row,) = move_rows([record("source", "released")])
    assert (row["license"], row["profiles"], row["place"]) == ("1.2.3.4", "Client", "source")


def test_a_report_says_why_a_move_stands_still() -> None:
    problem = {"detail": "The command ended with exit status 1.", "next_action": "Look at it."}
    open_move = record("target", "installing", problem=problem)
    (line,) = orphaned_lines([open_move, record("target", "arrived", problem=problem)])
    assert line == f"Move planning on new: {problem['detail']} {problem['next_action']}"


def test_reports_show_the_names_of_licenses_beside_their_numbers() -> None:
    named = record("source", "released", adrift=[{**ORPHANED, "name": "PROServer"}])
    named["licenses"][0]["name"] = "PROServer"
    assert move_rows([named])[0]["license"] == "1.2.3.4 (PROServer)"
    assert "1.2.3.4 (PROServer)" in "\n".join(orphaned_lines([named]))


def test_a_license_that_both_hosts_miss_is_told_once_with_what_helps() -> None:
    both = [record(side, "released", adrift=[ORPHANED]) for side in ("source", "target")]
    heading, _columns, row = adrift_lines(both)
    assert heading == "Licenses that are active nowhere, or may be:"
    assert row.split() == ["1.2.3.4", "nowhere", "Call.", "Now."]
    assert adrift_lines([record("target", "arrived")]) == []


def test_what_was_tried_is_told_with_the_words_of_the_program() -> None:
    tried = {"title": "activating license 1.2.3.4", "state": "tried", "said": "it ended with 1"}
    done = {"title": "linking a profile", "state": "done", "said": "it ended with 0"}
    _heading, line = said_lines([record("target", "installing", steps=[tried, done])])
    assert line == "activating license 1.2.3.4: it ended with 1"
    assert said_lines([record("target", "installing", steps=[done])]) == []
