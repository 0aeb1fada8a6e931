# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a script's requests one after the other, each under a title of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping

from costs.in_process import InProcess

from answers import v1
from answers.wanted import Answer, Wanted
from seatkeeper_agent.host import Peer

Lines = dict[str, str]
"""What is recorded of each request by its title, in their order."""


class Script:
    """Asks the agents of one lab, and adds a line for each request to ``lines``."""

    def __init__(self, lines: Lines, agents: Mapping[str, InProcess]) -> None:
        self.lines = lines
        self._agents = agents
        self._journals = {host: v1.journal(agent) for host, agent in agents.items()}

    def ask(
        self,
        title: str,
        host: str,
        wanted: Wanted,
        dry_run: bool = False,
        peer: Peer | None = None,
    ) -> Answer:
        """What the request gives, refused or not."""
        assert title not in self.lines, title
        assert ": " not in title, title
        answer = v1.ask(self._agents[host], wanted, dry_run, peer)
        self.lines[title] = answer.written(self._changed(host))
        return answer

    def prepare(self, host: str, wanted: Wanted) -> Answer:
        """What has to be there first: it succeeds, and is recorded elsewhere."""
        answer = v1.ask(self._agents[host], wanted, dry_run=False, peer=None)
        assert answer.code is None, (wanted, answer)
        self._changed(host)
        return answer

    def planned(self, title: str, host: str, wanted: Wanted) -> Answer:
        """The dry run alone."""
        return self.ask(f"{title}, dry run", host, wanted, dry_run=True)

    def twice(self, title: str, host: str, wanted: Wanted) -> Answer:
        """A dry run and the run, as for what is refused; the answer of the run.

        What both refuse alike they refuse in the same sentence; how many bytes of the disk are
        free is of the moment.
        """
        planned = self.planned(title, host, wanted)
        answer = self.ask(f"{title}, run", host, wanted)
        if planned.code == answer.code:
            assert _lasting(planned.detail) == _lasting(answer.detail), title
        return answer

    def whole(self, title: str, host: str, wanted: Wanted) -> Answer:
        """A dry run, the run, and the run again; the answer of the run."""
        answer = self.twice(title, host, wanted)
        self.ask(f"{title}, again", host, wanted)
        return answer

    def _changed(self, host: str) -> list[str]:
        """What is in the journal since the last request, of new operations and of known ones."""
        before, after = self._journals[host], v1.journal(self._agents[host])
        self._journals[host] = after
        return sorted(reported for key, reported in after.items() if before.get(key) != reported)


def _lasting(detail: str | None) -> str | None:
    return None if detail is None else re.sub(r"\d+ bytes are free", "bytes are free", detail)
