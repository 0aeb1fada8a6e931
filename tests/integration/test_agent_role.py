# SPDX-License-Identifier: GPL-3.0-or-later
"""Role agent, as far as it changes nothing: which release is meant, who is not declared."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from seatkeeper_twins.lab.lab import Lab

from .runs import ROOT, Run, play

# Whole runs of ansible-playbook on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROLE = "seatkeeper.licensing.agent"


def run(lab: Lab, folder: Path, tasks: list[dict[str, Any]], **variables: Any) -> Run:
    """Run tasks on a host with an inventory of its own, from another folder than that."""
    (folder / "site").mkdir(exist_ok=True)
    inventory = folder / "site" / "hosts.yml"
    host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory.write_text(yaml.safe_dump({"license_servers": {"hosts": {"here": host}}}))
    playbook = folder / "agent.yml"
    head = {"hosts": "license_servers", "gather_facts": False}
    playbook.write_text(yaml.safe_dump([{**head, "tasks": tasks}]))
    return play(lab, folder, playbook, variables=variables, inventory=inventory)


def release(lab: Lab, folder: Path, **variables: Any) -> Run:
    """Have the role find out which release is meant, and say it."""
    tasks = [
        {"ansible.builtin.include_role": {"name": ROLE, "tasks_from": "release", "public": True}},
        {"ansible.builtin.debug": {"msg": "Release {{ agent_release }} of {{ agent_source }}"}},
    ]
    return run(lab, folder, tasks, agent_python=sys.executable, **variables)


def test_a_release_is_found_beside_the_inventory(shared_lab: Lab, tmp_path: Path) -> None:
    folder = tmp_path / "site" / "files"
    folder.mkdir(parents=True)
    bundle = folder / "seatkeeper-agent-0.2.0.tar"
    bundle.write_bytes(b"")
    told = release(shared_lab, tmp_path, agent_bundle="files/seatkeeper-agent-0.2.0.tar")
    assert f"Release 0.2.0-e3b0c442 of {bundle}" in told.ended_well().output


@pytest.mark.parametrize(
    ("variables", "because"),
    [
        ({}, "Set either agent_bundle to a file named"),
        ({"agent_bundle": "seatkeeper-agent-0.2.0.txt"}, "Set either agent_bundle to a file named"),
        ({"agent_requirements": "agent-0.2.0.txt"}, "Set either agent_bundle to a file named"),
        ({"agent_bundle": "seatkeeper-agent-9.0.tar"}, "seatkeeper-agent-9.0.tar is not there"),
    ],
)
def test_what_is_no_release_is_refused(
    shared_lab: Lab, tmp_path: Path, variables: dict[str, Any], because: str
) -> None:
    told = release(shared_lab, tmp_path, **variables)
    assert told.code != 0
    assert because in re.sub(r"\s+", " ", told.output), told.output


def test_who_is_in_a_group_and_not_declared_is_told(shared_lab: Lab, tmp_path: Path) -> None:
    groups = [
        "seatkeeper-observer:x:990:olga,otto",
        "seatkeeper-operator:x:991:",
        "seatkeeper-migrator:x:992:mina,sam",
    ]
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.include_vars": str(ROOT / "roles" / "agent" / "vars" / "main.yml")},
        {"ansible.builtin.debug": {"msg": "Left {{ agent_members_left | to_json }}"}},
    ]
    told = run(
        shared_lab,
        tmp_path,
        tasks,
        agent_observers=["olga"],
        agent_operators=["otto"],
        agent_migrators=["mina"],
        agent_groups_of_files={"stdout_lines": groups},
    ).ended_well()
    left = re.findall(r"(\w+)\W+group\W+(seatkeeper-\w+)", told.output)
    assert left == [("otto", "seatkeeper-observer"), ("sam", "seatkeeper-migrator")], told.output


def test_a_key_goes_by_the_name_that_the_inventory_gives(shared_lab: Lab, tmp_path: Path) -> None:
    told_by_it = {"agent": {"agent": {"name": "old-server", "public_key": "its own key"}}}
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.add_host": {"name": "rogue", "agent_told": told_by_it}},
        {"ansible.builtin.include_vars": str(ROOT / "roles" / "agent" / "vars" / "main.yml")},
        {"ansible.builtin.debug": {"msg": "Trusts {{ agent_known_keys.keys() | join }}."}},
    ]
    told = run(
        shared_lab, tmp_path, tasks, agent_trusted_keys={}, agent_trusted_hosts=["here", "rogue"]
    )
    assert "Trusts rogue." in told.ended_well().output
