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
OWN_PLAY = """
- name: Set servers up by what this play declares
  hosts: license_servers
  gather_facts: false
  module_defaults:
    group/seatkeeper.licensing.licensing:
      agent_socket: "{{ seatkeeper_agent_socket }}"
      agent_command: "{{ seatkeeper_agent_command }}"
  vars:
    license_server_configs:
      - vendor: chaos
        settings: {diagnostics: {level: "{{ inventory_hostname }}"}}
    license_state_parts: [settings]
  tasks:
    - name: Make it true
      ansible.builtin.include_role:
        name: seatkeeper.licensing.license_state
"""


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
    assert "license_transfers[0].source of seats names render-sever, which is no host" in output
    assert "Did you mean render-server?" in output


def test_what_is_written_in_another_form_is_told_in_plain_words(lab: Lab, tmp_path: Path) -> None:
    borrow = {"name": "desk", "product": "V-Ray", "seats": "many", "until": "2030-01-01"}
    configs = [{"vendor": "chaos", "package": [1]}]
    wrong = {"license_server_borrows": [borrow], "license_server_configs": configs}
    output = refused(lab, tmp_path, **wrong)
    # All mistakes at once, and then the one sentence that nothing was done.
    assert "license_server_borrows[0].seats of desk must be a whole number" in output
    assert "license_server_configs[0].package of chaos must be keys with values" in output
    assert "Nothing was done on any host." in output


def test_what_a_play_itself_declares_counts_for_all_its_hosts(lab: Lab, tmp_path: Path) -> None:
    playbook = tmp_path / "own.yml"
    playbook.write_text(OWN_PLAY, encoding="utf-8")
    run = play(lab, tmp_path, playbook, "--limit", HOST, "--check", inventory=CHAOS_INVENTORY)
    (row,) = run.rows.values()
    assert (row["what"], row["outcome"]) == ("server chaos", "would change")
    assert row["declared"] == f"diagnostics.level {HOST}"
