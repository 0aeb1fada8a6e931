# SPDX-License-Identifier: GPL-3.0-or-later
"""Real agents are killed wherever a move goes: it gets through, and nothing is silently nowhere.

``SEATKEEPER_CRASH_SHARE=1`` runs every point and every pair; see ``crashes.py`` for replays.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SHARE = float(os.environ.get("SEATKEEPER_CRASH_SHARE", "0.005"))
CAMPAIGN_SECONDS_MAX = 12 * 3600


@pytest.mark.slow
@pytest.mark.timeout(CAMPAIGN_SECONDS_MAX)
def test_every_death_is_survived(tmp_path: Path) -> None:
    """Both profiles of licman, with and without lost answers."""
    report = tmp_path / "report.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "operations.moves.crashes"),
            *("--report", str(report), "--share", str(SHARE)),
        ],
        cwd=Path(__file__).parents[2],
        timeout=CAMPAIGN_SECONDS_MAX,
        check=False,
    )
    assert report.exists(), f"the campaign broke off with code {done.returncode}"
    told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    assert told["failures"] == []
    assert told["ran"] > 0
