# SPDX-License-Identifier: GPL-3.0-or-later
"""By playbook: a Chaos server with borrowed seats is not given up before they are returned."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_twins.chaos import people
from seatkeeper_twins.lab.lab import Lab

from .runs import CHAOS_INVENTORY, ROOT, Run, module, play
from .tap import PERSON_SECONDS_MAX, wait_for

# Whole runs of ansible-playbook on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

ACTIVATE = ROOT / "playbooks" / "activate_licenses.yml"
HOST, ADMIN = "render-server", "admin@studio-a.example"
GIVEN_UP = {"host": HOST, "method": "online", "account": ADMIN, "state": "deactivated"}


@pytest.fixture
def lab() -> Iterator[Lab]:
    """An activated server."""
    with Lab.create({HOST: {"chaos": {"server": {"activated_as": ADMIN}}}}) as running:
        yield running


def run(lab: Lab, folder: Path, *arguments: str, **variables: Any) -> Run:
    """One run in which the activation is declared as given up."""
    given = {"license_activations": [GIVEN_UP], **variables}
    hosts = ("--limit", HOST)
    return play(
        lab, folder, ACTIVATE, *hosts, *arguments, variables=given, inventory=CHAOS_INVENTORY
    )


def server(lab: Lab) -> tuple[bool, list[str]]:
    """Whether it is activated, and what it has borrowed."""
    shown = lab[HOST].client.get("/v1/servers/chaos")
    return shown["activation"]["activated"], shown["offline_products"]


def test_borrowed_seats_are_returned_before_the_activation_is_given_up(
    lab: Lab, tmp_path: Path
) -> None:
    people.borrow(lab[HOST].chaos.address, Phoenix=2)
    undeclared: dict[str, Any] = {"license_server_borrows": []}
    refused = run(lab, tmp_path, **undeclared)
    assert refused.recap[HOST]["failed"] == 1
    assert "Seats of Phoenix are borrowed for offline use" in refused.output
    assert "Return what is borrowed first; or confirm exactly this" in refused.output
    assert server(lab) == (True, ["Phoenix"])
    planned = run(lab, tmp_path, "--check", **undeclared)
    assert planned.code == 0, planned.output
    (digest,) = set(re.findall(r"all the same is plan_digest: ([0-9a-f]{64})", planned.output))
    assert digest in refused.output

    def returns() -> None:
        wait_for(lambda: lab[HOST].client.get("/v1/waiting")["waiting"])
        people.release(lab[HOST].chaos.address, "Phoenix")

    person = threading.Thread(target=returns, daemon=True)
    person.start()
    borrow = {
        "host": HOST, "name": "desk", "product": "Phoenix", "seats": 0, "until": "2030-01-01",
    }  # fmt: skip
    done = run(
        lab,
        tmp_path,
        license_server_borrows=[borrow],
        license_state_wait_timeout=PERSON_SECONDS_MAX,
    ).ended_well()
    assert done.rows["server borrow desk"]["outcome"] == "changed"
    assert done.rows["deactivation"]["outcome"] == "changed"
    assert server(lab) == (False, [])


def test_what_is_confirmed_by_its_digest_is_given_up(lab: Lab, tmp_path: Path) -> None:
    people.borrow(lab[HOST].chaos.address, Phoenix=2)
    refused = module(lab, tmp_path, "online_activation", HOST, state="deactivated")
    digest = refused["problem"]["digest"]
    done = module(lab, tmp_path, "online_activation", HOST, state="deactivated", plan_digest=digest)
    assert done["changed"] is True
    assert server(lab)[0] is False


REPLACE = """
- name: Ask whether the server may be replaced
  hosts: license_servers
  gather_facts: false
  module_defaults:
    group/seatkeeper.licensing.licensing:
      agent_socket: "{{ seatkeeper_agent_socket }}"
      agent_command: "{{ seatkeeper_agent_command }}"
  tasks:
    - name: Ask as the role does before it installs anything
      ansible.builtin.include_role:
        name: seatkeeper.licensing.license_server
        tasks_from: nothing_open
      vars:
        license_server_entry: {vendor: chaos}
"""


def test_a_server_is_not_replaced_while_seats_are_borrowed(lab: Lab, tmp_path: Path) -> None:
    playbook = tmp_path / "replace.yml"
    playbook.write_text(REPLACE, encoding="utf-8")

    def ask(**package: str) -> Run:
        return play(
            lab, tmp_path, playbook, "--limit", HOST, inventory=CHAOS_INVENTORY,
            variables={"license_server_package": package},
        )  # fmt: skip

    ask().ended_well()
    people.borrow(lab[HOST].chaos.address, Phoenix=2)
    refused = ask()
    assert refused.recap[HOST]["failed"] == 1
    assert "Seats of Phoenix are borrowed for offline use" in refused.output
    assert "return what is borrowed first; or confirm exactly this" in refused.output
    (reported,) = lab[HOST].client.get("/v1/dependencies")["dependencies"]
    assert reported["digest"] in refused.output
    ask(plan_digest=reported["digest"]).ended_well()
    # A server that is broken, or not there yet, can be replaced.
    lab[HOST].chaos.process.stop()
    ask().ended_well()
