# SPDX-License-Identifier: GPL-3.0-or-later
"""A real agent is killed wherever it goes: it gets through, once, and claims nothing before.

The campaign runs in a process of its own, because processes that fork must not have threads.
``make test-crash`` runs every point and every pair; see ``crashes.py`` for replays.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from crash.share import environment

from .crash_mutants import MUTANTS

SHARE = 0.05
SECONDS_MAX = 3600


def crashes(report: Path, *arguments: str) -> dict[str, Any]:
    """Run it; what it tells."""
    tests = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "operations.dongles.crashes", "--report", str(report), *arguments],
        cwd=tests,
        timeout=SECONDS_MAX,
        env=environment(SHARE),
        check=False,
    )
    assert report.exists(), f"the campaign broke off with code {done.returncode}"
    reported: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return reported


@pytest.mark.slow
@pytest.mark.timeout(SECONDS_MAX)
def test_a_share_of_the_deaths_is_survived(tmp_path: Path) -> None:
    """Migrations by a browser and by a person, activations, a borrow."""
    reported = crashes(tmp_path / "report.json")
    assert reported["failures"] == []
    assert reported["ran"] > 0


@pytest.mark.timeout(SECONDS_MAX)
def test_each_broken_agent_is_caught(tmp_path: Path) -> None:
    """By the promise that it breaks; a sound one that dies there keeps it."""
    reported = crashes(tmp_path / "report.json", "--mutants")
    assert set(reported) == set(MUTANTS)
    for name, (sound, broken) in reported.items():
        assert sound is None, name
        assert MUTANTS[name].seen in (broken or ""), name
