# SPDX-License-Identifier: GPL-3.0-or-later
"""Real agents are killed wherever a move goes: it gets through, and nothing is silently nowhere.

``SEATKEEPER_CRASH_SHARE=1`` runs every point and every pair; see ``crashes.py`` for replays.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from crash.share import share

from .crash_mutants import MUTANTS

SHARE = 0.005
"""Of the points, usually."""

CAMPAIGN_SECONDS_MAX = 12 * 3600
MUTANTS_SECONDS_MAX = 900


def crashes(report: Path, seconds_max: float, *arguments: str) -> dict[str, Any]:
    """Run it in a process of its own; what it tells."""
    done = subprocess.run(
        [sys.executable, "-m", "operations.moves.crashes", "--report", str(report), *arguments],
        cwd=Path(__file__).parents[2],
        timeout=seconds_max,
        check=False,
    )
    assert report.exists(), f"the campaign broke off with code {done.returncode}"
    told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return told


@pytest.mark.slow
@pytest.mark.timeout(CAMPAIGN_SECONDS_MAX)
def test_every_death_is_survived(tmp_path: Path) -> None:
    """Both profiles of licman, with and without lost answers."""
    told = crashes(tmp_path / "report.json", CAMPAIGN_SECONDS_MAX, "--share", str(share(SHARE)))
    assert told["failures"] == []
    assert told["ran"] > 0


@pytest.mark.slow
@pytest.mark.timeout(MUTANTS_SECONDS_MAX)
def test_a_broken_agent_is_caught(tmp_path: Path) -> None:
    """By the promise that it breaks; a sound one that dies there keeps it."""
    told = crashes(tmp_path / "report.json", MUTANTS_SECONDS_MAX, "--mutants")
    assert set(told) == set(MUTANTS)
    for name, (sound, broken) in told.items():
        assert sound is None, name
        assert MUTANTS[name].seen in (broken or ""), name
