# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: open_steps
type: aggregate
short_description: List at the end of a run what people and vendors have to do
version_added: 0.2.0
description:
  - Prints the steps that wait for somebody, of all hosts, oldest first. Each says who has to act,
    since when and until when, what to do, how the agent sees that it was done, and, where only a
    person can tell, the exact command that takes the person's word.
  - It learns of them from the results of the modules of this collection. A step that ended in the
    same run is not listed, and where nothing waits nothing is printed.
author:
  - Seatkeeper maintainers (@seatkeeper)
requirements:
  - enabled by C(callbacks_enabled), see the example
"""

EXAMPLES = r"""
# In ansible.cfg:
# [defaults]
# callbacks_enabled = seatkeeper.licensing.open_steps
"""

import typing as t

from ansible import constants
from ansible.plugins.callback import CallbackBase

from ansible_collections.seatkeeper.licensing.plugins.filter import licensing
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._open_steps import (
    OpenSteps,
    step_lines,
)

if t.TYPE_CHECKING:
    from ansible.executor.stats import AggregateStats
    from ansible.executor.task_result import CallbackTaskResult
    from ansible.playbook import Playbook

PREFIX = "seatkeeper.licensing."


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """What Ansible asks a file of callbacks."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "seatkeeper.licensing.open_steps"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._steps = OpenSteps()

    def v2_playbook_on_start(self, playbook: Playbook) -> None:
        """A playbook begins, and each of its tasks will be a fork of this process."""
        # Ansible keeps no compiled file of a collection: what is here, no task compiles again.
        licensing.load()

    def v2_runner_on_ok(self, result: CallbackTaskResult) -> None:
        """A task came to its end; what a loop did was told item by item."""
        if "results" not in result.result:
            self._take(result)

    def v2_runner_item_on_ok(self, result: CallbackTaskResult) -> None:
        """One item of a loop came to its end."""
        self._take(result)

    def v2_playbook_on_stats(self, stats: AggregateStats) -> None:
        """The run is over."""
        listed = self._steps.listed()
        if listed:
            self._display.banner("OPEN STEPS")
        for host, wait in listed:
            heading, *lines = step_lines(host, wait)
            color = constants.COLOR_ERROR if wait["overdue"] else constants.COLOR_CHANGED
            self._display.display(heading, color=color)
            for line in lines:
                self._display.display(line)

    def _take(self, result: CallbackTaskResult) -> None:
        if str(result.task.action).startswith(PREFIX):
            host = result.task_fields.get("delegate_to") or result.host.get_name()
            self._steps.take(str(host), result.result)
