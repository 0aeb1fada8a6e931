# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests as a run sends them, each counted under its own title."""

from __future__ import annotations

from typing import Any

from costs.counting import Cost, Meter
from costs.in_process import InProcess


class Requests:
    """Asks the agents of one lab; ``costs`` has what each request took, in their order."""

    def __init__(self, meter: Meter, agents: dict[str, InProcess]) -> None:
        self.costs: dict[str, Cost] = {}
        self._meter = meter
        self._agents = agents

    def ask(self, title: str, host: str, method: str, path: str, body: Any = None) -> Any:
        """What the request gives."""
        answers: list[Any] = []
        assert title not in self.costs
        self.costs[title] = self._meter.cost_of(
            lambda: answers.append(self._agents[host].ask(method, path, body))
        )
        return answers[0]

    def planned(self, title: str, host: str, method: str, path: str, body: Any = None) -> Any:
        """The answer to the dry run, which a check sends."""
        return self.ask(f"{title}, dry run", host, method, f"{path}?dry_run=true", body)

    def run(self, title: str, host: str, method: str, path: str, body: Any = None) -> Any:
        """The answer to the run; then the same once more, as the next run of a playbook does."""
        answer = self.ask(f"{title}, run", host, method, path, body)
        again = self.ask(f"{title}, again", host, method, path, body)
        assert (answer["changed"], again["changed"]) == (True, False), title
        return answer

    def both(self, title: str, host: str, method: str, path: str, body: Any = None) -> Any:
        """A dry run, the run, and the run again; the answer of the run."""
        self.planned(title, host, method, path, body)
        return self.run(title, host, method, path, body)


def require_markers(written: dict[str, Cost]) -> None:
    """Whoever looks at the bus more than once is marked, and nobody else is."""
    assert [title for title, cost in written.items() if cost.usb > 1] == [
        title for title, cost in written.items() if cost.lowered_by is not None
    ]
