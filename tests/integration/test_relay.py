# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks that ask an agent through Ansible's connection, as users write them."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from seatkeeper_twins.lab.lab import Lab

from .runs import AGENT_COMMAND, PASSWORD, Run, play

# Whole runs of ansible-playbook on a busy machine.
pytestmark = pytest.mark.timeout(900)

HOST = "render-server"
NOBODY = "nobody"
NOISY = """#!/bin/sh
echo "Welcome to this host. seatkeeper-answer 1 is only a word here."
printf 'prompt> '
echo "something beside" >&2
exec {command} "$@"
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One server with Chaos."""
    with Lab.create({HOST: {"chaos": {}}}) as started:
        yield started


def ask(lab: Lab, module: str = "license_info", /, **options: Any) -> dict[str, Any]:
    """A task's call of a module, by the command of the agent."""
    way = {"agent_socket": str(lab[HOST].socket_path), "agent_command": str(AGENT_COMMAND)}
    return {f"seatkeeper.licensing.{module}": {**way, **options}}


def run(
    lab: Lab, folder: Path, *tasks: dict[str, Any], arguments: tuple[str, ...] = (), **hosts: Any
) -> Run:
    """Run tasks on a host whose interpreter is none."""
    variables = {"ansible_connection": "local", "ansible_python_interpreter": "/nonexistent"}
    inventory, playbook = folder / "hosts.json", folder / "tasks.yml"
    others = {"hosts": {"another-host": {}}, "vars": variables}
    declared = {"license_servers": {"hosts": {HOST: hosts}, "vars": variables}, "others": others}
    inventory.write_text(json.dumps(declared), encoding="utf-8")
    start = {"hosts": HOST, "gather_facts": False, "tasks": list(tasks)}
    playbook.write_text(yaml.safe_dump([start]), encoding="utf-8")
    return play(lab, folder, playbook, *arguments, inventory=inventory)


def test_no_python_of_the_host_is_used_and_noise_does_no_harm(lab: Lab, tmp_path: Path) -> None:
    noisy = tmp_path / "noisy"
    noisy.write_text(NOISY.format(command=AGENT_COMMAND), encoding="utf-8")
    noisy.chmod(0o755)
    told = {"ansible.builtin.assert": {"that": "told.agent.agent.name == 'render-server'"}}
    plain = {**ask(lab, gather=["agent"]), "register": "told"}
    loud = {**ask(lab, gather=["agent"], agent_command=str(noisy)), "register": "told"}
    away = {**plain, "delegate_to": "another-host"}
    direct = ask(lab, gather=["agent"], agent_command="/nonexistent")
    direct["seatkeeper.licensing.license_info"]["agent_url"] = f"unix://{lab[HOST].socket_path}"
    tasks = [plain, told, loud, told, away, told, {**direct, "register": "told"}, told]
    assert run(lab, tmp_path, *tasks).ended_well().recap[HOST]["ok"] == len(tasks)


def test_check_mode_loops_and_differences_are_as_in_any_task(lab: Lab, tmp_path: Path) -> None:
    levels = {
        **ask(
            lab, "license_server", vendor="chaos", settings={"diagnostics": {"level": "{{ item }}"}}
        ),
        "loop": ["debug", "info"],
    }
    checked = run(lab, tmp_path, levels, arguments=("--check", "--diff"))
    assert checked.recap[HOST]["changed"] == 1, checked.output
    assert "debug" in checked.output
    again = run(lab, tmp_path, levels, arguments=("--check", "--diff"))
    assert again.changed == checked.changed
    done = run(lab, tmp_path, levels, arguments=("--diff",))
    assert done.ended_well().changed == 1


def test_nothing_secret_is_shown_at_any_verbosity(lab: Lab, tmp_path: Path) -> None:
    account = {"account": "admin@studio-a.example", "password": PASSWORD}
    shown = ask(lab, "online_activation", **account)
    hidden = {**ask(lab, gather=["agent"]), "no_log": True}
    given = run(lab, tmp_path, hidden, shown, arguments=("-vvvvv",))
    assert given.recap[HOST]["failed"] == 0, given.output
    told = given.output.replace(str(lab.folder), "")
    # The playbook itself, with the password in it, is not printed.
    assert PASSWORD not in told
    assert "censored" in told


def test_a_way_that_cannot_carry_a_request_is_refused_with_those_that_can(
    lab: Lab, tmp_path: Path
) -> None:
    for hosts, task in (
        ({"ansible_connection": "ansible.builtin.paramiko_ssh"}, ask(lab)),
        ({}, {**ask(lab), "async": 10, "poll": 1}),
    ):
        refused = run(lab, tmp_path, task, **hosts)
        assert refused.recap[HOST]["failed"] == 1, refused.output
        said = "cannot carry a request to an agent" if hosts else "does not support async"
        assert said in refused.output


def test_a_fact_never_says_where_the_agent_is(lab: Lab, tmp_path: Path) -> None:
    fact = {"ansible.builtin.set_fact": {"seatkeeper_agent_url": "unix:///x", "cacheable": True}}
    refused = run(lab, tmp_path, fact, ask(lab))
    assert refused.recap[HOST]["failed"] == 1
    assert "returned facts called seatkeeper_agent_url" in refused.output


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
@pytest.mark.parametrize("method", ["sudo", "su"])
def test_another_user_asks_where_the_task_says_so(
    lab: Lab, tmp_path: Path, method: str, request: pytest.FixtureRequest
) -> None:
    if shutil.which(method) is None:
        pytest.skip(f"this host has no {method}")
    # Nobody may read the interpreter of the tests, so who was become is what is told.
    open_to_all = Path(tempfile.mkdtemp())
    request.addfinalizer(lambda: shutil.rmtree(open_to_all))
    open_to_all.chmod(0o755)
    who = open_to_all / "who"
    who.write_text("#!/bin/sh\necho the user is $(id -un) >&2; exit 3\n", encoding="utf-8")
    who.chmod(0o755)
    become = {"become": True, "become_method": method, "become_user": NOBODY}
    flags = {"ansible_become_flags": "-s /bin/sh"} if method == "su" else {}
    task = {**ask(lab, agent_command=str(who)), **become, "vars": flags}
    asked = run(lab, tmp_path, task)
    assert f"the user is {NOBODY}" in asked.output
    root = {**ask(lab, gather=["agent"]), "become": True, "become_method": method}
    assert run(lab, tmp_path, root).ended_well()
