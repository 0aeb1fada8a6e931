# SPDX-License-Identifier: GPL-3.0-or-later
"""Role agent, whom agents trust: no host takes the place of another, unless that is declared."""

from __future__ import annotations

import getpass
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._trust import fingerprint
from seatkeeper_agent.identity import Identity
from seatkeeper_twins.lab.lab import Lab, LabHost

from .runs import AGENT_COMMAND, Run, play
from .test_hostile_facts import hostile_interpreter
from .warm_python import interpreter

# Whole runs of ansible-playbook on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

ROLE = "seatkeeper.licensing.seatkeeper_agent"
HOSTS = ("old-server", "new-server", "spare-server")
COMMAND_SECONDS_MAX = 120
ASK: dict[str, Any] = {
    "seatkeeper.licensing.license_info": {
        "agent_socket": "{{ seatkeeper_agent_socket }}",
        "agent_command": str(AGENT_COMMAND),
        "gather": ["agent"],
    },
    "register": "seatkeeper_agent_told",
    "when": "answers | default(true)",
}
TRUST: dict[str, Any] = {
    "ansible.builtin.include_role": {"name": ROLE, "tasks_from": "trust"},
    "vars": {
        "seatkeeper_agent_state_dir": "{{ lab }}/{{ inventory_hostname }}/state",
        "seatkeeper_agent_user": getpass.getuser(),
    },
}


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab.create({name: {} for name in HOSTS}) as made:
        yield made


def run(lab: Lab, folder: Path, tasks: list[dict[str, Any]], **hosts: dict[str, Any]) -> Run:
    """Run tasks on the lab's hosts, each with what the inventory declares for it."""
    variables = {
        "lab": str(lab.folder),
        "ansible_connection": "local",
        "ansible_python_interpreter": interpreter(),
        "seatkeeper_agent_socket": "{{ lab }}/{{ inventory_hostname }}/agent.sock",
    }
    named = {name.replace("_", "-"): declared for name, declared in hosts.items()}
    declared = {name: named.get(name) or {} for name in (*HOSTS, *named)}
    inventory = folder / "hosts.yml"
    inventory.write_text(
        yaml.safe_dump({"license_servers": {"hosts": declared, "vars": variables}})
    )
    playbook = folder / "agents.yml"
    head = {"hosts": "license_servers", "gather_facts": False, "tasks": tasks}
    playbook.write_text(yaml.safe_dump([head]))
    return play(lab, folder, playbook, inventory=inventory)


def trusted(lab: Lab) -> dict[str, dict[str, str]]:
    """Whose keys the agents have, as files."""
    return {
        host.name: {path.stem: path.read_text() for path in (host.folder / "state/trust").iterdir()}
        for host in lab
    }


def give_new_key(host: LabHost) -> str:
    """Have the agent of a host sign with another key, as whoever sets it up anew does."""
    host.agent.stop()
    key = host.folder / "state" / "agent.key"
    key.unlink()
    reported = Identity(host.name, key, host.folder).public_pem
    host.agent.start()
    return reported


def test_a_changed_key_is_refused_by_all_until_its_host_declares_it(
    lab: Lab, tmp_path: Path
) -> None:
    before = trusted(lab)
    assert run(lab, tmp_path, [ASK, TRUST]).ended_well().changed == 0
    # One that does not know the host yet: it must not be the first to believe it.
    (lab["spare-server"].folder / "state/trust/old-server.pem").unlink()
    held = trusted(lab)
    key = give_new_key(lab["old-server"])

    refused = run(lab, tmp_path, [ASK, TRUST])
    assert {host: reported["failed"] for host, reported in refused.recap.items()} == dict.fromkeys(
        HOSTS, 1
    )
    assert trusted(lab) == held
    said = re.sub(r"\s+", " ", refused.output)
    assert "The agent of old-server signs with the key sha256:" in said
    assert "known as old-server to new-server is another one so far" in said

    # The sentence names a command that exists, for the agent's user of that host.
    (command,) = set(re.findall(r"`runuser -u seatkeeper-agent -- (.*?)` run on old-server", said))
    program, *words = shlex.split(command)
    settings = ("--config", str(lab["old-server"].settings_path))
    done = subprocess.run(
        [str(Path(sys.executable).with_name(program)), *settings, *words],
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS_MAX,
        check=True,
    )
    print_of_key = done.stdout.strip()
    assert print_of_key in said

    wrong = {"seatkeeper_agent_key_fingerprint": f"sha256:{'0' * 64}"}
    refused = run(lab, tmp_path, [ASK, TRUST], old_server=wrong)
    assert {reported["failed"] for reported in refused.recap.values()} == {1}
    assert trusted(lab) == held

    right = {"seatkeeper_agent_key_fingerprint": print_of_key}
    assert run(lab, tmp_path, [ASK, TRUST], old_server=right).ended_well().changed == 2
    assert trusted(lab) == {
        host: {name: key if name == "old-server" else pem for name, pem in keys.items()}
        for host, keys in before.items()
    }
    assert run(lab, tmp_path, [ASK, TRUST], old_server=right).ended_well().changed == 0


def test_a_host_declares_nothing_by_facts(lab: Lab, tmp_path: Path) -> None:
    key = give_new_key(lab["old-server"])
    held = trusted(lab)

    def returning(last: str, **facts: str) -> dict[str, Any]:
        """An interpreter that adds facts to an answer that has this member."""
        interpreter = hostile_interpreter(tmp_path, last, {"ansible_facts": facts})
        return {"ansible_python_interpreter": str(interpreter)}

    # With an answer that comes just before the agent's, which no Python of the host has a part in.
    ping = {"ansible.builtin.ping": {}}
    rogue = returning("ping", seatkeeper_agent_key_fingerprint=str(fingerprint(key)))
    refused = run(lab, tmp_path, [ping, ASK, TRUST], old_server=rogue)
    failed = {host: reported["failed"] for host, reported in refused.recap.items()}
    assert (failed["new-server"], failed["spare-server"]) == (1, 1), refused.output
    assert (
        "The host old-server returned facts called seatkeeper_agent_key_fingerprint"
        in refused.output
    )
    assert trusted(lab) == held

    # With what the role asks first: nothing is done for it at all.
    whole = {"ansible.builtin.include_role": {"name": ROLE}}
    rogue = returning("ansible_facts", seatkeeper_agent_bundle_checksum=f"sha256:{'0' * 64}")
    refused = run(lab, tmp_path, [whole], old_server=rogue)
    assert refused.recap["old-server"]["failed"] == 1
    assert refused.changed == 0
    assert (
        "The host old-server returned facts called seatkeeper_agent_bundle_checksum"
        in refused.output
    )


def test_the_inventory_alone_removes_an_agent(lab: Lab, tmp_path: Path) -> None:
    silent = {"answers": False}
    assert run(lab, tmp_path, [ASK, TRUST], old_server=silent).changed == 0
    link = lab["new-server"].folder / "state/trust/stranger.pem"
    link.symlink_to("old-server.pem")
    fewer = {"seatkeeper_agent_trusted_hosts": ["old-server"]}
    run(lab, tmp_path, [ASK, TRUST], new_server=fewer).ended_well()
    names = {host: set(keys) for host, keys in trusted(lab).items()}
    assert names == {
        "old-server": {"new-server", "spare-server"},
        "new-server": {"old-server"},
        "spare-server": {"old-server", "new-server"},
    }


def test_two_hosts_with_one_agent_name_are_refused_before_anything_is_done(
    lab: Lab, tmp_path: Path
) -> None:
    before = trusted(lab)
    whole = {"ansible.builtin.include_role": {"name": ROLE}}
    rogue = {"seatkeeper_agent_name": "old-server"}
    refused = run(lab, tmp_path, [whole], rogue=rogue)
    assert {reported["failed"] for reported in refused.recap.values()} == {1}
    assert refused.changed == 0
    said = re.sub(r"\s+", " ", refused.output)
    assert "The agents of old-server and rogue have one name, old-server" in said
    assert trusted(lab) == before
