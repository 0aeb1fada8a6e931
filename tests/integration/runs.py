# SPDX-License-Identifier: GPL-3.0-or-later
"""Run playbooks and modules against a lab, and read what they say."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml

from seatkeeper_agent.client import through
from seatkeeper_twins.lab.lab import Lab, LabHost

from .modules import run_module
from .warm_python import interpreter

ROOT = Path(__file__).resolve().parents[2]
INVENTORY = ROOT / "playbooks" / "inventories" / "demo"
CHAOS_INVENTORY = ROOT / "playbooks" / "inventories" / "chaos"
AGENT_COMMAND = Path(sys.executable).with_name("seatkeeper-agent")
RUN_SECONDS_MAX = 900
PASSWORD = "demo-admin-password"  # noqa: S105 - the twin's own, see chaos/demo_cloud.json
_RECAP = re.compile(r"^(\S+)\s+: (ok=.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """One run of a playbook: its exit code, its output, and what it told about each host."""

    code: int
    output: str
    reported: dict[str, dict[str, Any]]

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """The counts of each host."""
        return {
            host: {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", counts)}
            for host, counts in _RECAP.findall(self.output)
        }

    @property
    def changed(self) -> int:
        """How many tasks changed something, over all hosts."""
        return sum(counts["changed"] for counts in self.recap.values())

    @property
    def plan(self) -> list[dict[str, Any]]:
        """What was done or would be, step by step, the same on every host that came to the end."""
        return list(self._run["steps"])

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """What the run reports of each thing; as it is printed, where no host came to the end."""
        rows = self._run["rows"] if self.reported else printed_rows(self.output)
        return {row["what"]: row for row in rows}

    def rows_at(self, host: str) -> dict[str, dict[str, Any]]:
        """The same of one host, by what they are about."""
        rows = self._run["rows"] if self.reported else printed_rows(self.output)
        return {row["what"]: row for row in rows if host in row["hosts"].split(" to ")}

    @property
    def _run(self) -> dict[str, Any]:
        runs = list(self.reported.values())
        assert runs, self.output
        assert all(run == runs[0] for run in runs)
        return dict(runs[0])

    def ended_well(self) -> Run:
        """The run itself, once it is sure that nothing failed and nothing warned."""
        assert self.code == 0, self.output
        assert "[WARNING]" not in self.output, self.output
        assert "[DEPRECATION" not in self.output, self.output
        return self


def printed_rows(output: str) -> list[dict[str, Any]]:
    """The rows of the last table of a run, each with its reason and what confirms it."""
    _before, heading, rest = output.rpartition("\nHosts  ")
    assert heading, output
    head, *lines = ("Hosts  " + rest).splitlines()
    starts = [found.start() for found in re.finditer(r"\S+", head)]
    rows = []
    for line in lines:
        if len(line) <= starts[-1] or any(line[start - 2 : start].strip() for start in starts[1:]):
            break
        cells = [line[a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)]
        row = dict(zip(("hosts", "what", "declared", "present", "outcome"), cells, strict=True))
        outcome, who = re.split(r" for |: ", f"{row['outcome']}: ", maxsplit=1)
        who = who.removesuffix(": ")
        why = re.search(
            rf"^{re.escape(row['hosts'])}, {re.escape(row['what'])}: (.*)$", rest, re.MULTILINE
        )
        digest = re.search(
            rf"^This confirms {re.escape(row['what'])}:\n  plan_digest: (\S+)$", rest, re.MULTILINE
        )
        rows.append(
            {
                **row,
                "outcome": outcome,
                "who": who or None,
                "why": why and why[1],
                "digest": digest and digest[1],
            }
        )
    return rows


def play(
    lab: Lab,
    folder: Path,
    playbook: Path,
    *arguments: str,
    variables: dict[str, Any] | None = None,
    inventory: Path = INVENTORY,
) -> Run:
    """Run a playbook on the hosts of a lab, then have each host tell its facts."""
    reported_folder = folder / "told"
    reported_folder.mkdir(exist_ok=True)
    for path in reported_folder.iterdir():
        path.unlink()
    whole = folder / "run.yml"
    whole.write_text(
        yaml.safe_dump([{"import_playbook": str(playbook)}, *_telling(reported_folder)]),
        encoding="utf-8",
    )
    program = Path(sys.executable).with_name("ansible-playbook")
    command = [str(program), "-i", str(inventory), str(whole), *arguments]
    command += given(inventory, variables or {})
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(lab, folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_SECONDS_MAX,
        check=False,
    )
    reported = {path.stem: json.loads(path.read_text()) for path in reported_folder.iterdir()}
    return Run(done.returncode, done.stdout, reported)


def given(inventory: Path, variables: dict[str, Any]) -> list[str]:
    """The words that set variables, and for an inventory of ours the Python of its hosts."""
    if INVENTORY.parent in inventory.parents:
        variables = {"ansible_python_interpreter": interpreter(), **variables}
    return ["-e", json.dumps(variables)]


def say_who_activated(host: LabHost, account: str) -> None:
    """As a person who has looked at the page: the server does not tell for whom that is."""
    said = {"account": account, "password": "not used", "already_active": True}
    transport = through(host.socket_path)
    with httpx.Client(transport=transport, timeout=RUN_SECONDS_MAX) as client:
        client.put("http://localhost/v1/servers/chaos/activation", json=said).raise_for_status()


def killed_at(
    lab: Lab,
    folder: Path,
    playbook: Path,
    place: str,
    variables: dict[str, Any],
    inventory: Path,
    *arguments: str,
    times: int = 1,
) -> None:
    """Start a playbook, and kill it and its workers once it has printed ``place`` so many times."""
    program = Path(sys.executable).with_name("ansible-playbook")
    output = folder / "killed.txt"
    command = [str(program), "-i", str(inventory), str(playbook), *arguments]
    with output.open("wb") as file:
        process = subprocess.Popen(
            [*command, *given(inventory, variables)],
            cwd=ROOT,
            env=environment(lab, folder) | {"PYTHONUNBUFFERED": "1"},
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + RUN_SECONDS_MAX
    try:
        while output.read_text(errors="replace").count(place) < times:
            assert time.monotonic() < deadline, output.read_text()
            assert process.poll() is None, output.read_text()
            time.sleep(0.02)
    finally:
        _kill_with_workers(process.pid)
        process.wait()
    assert "PLAY RECAP" not in output.read_text()


def _kill_with_workers(parent: int) -> None:
    """Ansible gives each worker a session of its own, so a signal to the group misses them."""
    os.kill(parent, signal.SIGSTOP)  # that it makes no more of them
    for worker in _descendants(parent):
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    os.kill(parent, signal.SIGKILL)


def _descendants(parent: int) -> list[int]:
    """All processes that a process has started, and what these have."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit():
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [parent]
    for process in found:
        found += children.get(process, [])
    return found[1:]


def _telling(folder: Path) -> list[dict[str, Any]]:
    """A play that writes the facts of the role to a file for each host, even in check mode."""
    return [
        {
            "name": "Tell",
            "hosts": "license_servers",
            "gather_facts": False,
            "tasks": [
                {
                    "name": "Write the facts",
                    "ansible.builtin.copy": {
                        "content": "{{ {'steps': license_state_run.steps,"
                        " 'rows': license_state_run.rows} | to_json }}",
                        "dest": f"{folder}/{{{{ inventory_hostname }}}}.json",
                        "mode": "0600",
                    },
                    "when": "license_state_run.steps is defined",
                    "check_mode": False,
                    "changed_when": False,
                    "diff": False,
                }
            ],
        }
    ]


def environment(lab: Lab, folder: Path) -> dict[str, str]:
    """What a user's shell would hold, and nothing of the one that runs the tests."""
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
        "PYTHONPATH": str(ROOT / ".venv" / "collections"),
        "SEATKEEPER_DEMO": str(lab.folder),
        "SEATKEEPER_DEMO_PASSWORD": PASSWORD,
        "SEATKEEPER_DEMO_UNTIL": f"{datetime.now(UTC) + timedelta(days=7):%Y-%m-%d}",
    }


def module(
    lab: Lab, folder: Path, name: str, host: str, /, check: bool = False, **options: Any
) -> dict[str, Any]:
    """Run one module as Ansible runs it on a host; its whole result."""
    arguments = {
        "agent_socket": str(lab[host].socket_path),
        "agent_command": str(AGENT_COMMAND),
        "_ansible_check_mode": check,
        **options,
    }
    reported, errors = run_module(name, arguments, folder, environment(lab, folder))
    assert reported.lstrip("\n").startswith("{"), errors
    return dict(json.loads(reported))


def holdings(lab: Lab) -> dict[str, dict[str, tuple[int, int]]]:
    """Usable seats and units of every product code on every host, as the agents show them."""
    held: dict[str, dict[str, tuple[int, int]]] = {}
    for name, host in lab.hosts.items():
        if "codemeter" not in host.products():
            continue
        held[name] = {}
        for container in host.client.all("/v1/containers", "containers"):
            path = f"/v1/containers/{container['serial']}/items"
            for item in host.client.all(path, "items"):
                code = item["item"].partition("@")[0]
                seats, units = held[name].get(code, (0, 0))
                held[name][code] = (seats + item["seats"], units + item["units"])
    return held


def journals(lab: Lab) -> dict[str, Any]:
    """How far the audit chain of every host has come."""
    return {
        name: host.client.get("/v1/agent")["journal"]["audit_head"]
        for name, host in lab.hosts.items()
    }
