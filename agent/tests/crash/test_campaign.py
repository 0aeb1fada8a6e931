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

SHARE_DEFAULT = "0.0005"
CAMPAIGN_SECONDS_MAX = 6 * 3600
MUTANTS_SECONDS_MAX = 600
END_SECONDS_MAX = 30.0
MARK = "SEATKEEPER_CAMPAIGN"


def _crash(report: Path, seconds_max: float, *arguments: str) -> dict[str, Any]:
    environment = {"SEATKEEPER_CRASH_SHARE": SHARE_DEFAULT, **os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "crash", "--report", str(report), *arguments],
        cwd=Path(__file__).parents[1],
        env=environment,
        timeout=seconds_max,
        check=False,
    )
    assert report.exists(), f"the campaign broke off with code {done.returncode}"
    told: dict[str, Any] = json.loads(report.read_text())
    return told


@pytest.mark.timeout(CAMPAIGN_SECONDS_MAX)
def test_every_death_is_survived(tmp_path: Path, record_property: Any) -> None:
    """Real agents and twins; each run again converges, keeps I1 to I4, then changes nothing."""
    told = _crash(tmp_path / "report.json", CAMPAIGN_SECONDS_MAX)
    record_property(FIGURES, told["text"])
    assert told["failed"] == 0, "\n".join(told["failures"])


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


@pytest.fixture(scope="module")
def mutants(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the few schedules meant for each broken agent saw."""
    report = tmp_path_factory.mktemp("mutants") / "report.json"
    return _crash(report, MUTANTS_SECONDS_MAX, "--mutants")


@pytest.mark.timeout(MUTANTS_SECONDS_MAX)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_agent_is_caught(mutants: dict[str, Any], name: str) -> None:
    """By the promise that it breaks; sound agents pass the same schedules."""
    told = mutants[name]
    assert set(told["breaks"]) == {MUTANTS[name].breaks}, told["seen"]
    assert told["sound"] == [None] * len(told["seen"])
