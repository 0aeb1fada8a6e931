# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the whole playbook costs where nothing differs, which is nearly every run."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest
from costs.table import assert_written

from costs.runs import RunCost, costs_of, counted_requests, lines_of
from integration.runs import ROOT, play
from seatkeeper_twins.lab.lab import Lab

# Whole runs of ansible-playbook on a busy machine.
pytestmark = pytest.mark.timeout(900)

SITE = ROOT / "playbooks" / "site.yml"

LINES = 0
COSTS: dict[str, RunCost] = {}


def test_a_run_in_which_nothing_differs_costs_what_is_written_down(tmp_path: Path) -> None:
    """Two hosts with CodeMeter, four transfers and a borrow, all of them done before."""
    seeds = json.loads((resources.files("seatkeeper_twins.demo") / "seed.json").read_text())
    with Lab.create(seeds) as lab:
        assert play(lab, tmp_path, SITE).ended_well().changed > 0
        with counted_requests(lab) as doormen:
            again = play(lab, tmp_path, SITE).ended_well()
        assert again.changed == 0
    assert_written(
        {**costs_of(again, doormen), "lines": lines_of(again)}, {**COSTS, "lines": LINES}
    )
