# SPDX-License-Identifier: GPL-3.0-or-later
"""A password is shown nowhere, also when the agent echoes it and when everything is shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.seatkeeper.licensing.tests.unit.plugins import unix_server
from ansible_collections.seatkeeper.licensing.tests.unit.plugins.unix_server import (
    Script,
    Seen,
    problem,
    serving,
)

# Where the collection was imported from: the checkout's link to itself, or ansible-test's tree.
COLLECTIONS = Path(unix_server.__file__).parents[6]
CANARY = "canary-J7q!rT/2 x"
ACCOUNT = "admin@studio-a.example"
ONLINE = {"method": "online", "account": ACCOUNT, "password": CANARY}
ROLE = {
    "name": "Activate by the role",
    "ansible.builtin.include_role": {"name": "seatkeeper.licensing.license_activation"},
}
WHOLE = {
    "name": "Make everything true",
    "ansible.builtin.include_role": {"name": "seatkeeper.licensing.license_state"},
}
TASK = {
    "name": "Activate",
    "seatkeeper.licensing.online_activation": {"account": ACCOUNT, "password": CANARY},
    "ignore_errors": True,
}
MISTAKES = [
    {**ONLINE, "method": "by post"},
    {**ONLINE, "unknown": True},
    {"method": "online", "password": [CANARY]},
    {"account": ACCOUNT, "password": CANARY},
]


def echoing(seen: Seen) -> t.Any:
    """An agent that tells the password wherever it can."""
    off = {"activated": False, "method": None, "account": None, "request_digest": None}
    leaked = {**off, "activated": True, "account": seen.body["password"]}
    step = {"name": "activate_online", "title": f"activating with {seen.body['password']}"}
    return {"changed": True, "before": off, "after": leaked, "plan": {"steps": [step]}}


def complaining(seen: Seen) -> t.Any:
    """One that tells it in its problem."""
    status, document = problem("credentials-refused", 422)
    return status, {**document, "detail": f"The password {seen.body['password']} is wrong."}


def play(folder: Path, script: Script, tasks: list[dict[str, t.Any]]) -> tuple[str, list[Seen]]:
    """Everything that ansible-playbook prints at -vvv with --diff."""
    inventory = folder / "inventory.json"
    playbook = folder / "play.yml"
    inventory.write_text(
        json.dumps(
            {
                "all": {
                    "hosts": {"render-server": {}},
                    "vars": {
                        "ansible_connection": "local",
                        "ansible_python_interpreter": sys.executable,
                        "license_activations": [ONLINE],
                    },
                }
            }
        )
    )
    with serving(script) as server:
        defaults = {"group/seatkeeper.licensing.licensing": {"agent_url": f"unix://{server.path}"}}
        start = {"name": "Play", "hosts": "all", "gather_facts": False}
        playbook.write_text(json.dumps([{**start, "module_defaults": defaults, "tasks": tasks}]))
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                "-vvv",
                "--diff",
                "-i",
                str(inventory),
                str(playbook),
            ],
            cwd=folder,
            env={
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "HOME": str(folder),
                "LC_ALL": "C.UTF-8",
                "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
                "ANSIBLE_NOCOLOR": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
    return done.stdout, server.seen


def assert_hidden(output: str) -> None:
    """Neither the password itself nor the spellings that JSON and URLs have for it."""
    for part in (CANARY, "canary-J7q", "canary%2D", "J7q!rT"):
        assert part not in output


@pytest.mark.parametrize(
    ("script", "masked"),
    [
        (echoing, "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"),
        (complaining, "The password ******** is wrong."),
    ],
)
def test_a_password_is_not_shown_though_the_agent_tells_it(
    tmp_path: Path, script: Script, masked: str
) -> None:
    output, seen = play(tmp_path, script, [TASK, ROLE])
    assert [entry.body["password"] for entry in seen] == [CANARY, CANARY], output
    assert CANARY not in "".join(f"{entry.path}{entry.query}" for entry in seen)
    assert masked in output
    assert_hidden(output)


def test_a_mistake_beside_a_password_does_not_show_it(tmp_path: Path) -> None:
    tasks = [
        {
            "name": "Make a mistake",
            "vars": {"license_activations": [mistake]},
            "block": [role],
            "rescue": [{"name": "Go on", "ansible.builtin.meta": "noop"}],
        }
        for mistake in MISTAKES
        for role in (ROLE, WHOLE)
    ]
    output, seen = play(tmp_path, echoing, tasks)
    assert output.count("TASK [Go on]") == len(tasks), output
    assert "license_activations has no unknown" in output
    # Only which products there are was asked for.
    assert {entry.path for entry in seen} <= {"/v1/agent"}
    assert_hidden(output)
