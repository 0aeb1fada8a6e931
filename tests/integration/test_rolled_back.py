# SPDX-License-Identifier: GPL-3.0-or-later
"""A license server that was restored from a snapshot: the run says so, and moves nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from seatkeeper_twins.lab.lab import Lab

from .runs import ROOT, holdings, module, play

# Whole runs of ansible-playbook on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MIGRATE = ROOT / "playbooks" / "migrate_licenses.yml"
ENDS = {
    "source": "old-server",
    "source_container": "130-1000000001",
    "target": "new-server",
    "target_container": "130-2000000002",
}
MOVE = {"name": "move", "item": "6000010:201", "type": "licenses", "quantity": 10, **ENDS}
LEGS = {
    "request": "new-server",
    "issue": "old-server",
    "install": "new-server",
    "confirm": "old-server",
    "acknowledge": "new-server",
}


def test_a_restored_source_neither_debits_again_nor_says_that_nothing_differs(
    lab: Lab, tmp_path: Path
) -> None:
    old = lab["old-server"]
    old.twin("_twin.snapshot", name="before")
    old.agent.stop()
    kept = shutil.copytree(old.state_folder, tmp_path / "kept")
    old.agent.start()
    document = None
    for leg, host in LEGS.items():
        document = module(
            lab, tmp_path, "license_transfer", host, leg=leg, document=document, **MOVE
        )["document"]

    old.agent.stop()
    old.twin("_twin.rollback", name="before")
    shutil.rmtree(old.state_folder)
    shutil.copytree(kept, old.state_folder)
    old.agent.start()
    doubled = holdings(lab)
    assert doubled["old-server"]["6000010:201"][0] + doubled["new-server"]["6000010:201"][0] == 35

    declared = {"name": "move", "item": "6000010:201", "type": "licenses", "quantity": 10}
    ends = {"source": "old-server", "target": "new-server"}
    variables = {"license_transfers": [{**declared, **ends}], "license_borrows": []}
    for arguments in (("--check",), (), ()):
        run = play(lab, tmp_path, MIGRATE, *arguments, variables=variables)
        assert run.code != 0
        assert "a snapshot or backup was restored over newer state" in run.output
        assert "old-server  nothing differs" not in run.output
        assert "Traceback" not in run.output
        assert holdings(lab) == doubled
    (frozen,) = old.client.get("/v1/agent")["frozen"]
    assert frozen["held"] == "130-1000000001"
