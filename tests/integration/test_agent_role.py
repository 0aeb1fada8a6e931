# SPDX-License-Identifier: GPL-3.0-or-later
"""Role agent, as far as it changes nothing: which release is meant, who is not declared."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from seatkeeper_twins.lab.lab import Lab

from .runs import Run, play
from .warm_python import interpreter

# Whole runs of ansible-playbook on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

ROLE = "seatkeeper.licensing.seatkeeper_agent"
GROUPS = [
    "seatkeeper-observer:x:990:olga,otto",
    "seatkeeper-operator:x:991:",
    "seatkeeper-migrator:x:992:mina,sam",
]
NO_RELEASE = "Set either seatkeeper_agent_bundle to a file named"
REFUSED = {
    "nothing": ({}, NO_RELEASE),
    "no-bundle": ({"seatkeeper_agent_bundle": "seatkeeper-agent-0.2.0.txt"}, NO_RELEASE),
    "no-requirements": ({"seatkeeper_agent_requirements": "agent-0.2.0.txt"}, NO_RELEASE),
    "not-there": (
        {"seatkeeper_agent_bundle": "seatkeeper-agent-9.0.tar"},
        "seatkeeper-agent-9.0.tar is not there",
    ),
}
NOTHING = hashlib.sha256(b"").hexdigest()
ITS_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=
-----END PUBLIC KEY-----
"""
# Have the role find out which release is meant, and say it.
RELEASE: list[dict[str, Any]] = [
    {"ansible.builtin.include_role": {"name": ROLE, "tasks_from": "release", "public": True}},
    {
        "ansible.builtin.debug": {
            "msg": "Release {{ seatkeeper_agent_release }} of {{ seatkeeper_agent_origin }}"
        }
    },
]


def run(folder: Path, tasks: list[dict[str, Any]], hosts: dict[str, dict[str, Any]]) -> Run:
    """Run tasks on hosts with an inventory of their own, from another folder than that."""
    (folder / "site").mkdir(exist_ok=True)
    inventory = folder / "site" / "hosts.yml"
    local = {
        "ansible_connection": "local",
        "ansible_python_interpreter": interpreter(),
        "seatkeeper_agent_python": sys.executable,
    }
    declared = {"license_servers": {"hosts": hosts, "vars": local}}
    inventory.write_text(yaml.safe_dump(declared))
    playbook = folder / "agent.yml"
    head = {"hosts": "license_servers", "gather_facts": False}
    playbook.write_text(yaml.safe_dump([{**head, "tasks": tasks}]))
    # The role is asked for what it makes of variables: no host with an agent is needed.
    with Lab.create({}) as nothing:
        return play(nothing, folder, playbook, inventory=inventory)


def test_the_release_left_members_and_keys_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "site" / "files"
    folder.mkdir(parents=True)
    bundle = folder / "seatkeeper-agent-0.2.0.tar"
    bundle.write_bytes(b"")
    reported_by_it = {"agent": {"agent": {"name": "old-server", "public_key": ITS_KEY}}}
    here = {
        "seatkeeper_agent_bundle": "files/seatkeeper-agent-0.2.0.tar",
        "seatkeeper_agent_bundle_checksum": f"sha256:{NOTHING}",
        "seatkeeper_agent_observers": ["olga"],
        "seatkeeper_agent_operators": ["otto"],
        "seatkeeper_agent_migrators": ["mina"],
        "seatkeeper_agent_groups_of_files": {"stdout_lines": GROUPS},
        "seatkeeper_agent_trusted_keys": {},
        "seatkeeper_agent_trusted_hosts": ["here", "rogue"],
    }
    tasks: list[dict[str, Any]] = [
        *RELEASE,
        {"ansible.builtin.add_host": {"name": "rogue", "seatkeeper_agent_told": reported_by_it}},
        {"ansible.builtin.debug": {"msg": "Left {{ seatkeeper_agent_members_left | to_json }}"}},
        {
            "ansible.builtin.debug": {
                "msg": "Trusts {{ seatkeeper_agent_known_keys.keys() | join }}."
            }
        },
    ]
    reported = run(tmp_path, tasks, {"here": here}).ended_well()
    # It was beside the inventory, and not beside the playbook.
    assert f"Release 0.2.0-{NOTHING} of {bundle}" in reported.output
    left = re.findall(r"(\w+)\W+group\W+(seatkeeper-\w+)", reported.output)
    assert left == [("otto", "seatkeeper-observer"), ("sam", "seatkeeper-migrator")], (
        reported.output
    )
    # The name is the one that the inventory gives, not the one that the agent tells.
    assert "Trusts rogue." in reported.output


def test_what_is_no_release_is_refused(tmp_path: Path) -> None:
    hosts = {host: variables for host, (variables, _because) in REFUSED.items()}
    reported = run(tmp_path, RELEASE, hosts)
    for host, (_variables, because) in REFUSED.items():
        assert reported.recap[host]["failed"] == 1, reported.output
        _before, _host, said = reported.output.partition(f"fatal: [{host}]")
        assert because in re.sub(r"\s+", " ", said.partition("fatal: [")[0]), reported.output
