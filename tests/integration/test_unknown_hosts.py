# SPDX-License-Identifier: GPL-3.0-or-later
"""By playbook: an entry for a host that the inventory does not have is an error with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatkeeper_twins.lab.lab import Lab

from .runs import CHAOS_INVENTORY, ROOT, play

# A whole run of ansible-playbook on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

HOST = "render-server"


def test_a_host_that_nobody_has_is_told_with_its_place_before_anything_is_done(
    tmp_path: Path,
) -> None:
    transfer = {
        "name": "seats", "item": "6000010:201", "type": "licenses", "quantity": 1,
        "source": "render-sever", "target": HOST,
    }  # fmt: skip
    with Lab.create({HOST: {"chaos": {}}}) as lab:
        run = play(
            lab,
            tmp_path,
            ROOT / "playbooks" / "activate_licenses.yml",
            "--limit",
            HOST,
            variables={"license_transfers": [transfer]},
            inventory=CHAOS_INVENTORY,
        )
        assert (run.recap[HOST]["failed"], run.recap[HOST]["changed"]) == (1, 0)
        told = "declares render-sever as license_transfers[0].source of seats"
        assert told in run.output
        assert "Did you mean render-server?" in run.output
        assert not lab[HOST].client.get("/v1/servers/chaos/activation")["activated"]
