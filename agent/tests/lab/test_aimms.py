# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab with a license server that moves: its machines, their vendor, their agents' settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.settings import load
from seatkeeper_twins.aimms import people
from seatkeeper_twins.lab.lab import Lab
from seatkeeper_twins.lab.process import LabError
from seatkeeper_twins.parts import control
from seatkeeper_twins.parts.seed import SeedError

LICENSE = "15.90.10.1"
SEEDS: dict[str, Any] = {
    "old-server": {"aimms": {"machine": {"licenses": {LICENSE: ["Server"]}}}},
    "new-server": {"aimms": {"mapped": False, "machine": {"installed": False}}},
}


def test_each_agent_sees_its_own_machine_and_a_lab_is_opened_as_it_was_left(tmp_path: Path) -> None:
    with Lab.create(SEEDS, tmp_path / "lab") as lab:
        seen = {
            host.name: vendor
            for host in lab
            for vendor in host.client.get("/v1/agent")["vendors"]
            if vendor["vendor"] == "aimms"
        }
        assert (seen["old-server"]["version"], seen["old-server"]["running"]) == ("1.4.0", True)
        assert not seen["new-server"]["running"]
        graded = {entry["name"]: entry["grade"] for entry in seen["new-server"]["capabilities"]}
        assert (graded["activate"], graded["deactivate"]) == ("documented", "assisted")
        assert people.holders(lab.aimms_vendor.address)[LICENSE] is not None
        assert lab["old-server"].products().keys() == {"aimms"}
        settings = load(lab["old-server"].settings_path).vendors["aimms"]
        assert settings is not None
        assert settings.deactivate_command == ("licman", "--twin-deactivate", "{license}")
        people.maintenance(lab["old-server"].aimms.address, True)
    with Lab.open(tmp_path / "lab") as again:
        assert control.describe(again["old-server"].aimms.address)["maintenance"]
        assert again["new-server"].client.get("/v1/moves") == {"moves": [], "next": None}
        with pytest.raises(LabError, match="has no CodeMeter twin"):
            _ = again["old-server"].engine


def test_a_seed_that_cannot_be_used_is_told() -> None:
    for aimms in ({"mapped": 1}, {"unknown": 1}, {"machine": {"licenses": {"1": []}}}):
        with pytest.raises(SeedError):
            Lab.create({"old-server": {"aimms": aimms}})
    with Lab.create({"office": {"altigen": {}}}) as lab:
        with pytest.raises(LabError, match="has no AIMMS twin"):
            _ = lab["office"].aimms
        with pytest.raises(LabError, match="has an AIMMS twin"):
            _ = lab.aimms_vendor
