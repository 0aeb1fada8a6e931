# SPDX-License-Identifier: GPL-3.0-or-later
"""Fast tests run first, and the longest of the others are not begun last."""

from __future__ import annotations

from pathlib import Path

from .order import LAST, rank

ROOT = Path(__file__).resolve().parents[2]


def test_fast_folders_come_first() -> None:
    """Then crash campaigns, then playbooks."""
    names = [
        "tests/integration/test_site.py::test_a",
        "agent/tests/crash/test_campaign.py::test_b",
        "agent/tests/domain/test_names.py::test_c",
        "tests/unit/plugins/test_secrets.py::test_d",
    ]
    assert sorted(names, key=rank) == [names[2], names[3], names[1], names[0]]


def test_every_folder_that_comes_last_is_there() -> None:
    """One that was renamed would run among the fast ones."""
    assert [folder for folder in LAST if not (ROOT / folder).exists()] == []
