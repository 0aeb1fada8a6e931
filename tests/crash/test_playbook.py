# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook, run again after any death, its own included, brings everything to its end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from crash.share import environment

ROOT = Path(__file__).resolve().parents[2]
SHARE = 0.012
"""Two to three schedules, each of three playbooks."""

SECONDS_MAX = 3600


@pytest.mark.slow
@pytest.mark.timeout(SECONDS_MAX)
def test_a_share_of_the_deaths_is_survived(tmp_path: Path, record_property: Any) -> None:
    """Of agents, twins and playbooks; then one more run says changed=0 and writes nothing."""
    report = tmp_path / "report.json"
    done = subprocess.run(
        [sys.executable, "tests/crash", "--report", str(report)],
        cwd=ROOT,
        env=environment(SHARE),
        timeout=SECONDS_MAX,
        check=False,
    )
    assert report.exists(), f"the campaign broke off with code {done.returncode}"
    reported = json.loads(report.read_text())
    record_property("crash figures", reported["text"])
    assert reported["failed"] == 0, "\n".join(reported["failures"])
