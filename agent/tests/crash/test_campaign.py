# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever dies, and whenever: run again and nothing is lost, doubled or left open.

The campaign runs in processes of its own, because processes that fork must not have threads.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_twins.lab.process import marked_processes

from .conftest import FIGURES
from .mutants import MUTANTS
from .share import environment

SHARES = [0.0004, pytest.param(0.002, marks=pytest.mark.slow)]
"""Of about 1,100 schedules and 45,000 pairs some 20 and some 60."""

SECONDS_MAX = 3600
END_SECONDS_MAX = 300.0
MARK = "SEATKEEPER_CAMPAIGN"


def crash(report: Path, usual: float, *arguments: str, module: str = "crash") -> dict[str, Any]:
    """The figures of a campaign in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", module, "--report", str(report), *arguments],
        cwd=Path(__file__).parents[1],
        env=environment(usual),
        timeout=SECONDS_MAX,
        check=False,
    )
    assert report.exists(), f"the campaign broke off with code {done.returncode}"
    reported: dict[str, Any] = json.loads(report.read_text())
    return reported


@pytest.mark.timeout(SECONDS_MAX)
@pytest.mark.parametrize("usual", SHARES)
def test_a_share_of_the_deaths_is_survived(
    tmp_path: Path, record_property: Any, usual: float
) -> None:
    """Real agents and twins; each run again converges, keeps I1 to I4, then changes nothing."""
    reported = crash(tmp_path / "report.json", usual)
    record_property(FIGURES, reported["text"])
    assert reported["failed"] == 0, "\n".join(reported["failures"])


def test_a_killed_campaign_leaves_no_process_behind() -> None:
    """Nothing of it may go on, or wait for ever, without anybody who listens."""
    with subprocess.Popen(
        [sys.executable, "-m", "crash", "--scenario", "push"],
        cwd=Path(__file__).parents[1],
        env={**os.environ, MARK: str(os.getpid())},
        stderr=subprocess.PIPE,
    ) as campaign:
        assert campaign.stderr is not None
        # The first line comes when the workers have run the undisturbed scenario.
        assert b"1 of 1" in campaign.stderr.readline()
        assert len(marked_processes(MARK, str(os.getpid()))) > 1
        campaign.kill()
    deadline = time.monotonic() + END_SECONDS_MAX
    while marked_processes(MARK, str(os.getpid())):
        assert time.monotonic() < deadline, "workers of a killed campaign still run"
        time.sleep(0.05)


@pytest.mark.timeout(SECONDS_MAX)
def test_each_broken_agent_is_caught(tmp_path: Path) -> None:
    """By the promise that it breaks; sound agents pass the same schedules."""
    reported = crash(tmp_path / "report.json", 1.0, "--mutants")
    for name, mutant in MUTANTS.items():
        found = reported[name]
        assert set(found["breaks"]) == {mutant.breaks}, (name, found["seen"])
        assert found["sound"] == [None] * len(found["seen"]), name
