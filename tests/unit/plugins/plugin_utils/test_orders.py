# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders as rows of a report."""

from __future__ import annotations

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._orders import order_rows

ORDER = {"name": "to-hq", "source": "branch", "target": "hq", "keys": [{"key": "K-1"}]}
WAIT = {
    "step": "send",
    "operation": "op-1",
    "subject": "order 'to-hq'",
    "attestable": True,
    "title": "the vendor moving the licenses",
    "who": "vendor",
    "instructions": ["Wait."],
    "verified_by": "The case says so",
    "since": "2026-11-21T09:30:00Z",
    "until": "2026-11-22T09:30:00Z",
    "overdue": False,
}
KNOWN = {
    **ORDER,
    "state": "waiting",
    "source_key": "AA-1",
    "target_key": "AA-2",
    "ended_on": None,
    "case_number": "CAS-1",
    "operation": {"id": "op-1", "state": "waiting"},
}


def test_a_row_tells_who_has_to_act_since_when_and_until_when() -> None:
    (row,) = order_rows([KNOWN], [WAIT])
    assert row == {
        "name": "to-hq",
        "move": "branch to hq",
        "keys": 1,
        "case_number": "CAS-1",
        "state": "waiting",
        "who": "vendor",
        "waits_for": "the vendor moving the licenses",
        "since": "2026-11-21T09:30:00Z",
        "until": "2026-11-22T09:30:00Z",
    }
    (late,) = order_rows([KNOWN], [{**WAIT, "overdue": True}])
    assert late["until"] == "2026-11-22T09:30:00Z (overdue)"
    (row,) = order_rows([{**KNOWN, "operation": None, "state": "none"}], [WAIT])
    assert (row["who"], row["until"]) == (None, None)
