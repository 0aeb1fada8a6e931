# SPDX-License-Identifier: GPL-3.0-or-later
"""A real agent is killed wherever it goes: it gets through, once, and claims nothing before.

The campaign runs in a process of its own, because processes that fork must not have threads.
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

SHARE = 0.05
"""Of the points, usually."""

CAMPAIGN_SECONDS_MAX = 6 * 3600
MUTANTS_SECONDS_MAX = 300


def crashes(report: Path, seconds_max: float, *arguments: str) -> dict[str, Any]:
    """Run it; what it tells."""
    tests = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "operations.dongles.crashes", "--report", str(report), *arguments],
        cwd=tests,
        timeout=seconds_max,
        check=False,
    )
    assert report.exists(), f"the campaign broke off with code {done.returncode}"
    told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return told


@pytest.mark.slow
@pytest.mark.timeout(CAMPAIGN_SECONDS_MAX)
def test_every_death_is_survived(tmp_path: Path) -> None:
    """Migrations by a browser and by a person, activations, a borrow."""
    told = crashes(tmp_path / "report.json", CAMPAIGN_SECONDS_MAX, "--share", str(share(SHARE)))
    assert told["failures"] == []
    assert told["ran"] > 0


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What was seen of each broken agent."""
    report = tmp_path_factory.mktemp("mutants") / "report.json"
    return crashes(report, MUTANTS_SECONDS_MAX, "--mutants")


@pytest.mark.timeout(MUTANTS_SECONDS_MAX)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_agent_is_caught(seen: dict[str, Any], name: str) -> None:
    """By the promise that it breaks; a sound one that dies there keeps it."""
    sound, broken = seen[name]
    assert sound is None
    assert MUTANTS[name].seen in broken
