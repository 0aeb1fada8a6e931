# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the whole playbook costs where nothing differs, which is nearly every run."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from costs.table import assert_written

from costs.runs import RunCost, costs_of, counted_requests, lines_of
from integration.runs import ROOT, play
from seatkeeper_twins.lab.lab import Lab

# Whole runs of ansible-playbook on a busy machine.
pytestmark = pytest.mark.timeout(900)

SITE = ROOT / "playbooks" / "site.yml"

LINES = 20
REQUESTS = ("1 PUT /v2/state",)
COSTS: dict[str, RunCost] = {
    "new-server": RunCost(results=3, relays=1, requests=REQUESTS),
    # What is done once for all hosts is done by the first.
    "old-server": RunCost(results=5, relays=1, requests=REQUESTS),
}


def test_a_run_in_which_nothing_differs_costs_what_is_written_down(tmp_path: Path) -> None:
    """Two hosts with CodeMeter, of which nothing is declared that is not so."""
    seeds = json.loads((resources.files("seatkeeper_twins.demo") / "seed.json").read_text())
    nothing: dict[str, Any] = {"license_transfers": [], "license_borrows": []}
    with Lab.create(seeds) as lab, counted_requests(lab) as doormen:
        run = play(lab, tmp_path, SITE, variables=nothing).ended_well()
        assert run.changed == 0
        counted = {"lines": lines_of(run), **costs_of(run, doormen)}
    assert_written(counted, {"lines": LINES, **COSTS})
