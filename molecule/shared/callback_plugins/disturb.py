# SPDX-License-Identifier: GPL-3.0-or-later
"""Disturb hosts of a lab at a task of the running playbook.

SEATKEEPER_DISTURB is a list in JSON:
{"task": TEXT, "time": NUMBER, "do": cut or kill, "host": NAME, "when": TEXT}.
When a task whose name ends with ``task`` begins for the time of that number, it is done; with
``when`` as soon as the twin of that host has written the text into its log. SEATKEEPER_LAB is the
folder of the lab.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from ansible.playbook.task import Task
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: disturb
type: aggregate
short_description: Disturb hosts of a lab at a task
description: For the scenarios of this repository.
"""
SECONDS_MAX = 1200


class CallbackModule(CallbackBase):  # type: ignore[misc] # ansible has no types
    """Does what is due before the workers of a task are started."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "disturb"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._due: list[dict[str, Any]] = json.loads(os.environ["SEATKEEPER_DISTURB"])
        self._started: list[subprocess.Popen[bytes]] = []

    def v2_playbook_on_task_start(self, task: Task, is_conditional: bool) -> None:
        """Do it now, or have it done while the task runs."""
        for entry in [due for due in self._due if task.get_name().endswith(due["task"])]:
            entry["time"] -= 1
            if entry["time"] > 0:
                continue
            self._due.remove(entry)
            when = ["--when", entry["when"]] if "when" in entry else []
            command = [sys.executable, "-m", "hosts.lab", os.environ["SEATKEEPER_LAB"]]
            process = subprocess.Popen([*command, entry["do"], *when, entry["host"]])
            if when:
                self._started.append(process)
            elif process.wait(SECONDS_MAX) != 0:
                raise RuntimeError(f"{entry['host']} could not be disturbed")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Make sure that all of it happened."""
        for process in self._started:
            if process.wait(SECONDS_MAX) != 0:
                raise RuntimeError("a host could not be disturbed")
        if self._due:
            raise RuntimeError(f"no task was met for {self._due}")
