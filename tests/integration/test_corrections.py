# SPDX-License-Identifier: GPL-3.0-or-later
"""A declaration that could not be, corrected in the inventory under its own name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_twins.lab.lab import Lab

from .runs import ROOT, holdings, play

# Whole runs of ansible-playbook on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

MIGRATE = ROOT / "playbooks" / "migrate_licenses.yml"
ENDS = {"source": "old-server", "target": "new-server"}


def declared(quantity: int, seats: int) -> dict[str, Any]:
    """One transfer out of 25 seats, and a borrow of some of five."""
    until = datetime.now(UTC).replace(hour=0, minute=0, second=0) + timedelta(days=7)
    transfer = {"name": "seats", "item": "6000010:201", "type": "licenses", "quantity": quantity}
    borrow = {"name": "cad", "item": "6000010:204", "seats": seats, "until": f"{until:%F}"}
    return {"license_transfers": [{**transfer, **ENDS}], "license_borrows": [{**borrow, **ENDS}]}


def states(lab: Lab, host: str) -> dict[str, str]:
    """The transfers in a host's journal."""
    found = lab[host].client.get("/v1/transfers?limit=100")["transfers"]
    return {entry["name"]: entry["state"] for entry in found}


def test_what_never_began_is_corrected_under_its_own_name(lab: Lab, tmp_path: Path) -> None:
    failed = play(lab, tmp_path, MIGRATE, variables=declared(26, 6))
    assert failed.code != 0
    assert "The item 6000010:201 of transfer 'seats' holds 25" in failed.output
    assert "The item 6000010:204 of transfer 'cad/lot-6'" in failed.output
    assert "Traceback" not in failed.output
    # The target was not touched for what the source's rules refuse.
    assert "seats" not in states(lab, "new-server") | states(lab, "old-server")
    assert holdings(lab)["new-server"] == {"6000010:204": (5, 0)}

    right = declared(10, 5)
    planned = play(lab, tmp_path, MIGRATE, "--check", variables=right).ended_well()
    done = play(lab, tmp_path, MIGRATE, variables=right).ended_well()
    assert done.plan == planned.plan
    assert {row["declaration"] for row in done.plan} == {"seats"}
    assert holdings(lab)["new-server"] == {"6000010:201": (10, 0), "6000010:204": (5, 0)}
    assert "cad/lot-6" not in states(lab, "new-server")
    assert play(lab, tmp_path, MIGRATE, variables=right).ended_well().changed == 0
