# SPDX-License-Identifier: GPL-3.0-or-later
"""By playbook: what an inventory declares wrongly is told with its place, and nothing is done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_twins.lab.lab import Lab

from .runs import CHAOS_INVENTORY, ROOT, play

# Whole runs of ansible-playbook on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

HOST = "render-server"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A server that nobody has activated."""
    with Lab.create({HOST: {"chaos": {}}}) as running:
        yield running


def refused(lab: Lab, folder: Path, **declared: Any) -> str:
    """The output of a run that does nothing because of what is declared."""
    playbook = ROOT / "playbooks" / "activate_licenses.yml"
    run = play(
        lab, folder, playbook, "--limit", HOST, variables=declared, inventory=CHAOS_INVENTORY
    )
    assert (run.recap[HOST]["failed"], run.recap[HOST]["changed"]) == (1, 0), run.output
    assert "Traceback" not in run.output
    assert not lab[HOST].client.get("/v1/servers/chaos/activation")["activated"]
    return run.output


def test_a_host_that_nobody_has_is_told_with_its_place_before_anything_is_done(
    lab: Lab, tmp_path: Path
) -> None:
    transfer = {
        "name": "seats", "item": "6000010:201", "type": "licenses", "quantity": 1,
        "source": "render-sever", "target": HOST,
    }  # fmt: skip
    output = refused(lab, tmp_path, license_transfers=[transfer])
    assert "declares render-sever as license_transfers[0].source of seats" in output
    assert "Did you mean render-server?" in output


def test_what_is_written_in_another_form_is_told_in_plain_words(lab: Lab, tmp_path: Path) -> None:
    borrow = {"name": "desk", "product": "V-Ray", "seats": "many", "until": "2030-01-01"}
    output = refused(lab, tmp_path, license_server_borrows=[borrow])
    assert "license_server_borrows.seats as something else than a whole number" in output
    output = refused(lab, tmp_path, license_server_configs=[{"vendor": "chaos", "package": [1]}])
    assert "a list or a value where keys with values belong" in output
