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
WHOLE = {
    "name": "Make everything true",
    "ansible.builtin.include_role": {
        "name": "seatkeeper.licensing.license_state",
        # What is wrong is said by the role's first task.
        "rolespec_validate": False,
    },
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


def password_in(seen: Seen) -> str:
    """What a request told: of a module, or among all that is declared."""
    if "declarations" not in seen.body:
        return str(seen.body["password"])
    (declaration,) = seen.body["declarations"]
    return str(declaration["declared"]["password"])


def echoing(seen: Seen) -> t.Any:
    """An agent that tells the password wherever it can."""
    password = password_in(seen)
    off = {"activated": False, "method": None, "account": None, "request_digest": None}
    leaked = {**off, "activated": True, "account": password}
    step = {
        "name": "activate_online",
        "title": f"activating with {password}",
        "reversible": True,
        "performer": "agent",
    }
    answer = {"changed": True, "before": off, "after": leaked, "plan": {"steps": [step]}}
    return answered(seen, answer) if "declarations" in seen.body else answer


def answered(seen: Seen, answer: dict[str, t.Any]) -> dict[str, t.Any]:
    """The same as one of the results of a request for the whole state."""
    (declaration,) = seen.body["declarations"]
    result = {
        "id": declaration["id"],
        "kind": declaration["kind"],
        "outcome": "would_change" if seen.body["dry_run"] else "changed",
        "present": answer["after"],
        "steps": answer["plan"]["steps"],
        "digest": None,
        "confirmation_required": False,
        "waits_for": None,
        "next": None,
        "details": {"warnings": [answer["plan"]["steps"][0]["title"]]},
        "problem": None,
        **{name: answer[name] for name in ("changed", "before", "after")},
    }
    look = {
        "agent": {
            "agent": {"name": "render-server", "version": "0"},
            "vendors": [{"vendor": "chaos"}],
            "invariants": [],
            "frozen": [],
        },
        "products": {"chaos": {"activation": {"seen": answer["after"], "problem": None}}},
        "waiting": [],
        "peers": [],
        "ports_limited": False,
    }
    return {"results": [result], "documents": [], "look": look}


def complaining(seen: Seen) -> t.Any:
    """One that tells it in its problem."""
    status, document = problem("credentials-refused", 422)
    return status, {**document, "detail": f"The password {password_in(seen)} is wrong."}


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
    output, seen = play(tmp_path, script, [TASK, WHOLE])
    told = [password_in(entry) for entry in seen]
    # The module once; the run asks, and tells and looks again where it may go on.
    assert len(told) >= 2, output
    assert set(told) == {CANARY}
    assert CANARY not in "".join(f"{entry.path}{entry.query}" for entry in seen)
    assert masked in output
    assert_hidden(output)


def test_a_mistake_beside_a_password_does_not_show_it(tmp_path: Path) -> None:
    tasks = [
        {
            "name": "Make a mistake",
            "vars": {"license_activations": [mistake]},
            "block": [WHOLE],
            "rescue": [{"name": "Go on", "ansible.builtin.meta": "noop"}],
        }
        for mistake in MISTAKES
    ]
    output, seen = play(tmp_path, echoing, tasks)
    assert output.count("TASK [Go on]") == len(tasks), output
    assert "license_activations[0].unknown is an unknown key" in output
    assert seen == []
    assert_hidden(output)
