# SPDX-License-Identifier: GPL-3.0-or-later
"""One declared thing during a run: who has a part in it, and what each of them answered."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.claims import Claim
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.courier import Document
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    Declaration,
    Entry,
)

ByAgent = t.Dict[str, Entry]


@dataclasses.dataclass
class Matter:
    """What is known of one declaration in this run; answers are by the names of agents.

    ``first`` and ``asked`` are the first and the last answers of dry runs, ``told`` those of runs,
    ``seen`` what was seen after them. ``given`` are the documents of the last answers. ``unasked``
    are agents that have not heard it as it is now. ``refused`` says why nobody is told.
    """

    declaration: Declaration
    claim: t.Optional[Claim] = None
    refused: t.Optional[str] = None
    is_vouched: bool = True
    unasked: t.List[str] = dataclasses.field(default_factory=list)
    first: ByAgent = dataclasses.field(default_factory=dict)
    asked: ByAgent = dataclasses.field(default_factory=dict)
    told: ByAgent = dataclasses.field(default_factory=dict)
    seen: ByAgent = dataclasses.field(default_factory=dict)
    given: t.Dict[str, t.List[Document]] = dataclasses.field(default_factory=dict)

    @property
    def id(self) -> str:
        """The declaration's id, which its documents name."""
        return self.declaration.id

    @property
    def key(self) -> str:
        """What no other thing of the run has."""
        return self.declaration.key

    @property
    def agents(self) -> t.Tuple[str, ...]:
        """Who has a part in it."""
        return self.declaration.agents

    @property
    def is_joint(self) -> bool:
        """Whether two hosts do it together, by documents."""
        return len(self.agents) > 1

    def last(self, agent: str) -> t.Optional[Entry]:
        """What an agent answered last, whatever it was asked.

        A plan made afterwards does not take a refusal back, unless all is as declared by now.
        """
        seen, told = self.seen.get(agent), self.told.get(agent)
        if told is not None and told["problem"] is not None and seen is not None:
            return seen if seen["outcome"] == "same" else told
        return seen or told or self.asked.get(agent)

    def problems(self) -> t.List[t.Tuple[str, Entry]]:
        """Who could not do it, and why, by the last answers."""
        lasts = [(agent, self.last(agent)) for agent in self.agents]
        return [
            (agent, last["problem"])
            for agent, last in lasts
            if last is not None and last["problem"] is not None
        ]

    def changed_at(self, agent: str) -> bool:
        """Whether something was done at an agent, or in a dry run would be."""
        return bool((self.told.get(agent) or self.asked.get(agent) or {}).get("changed"))

    def changed(self) -> bool:
        """Whether something was done at any of them, or would be."""
        return any(self.changed_at(agent) for agent in self.agents)

    def is_confirmed(self) -> bool:
        """Whether nothing of its plan has to be confirmed that the inventory does not confirm.

        A digest that is stale is the agent's to refuse, which knows what has changed since.
        """
        return all(
            self.declaration.confirmed.get(agent) or not asked["confirmation_required"]
            for agent, asked in self.asked.items()
        )

    def declared_anew(self, declaration: Declaration) -> None:
        """It is told otherwise from now on, so that everybody is asked again."""
        self.declaration = declaration
        self.unasked = list(declaration.agents)

    def take(self, agent: str, result: Entry, documents: t.List[Document], to: str) -> None:
        """What an agent answered: to ``ask`` for a plan, to ``tell``, or to ``verify``."""
        self.given[agent] = documents
        if to == "tell":
            before = self.told.get(agent, {})
            changed = bool(result["changed"] or before.get("changed"))
            steps = [*before.get("steps", ()), *result["steps"]]
            first = before.get("before") or result["before"]
            self.told[agent] = {**result, "changed": changed, "steps": steps, "before": first}
        elif to == "verify":
            # What was to be kept of them was kept when it came.
            details = {name: each for name, each in result["details"].items() if name != "papers"}
            self.seen[agent] = {**result, "details": details}
        else:
            self.first.setdefault(agent, result)
            self.asked[agent] = result

    def as_kept(self) -> Entry:
        """As a task keeps it for the next."""
        kept = dataclasses.asdict(self)
        return {**kept, "claim": None if self.claim is None else list(self.claim)}

    @classmethod
    def from_kept(cls, kept: Entry) -> Matter:
        """What a task before has kept."""
        claim = kept["claim"]
        declaration = Declaration.from_kept(kept["declaration"])
        named = {"declaration": declaration, "claim": None if claim is None else Claim(*claim)}
        return cls(**{**kept, **named})
