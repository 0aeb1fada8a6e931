# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that wait for somebody when a run ends, from what its tasks returned."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._printable import one_line
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._servers import (
    Entry,
    wait_lines,
)

Key = t.Tuple[str, t.Optional[str], str, str]


class OpenSteps:
    """Collects results as they come; the latest word on a step counts."""

    def __init__(self) -> None:
        self._open: dict[Key, Entry] = {}

    def take(self, host: str, result: t.Mapping[str, t.Any]) -> None:
        """One result of a task, or of one item of its loop, on a host."""
        waits = result.get("waiting")
        if waits is True:
            wait = _document_wait(str(result["msg"]))
            self._open[_key(host, wait)] = wait
        elif isinstance(waits, list):
            self._forget(host, result)
            for wait in waits:
                self._open[_key(host, wait)] = dict(wait)

    def listed(self) -> list[tuple[str, Entry]]:
        """Hosts and their steps, oldest first; those that nobody dates come last."""
        found = [(key[0], wait) for key, wait in self._open.items()]
        return sorted(found, key=lambda pair: (pair[1]["since"] or "~", pair[0]))

    def _forget(self, host: str, result: t.Mapping[str, t.Any]) -> None:
        """What the result speaks about is told anew by it, or waits no longer."""
        operation = result.get("operation")
        if isinstance(operation, dict):
            reported = [key for key in self._open if key[:2] == (host, operation.get("id"))]
        elif "operation" in result:
            reported = []
        else:
            # Of all modules only license_info lists what waits without doing a piece of work.
            reported = [key for key in self._open if key[0] == host and key[1] is not None]
        for key in reported:
            del self._open[key]


def step_lines(host: str, wait: Entry) -> list[str]:
    """One step as lines for a terminal, the first one a heading."""
    first, *others = wait_lines([wait], host)
    return [f"{one_line(host)}: {first}", *others]


def _key(host: str, wait: Entry) -> Key:
    return host, wait["operation"], wait["step"], wait["subject"]


def _document_wait(sentence: str) -> Entry:
    return {
        "operation": None,
        "kind": "transfer",
        "subject": "a document of a transfer",
        "step": sentence,
        "title": sentence,
        "reversible": True,
        "who": "person",
        "instructions": ["Carry the file there from the other host", "Run the playbook again"],
        "verified_by": "",
        "attestable": False,
        "since": None,
        "until": None,
        "overdue": False,
    }
