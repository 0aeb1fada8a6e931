# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are made from people's names are recognised, stay in their folder, never collide."""

from __future__ import annotations

import pytest

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._file_names import file_stem
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._server_moves import move_calls

NAMES = (
    "planning", "planning 2", "planning_2", "planning-2", "planning/2", "pl\u00e4nning", "pl_nning",
    "pl\u00f6nning", "..", ".", ".planning", "", "a" * 80, "a" * 81, "a" * 200, "\udcff",
    "\u8a08\u753b",
)  # fmt: skip


def test_no_two_names_make_the_same_file() -> None:
    stems = [file_stem(name) for name in NAMES]
    assert len(set(stems)) == len(NAMES)
    for stem in stems:
        assert stem.isascii()
        assert "/" not in stem
        assert not stem.startswith(".")
        assert 0 < len(stem) < 120


@pytest.mark.parametrize("name", ["planning", "planning-2", "Plan_2.old"])
def test_a_name_that_a_file_may_have_is_kept(name: str) -> None:
    assert file_stem(name) == name


def test_moves_with_names_alike_keep_their_own_files() -> None:
    entries = [
        {
            "name": name, "source": "old", "target": "new", "target_host": "n.example",
            "licenses": [{"number": "15.90.10.1", "profiles": []}],
        }
        for name in ("plan a", "plan_a")
    ]  # fmt: skip
    reported = [
        {"agent": name, "before": [], "results": {}, "backups": {}, "failures": []}
        for name in ("old", "new")
    ]
    files = [call["backup_dest"] for call in move_calls(entries, "backup", "old", reported, "/d")]
    assert len(set(files)) == len(files) == 2
