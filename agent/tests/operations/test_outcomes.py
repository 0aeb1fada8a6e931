# SPDX-License-Identifier: GPL-3.0-or-later
"""What has not ended is never said to be as declared."""

from __future__ import annotations

import pytest

from seatkeeper_agent.operations.declared.reading import outcome_of


@pytest.mark.parametrize("state", ["running", "waiting", "in_doubt"])
def test_work_that_has_not_ended_is_waited_for(state: str) -> None:
    answer = {
        "changed": False,
        "before": {},
        "after": {},
        "operation": {"id": "of-it", "state": state},
    }
    assert outcome_of(answer).waits_for == {"operation": "of-it"}
    ended = {**answer, "operation": {"id": "of-it", "state": "done"}}
    assert outcome_of(ended).waits_for is None
    assert outcome_of({**answer, "operation": None}).waits_for is None
