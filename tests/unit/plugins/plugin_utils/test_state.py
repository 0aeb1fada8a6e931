# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a task failed."""

from __future__ import annotations

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._state import failures


def test_a_failure_is_told_by_each_item_that_failed() -> None:
    assert failures({"msg": "Told why."}) == ["Told why."]
    items = [{"failed": True, "msg": "This one."}, {"failed": False}, {"failed": True}]
    loop = {"msg": "One or more items failed", "results": items}
    assert failures(loop) == ["This one.", "no reason was given"]
