# SPDX-License-Identifier: GPL-3.0-or-later
"""A carrier that is the real playbook: ansible-playbook in processes of its own, which may die."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from crash.carrier import Run
from crash.checks import Violation
from crash.scenarios import ITEM, Goal, Transfer
from crash.schedules import Stop
from crash.world import NEW, OLD, World

from integration.warm_python import interpreter
from seatkeeper_twins.lab.process import marked_processes

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = ROOT / "playbooks" / "migrate_licenses.yml"
INVENTORY = ROOT / "playbooks" / "inventories" / "demo"
MARK = "SEATKEEPER_CRASH_RUN"
RUN_SECONDS_MAX = 1800.0
QUIET_SECONDS = 0.3
LOOK_AGAIN_SECONDS = 0.01
_TASK = b"\nTASK ["
_CHANGED = re.compile(r"changed=(\d+)")


class PlaybookCarrier:
    """Runs the playbook once per run; the first run is killed where ``stop`` says so."""

    def __init__(self, world: World, goal: Goal, moment: datetime, stop: Stop | None) -> None:
        self._world = world
        python = {"ansible_python_interpreter": interpreter()}
        self._variables = json.dumps(python | _variables(goal, moment))
        self._stop = stop
        self._home = world.folder.with_name("home")
        self._home.mkdir(exist_ok=True)

    def run(self, inspect: Callable[[], None]) -> Run:
        """Start what is dead, then the playbook, to its end or to its death."""
        self._world.revive(inspect)
        stop, self._stop = self._stop, None
        mark = str(uuid.uuid4())
        output = self._home / "output.txt"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [
                    Path(sys.executable).with_name("ansible-playbook"),
                    *("-i", INVENTORY, PLAYBOOK, "-e", self._variables),
                ],
                cwd=ROOT,
                env={**self._environment(), MARK: mark},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            stopped = self._wait(process, stop, output)
        finally:
            _kill(process, mark)
            self._wait_for_silence()
            self._world.bury()
            inspect()
        text = output.read_text(errors="replace")
        changed = any(int(number) for number in _CHANGED.findall(text))
        if stop is not None and not stopped:
            raise Violation("death", f"the playbook ended before it was killed: {text[-4000:]}")
        if stopped or process.returncode:
            return Run(changed, "the playbook was killed" if stopped else text[-4000:])
        return Run(changed)

    def _wait(self, process: subprocess.Popen[bytes], stop: Stop | None, output: Path) -> bool:
        """Whether it was time for the playbook to die before it ended."""
        started = time.monotonic()
        while process.poll() is None:
            if stop is not None and self._is_time(stop, output):
                return True
            if time.monotonic() - started > RUN_SECONDS_MAX:
                raise TimeoutError(f"the playbook ran for more than {RUN_SECONDS_MAX} seconds")
            time.sleep(LOOK_AGAIN_SECONDS)
        return False

    def _is_time(self, stop: Stop, output: Path) -> bool:
        if stop.points is not None:
            return len(self._world.tripwire.trace) >= stop.points
        return output.read_bytes().count(_TASK) >= (stop.task or 0)

    def _wait_for_silence(self) -> None:
        """An agent finishes what the playbook asked it, also when nobody waits for the answer."""
        before = -1
        while (now := len(self._world.tripwire.trace)) != before:
            before = now
            time.sleep(QUIET_SECONDS)

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self._home),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "PYTHONPATH": str(ROOT / ".venv" / "collections"),
            "SEATKEEPER_DEMO": str(self._world.folder),
        }


def _kill(process: subprocess.Popen[bytes], mark: str) -> None:
    """End the playbook and all that it started, and nothing else."""
    while found := marked_processes(MARK, mark):
        for process_id in found:
            with suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGKILL)
        process.poll()
    process.wait()


def _variables(goal: Goal, moment: datetime) -> dict[str, Any]:
    """What the inventory would declare."""
    if isinstance(goal, Transfer):
        declared: dict[str, Any] = {
            "name": goal.name,
            "item": ITEM,
            "type": goal.type,
            "mode": goal.mode,
            "source": goal.source,
            "target": goal.target,
            "quantity": goal.quantity,
        }
        return {"license_transfers": [declared], "license_borrows": []}
    declared = {
        "name": goal.name,
        "item": ITEM,
        "type": goal.type,
        "seats": goal.seats,
        "until": goal.declaration(moment)["until"],
        "source": OLD,
        "target": NEW,
    }
    return {"license_transfers": [], "license_borrows": [declared]}
