# SPDX-License-Identifier: GPL-3.0-or-later
"""One thing that the variables of hosts declare, as the agents are told of it.

``kinds`` reads the variables. What is declared once for a whole group is read alike on all hosts;
each of them is told what it has a part in.
"""

from __future__ import annotations

import dataclasses
import typing as t

Entry = t.Dict[str, t.Any]
Told = t.Dict[str, t.Any]
"""As an agent is told it: kind, id and what is declared."""
Files = t.Dict[str, str]
"""Members of what is declared that are the contents of files of the controller, by their paths."""
AgentOf = t.Callable[[str], str]
"""What the agent of a host is called."""

SIDES: t.Final = ("source", "target")


@dataclasses.dataclass(frozen=True)
class Declaration:
    """One thing that is declared, and whom it concerns.

    ``agents`` have a part in it, in the order in which they are asked. ``declared`` is told to each
    of them, together with what ``confirmed`` has for it; secrets are in neither. ``local`` is what
    the controller alone needs. ``is_declared`` is false for what an earlier run has begun and
    nobody declares any more. ``is_optional`` says that it names no host: a host that has nothing of
    the kind has no part in it.
    """

    kind: str
    id: str
    name: str
    agents: t.Tuple[str, ...]
    declared: Entry
    confirmed: t.Dict[str, Entry] = dataclasses.field(default_factory=dict)
    vendor: t.Optional[str] = None
    files: Files = dataclasses.field(default_factory=dict)
    local: Entry = dataclasses.field(default_factory=dict)
    is_declared: bool = True
    is_optional: bool = False

    @property
    def key(self) -> str:
        """No two things of a run have the same; that of one between hosts is its id."""
        return self.id if len(self.agents) > 1 else f"{self.agents[0]}/{self.kind}/{self.id}"

    def told(self, agent: str) -> Told:
        """What one agent is told."""
        declared = {**self.declared, **self.confirmed.get(agent, {})}
        named = {} if self.vendor is None else {"vendor": self.vendor}
        return {"kind": self.kind, "id": self.id, **named, "declared": declared}

    def as_kept(self) -> Entry:
        """As a task keeps it for the next."""
        return dataclasses.asdict(self)

    @classmethod
    def from_kept(cls, kept: Entry) -> Declaration:
        """The declaration that a task before has kept."""
        return cls(**{**kept, "agents": tuple(kept["agents"])})
