# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a real run lists what waits: oldest first, once, and nothing where nothing waits."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import typing as t
from pathlib import Path

from ansible_collections.seatkeeper.licensing.tests.unit.plugins import unix_server
from ansible_collections.seatkeeper.licensing.tests.unit.plugins.unix_server import (
    Seen,
    serving,
)

# Where the collection was imported from: the checkout's link to itself, or ansible-test's tree.
COLLECTIONS = Path(unix_server.__file__).parents[6]
HEADING = "OPEN STEPS"
READ = {"name": "Read", "seatkeeper.licensing.license_info": {"gather": ["waiting"]}}


def wait(operation: str | None, since: str | None, **values: t.Any) -> dict[str, t.Any]:
    """A step as an agent tells it."""
    return {
        "operation": operation,
        "kind": "order",
        "subject": f"order {operation}",
        "step": "send",
        "title": "sending the papers",
        "reversible": False,
        "who": "person",
        "instructions": ["Send them.", "Keep a copy."],
        "verified_by": "Nothing shows it.",
        "attestable": True,
        "since": since,
        "until": None,
        "overdue": False,
        **values,
    }


OLD = wait("op-old", "2026-11-01T08:00:00Z", until="2026-11-02T08:00:00Z", overdue=True)
NEW = wait("op-new", "2026-11-20T08:00:00Z", who="vendor", attestable=False)


def orders(waiting: list[dict[str, t.Any]], operation: str = "op-new") -> dict[str, t.Any]:
    """What an agent answers to an order that goes its way."""
    report = {"verdict": "open", "rules": []}
    quote = {"lines": [], "total": "0.00", "currency": "USD", "documents": []}
    return {
        "changed": False,
        "report": report,
        "quote": quote,
        "plan": {"digest": None, "steps": []},
        "order": None,
        "operation": {"id": operation, "state": "done"},
        "before": {"state": "waiting"},
        "after": {"state": "waiting"},
        "waiting": waiting,
    }


def order_task(**task: t.Any) -> dict[str, t.Any]:
    """A task that declares an order."""
    system = {"name": "a", "system_key": "1", "owner": "A", "chassis": "Max1000"}
    options = {
        "name": "order",
        "source": system,
        "target": system,
        "keys": [{"key": "k", "product": "p"}],
    }
    return {"name": "Order", "seatkeeper.licensing.license_order": options, **task}


def play(
    folder: Path, answers: dict[str, t.Any], *tasks: dict[str, t.Any], **environment: str
) -> str:
    """What a run prints on two hosts whose one agent answers by the path that it is asked for."""

    def script(seen: Seen) -> t.Any:
        return answers[seen.path.split("/")[2]]

    with serving(script) as server:
        inventory, playbook = folder / "inventory.json", folder / "play.yml"
        variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
        }
        hosts = {"all": {"hosts": {"one": {}, "two": {}}, "vars": variables}}
        inventory.write_text(json.dumps(hosts))
        defaults = {"group/seatkeeper.licensing.licensing": {"agent_url": f"unix://{server.path}"}}
        start = {"name": "Play", "hosts": "one", "gather_facts": False}
        playbook.write_text(json.dumps([{**start, "module_defaults": defaults, "tasks": tasks}]))
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
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
                "ANSIBLE_CALLBACKS_ENABLED": "seatkeeper.licensing.open_steps",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
    assert done.returncode == 0, done.stdout
    return done.stdout


def listed(output: str) -> list[str]:
    """The lines below the heading, which comes once."""
    _before, _heading, after = output.partition(HEADING)
    assert HEADING not in after
    return [line for line in after.splitlines()[1:] if line]


def test_what_waits_is_listed_oldest_first(tmp_path: Path) -> None:
    undated = wait(None, None, subject="an answer file", attestable=False, verified_by="")
    waiting = {"waiting": [NEW, undated, OLD]}
    output = play(tmp_path, {"waiting": waiting}, READ, READ)
    assert "\x1b" not in output
    assert listed(output) == [
        "one: Waiting for a person: sending the papers",
        "  About: order op-old",
        "  When: since 2026-11-01T08:00:00Z, until 2026-11-02T08:00:00Z (overdue)",
        "  1. Send them.",
        "  2. Keep a copy.",
        "  Done when: Nothing shows it.",
        "  Then say so on one: seatkeeper-agent attest op-old done --step send 'how you know'",
        "one: Waiting for the vendor: sending the papers",
        "  About: order op-new",
        "  When: since 2026-11-20T08:00:00Z",
        "  1. Send them.",
        "  2. Keep a copy.",
        "  Done when: Nothing shows it.",
        "one: Waiting for a person: sending the papers",
        "  About: an answer file",
        "  1. Send them.",
        "  2. Keep a copy.",
    ]


def test_a_step_of_a_loop_and_of_another_host_is_listed_where_its_agent_is(tmp_path: Path) -> None:
    answers = {"orders": orders([NEW])}
    output = play(tmp_path, answers, order_task(loop=[1, 2], delegate_to="{{ 'two' }}"))
    assert [line for line in listed(output) if line.startswith("two: ")] == [
        "two: Waiting for the vendor: sending the papers"
    ]


def test_what_ended_in_the_run_is_not_listed(tmp_path: Path) -> None:
    waiting = {"waiting": [OLD, NEW]}
    output = play(tmp_path, {"waiting": waiting, "orders": orders([])}, READ, order_task())
    assert "op-new" not in "".join(listed(output))
    assert "op-old" in "".join(listed(output))


def test_where_nothing_waits_nothing_is_printed(tmp_path: Path) -> None:
    assert HEADING not in play(tmp_path, {"waiting": {"waiting": []}}, READ)


def test_colours_mark_what_is_overdue_where_they_are_wanted(tmp_path: Path) -> None:
    waiting = {"waiting": [OLD, NEW]}
    output = play(tmp_path, {"waiting": waiting}, READ, ANSIBLE_FORCE_COLOR="1")
    assert "\x1b[0;31mone: Waiting for a person: sending the papers\x1b[0m" in output
    assert "\x1b[0;33mone: Waiting for the vendor: sending the papers\x1b[0m" in output


EVIL = "\x1b[2K\rok: [one]\x9b1m\u202ederongi\u2066\u200b\nok: [two]"
SEEN = r"\x1b[2K\rok: [one]\x9b1m\u202ederongi\u2066\u200b\nok: [two]"
LINES = "read.waiting | seatkeeper.licensing.license_wait_lines"
ACTS = set("\x1b\r\x9b\u202e\u2066\u200b")


def test_no_text_of_a_vendor_acts_on_the_terminal(tmp_path: Path) -> None:
    """In the list, in warnings, in results, in tables and in what fails."""
    evil = wait(EVIL, OLD["since"], title=EVIL, instructions=[EVIL], subject=EVIL, step=EVIL)
    rows = "{{ read.waiting | seatkeeper.licensing.license_table({'title': 'Title'}) }}"
    tasks = [
        {**READ, "register": "read"},
        {"name": "Show a table", "ansible.builtin.debug": {"msg": rows}},
        {
            "name": "Show a line",
            "ansible.builtin.debug": {"msg": f"{{{{ ({LINES})[0] }}}}"},
        },
        {
            "name": "Fail",
            "ansible.builtin.fail": {"msg": "{{ read.waiting[0].title }}"},
            "ignore_errors": True,
        },
        order_task(name="Warn"),
    ]
    answers = {"waiting": {"waiting": [evil]}, "orders": orders([evil])}
    output = play(tmp_path, answers, *tasks)
    assert not ACTS & set(output), output
    assert f"one: Waiting for a person: {SEEN}" in listed(output)
    assert f"Waiting for a person: {SEEN}" in output.partition(HEADING)[0]
    command = next(line for line in listed(output) if "seatkeeper-agent attest" in line)
    words = shlex.split(command.partition("seatkeeper-agent ")[2])
    assert words == ["attest", SEEN, "done", "--step", SEEN, "how you know"]
