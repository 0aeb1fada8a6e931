# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is reported as well that failed, or that nobody saw done."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    Declaration,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.plan import Plan
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.report import rows_of

HOST = "render-server"
NO_BUTTON = {
    "code": "page-differs",
    "detail": "The page has no TRANSFER.",
    "next_action": "Look at the screenshot.",
    "again": False,
}


def answer(outcome: str, **members: Any) -> dict[str, Any]:
    """What an agent answers of the one dongle of these tests."""
    return {
        "outcome": outcome, "changed": False, "problem": None, "steps": [], "before": {},
        "after": {}, "present": None, "details": {}, "digest": None, "waits_for": None,
        "confirmation_required": False, **members,
    }  # fmt: skip


def row(told: dict[str, Any], seen: dict[str, Any]) -> dict[str, Any]:
    """The row after a run in which the agent was told, and looked at once more."""
    plan = Plan([HOST], is_check=False)
    migration = {"dongle": "90000001", "target_user": "artist@studio-a.example"}
    confirmed = {HOST: {"plan_digest": "0a" * 32}}
    plan.declare([
        Declaration("dongle_migration", "one", "90000001", (HOST,), migration, confirmed)
    ])  # fmt: skip
    (matter,) = plan.matters.values()
    for to, result in (("ask", answer("would_change")), ("tell", told), ("verify", seen)):
        matter.take(HOST, result, [], to)
    (found,) = rows_of(plan)
    return found


def test_why_it_failed_outlives_the_plan_to_try_it_again() -> None:
    failed = row(answer("failed", problem=NO_BUTTON), answer("would_change"))
    assert (failed["outcome"], list(failed["failed_at"])) == ("failed", [HOST])
    assert failed["why"] == "The page has no TRANSFER. Look at the screenshot."


def test_what_failed_and_is_seen_as_declared_is_no_failure() -> None:
    same = row(answer("failed", problem=NO_BUTTON), answer("same"))
    assert (same["outcome"], same["why"], list(same["failed_at"])) == ("same", None, [])


@pytest.mark.parametrize("seen", ["would_change", "unknown"])
def test_what_nobody_saw_done_fails_its_host(seen: str) -> None:
    unknown = row(answer("changed", changed=True), answer(seen))
    assert (unknown["outcome"], list(unknown["failed_at"])) == ("unknown", [HOST])


def test_where_the_picture_of_a_page_is_stands_below_the_table() -> None:
    problem = {**NO_BUTTON, "screenshot": "/var/lib/seatkeeper/screenshots/1.png"}
    failed = row(answer("failed", problem=problem), answer("would_change"))
    assert failed["notes"] == [
        f"{HOST}: A picture of the page is in /var/lib/seatkeeper/screenshots/1.png on its host."
    ]


def test_what_one_host_has_declared_twice_is_told_in_these_words() -> None:
    plan = Plan([HOST], is_check=True)
    for settings in ({"proxy": {"host": "a"}}, {}):
        plan.declare([Declaration("server", "chaos", "chaos", (HOST,), {"settings": settings})])
    (found,) = rows_of(plan)
    assert found["why"] == (
        "The server chaos is declared twice for render-server, and differently. Keep one entry that"
        " is for it."
    )
    assert (found["outcome"], list(found["failed_at"])) == ("failed", [HOST])
