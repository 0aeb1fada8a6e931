# SPDX-License-Identifier: GPL-3.0-or-later
"""A reader sees which long test runs, how far it is, and is not told of each fast one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS_MAX = 300.0
LONG = "agent/tests/crash/test_share.py"
NAME = "test_all_is_all_and_none_is_none"
FAST = "agent/tests/domain/test_versions.py"


@pytest.mark.parametrize("workers", ["0", "2"])
def test_long_tests_are_named_as_they_begin(workers: str) -> None:
    """With the number of those that are done, and of all."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", workers, FAST, LONG],
        cwd=ROOT,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=True,
    )
    begun = [line for line in done.stdout.splitlines() if line.startswith("begun: ")]
    total = done.stdout.rpartition(" passed")[0].split()[-1]
    named = [line for line in begun if NAME in line]
    assert [line.partition(",")[0] for line in named] == [f"begun: {LONG}::{NAME}"]
    assert re.search(rf", with \d+ of {total} done$", named[0])
    assert not any(FAST in line for line in begun)
    assert f"[{total}/{total}]" in done.stdout
