# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host is brought which documents next: answers in, deliveries out.

It knows no states and no vendors. An agent says in ``next`` which document it awaits for a
declaration, and for whom each document is that it gives. A signed document that nobody awaits
stays where it is; what is told without a signature is news and is brought once, together with all
that was given for the same declaration. What is only planned goes to plans alone.
"""

from __future__ import annotations

import collections
import typing as t

Document = t.Dict[str, t.Any]
"""As an agent gives it: declaration, to, kind, envelope, facts, whether planned and signed."""
Brought = t.Dict[str, t.Any]
"""As an agent is brought it: declaration, kind, envelope, facts."""
Answer = t.Mapping[str, t.Any]


DELIVERIES_MAX = 4
"""So often at most one kind of document is brought for one declaration in one run."""


class Courier:
    """Carries within one run; what agents have given before, they give again when asked anew."""

    def __init__(self) -> None:
        self._awaited: t.Dict[t.Tuple[str, str], str] = {}
        self._given: t.Dict[t.Tuple[str, str, str], Document] = {}
        self._delivered: t.Set[t.Tuple[str, str, str]] = set()
        self._deliveries: t.Counter[t.Tuple[str, str, str]] = collections.Counter()

    def as_kept(self) -> t.Dict[str, t.Any]:
        """As a task keeps it for the next."""
        return {
            "awaited": [[*place, kind] for place, kind in self._awaited.items()],
            "given": list(self._given.values()),
            "delivered": [list(place) for place in self._delivered],
            "deliveries": [[*place, count] for place, count in self._deliveries.items()],
        }

    @classmethod
    def from_kept(cls, kept: t.Mapping[str, t.Any]) -> Courier:
        """What a task before has kept."""
        courier = cls()
        courier._awaited = {(agent, name): kind for agent, name, kind in kept["awaited"]}
        courier._given = {_place(document): document for document in kept["given"]}
        courier._delivered = {tuple(place) for place in kept["delivered"]}
        for to, name, kind, count in kept["deliveries"]:
            courier._deliveries[to, name, kind] = count
        return courier

    def take(self, agent: str, answer: Answer) -> None:
        """What an agent answered to a request for its state."""
        for result in answer["results"]:
            awaits = (result["next"] or {}).get("awaits")
            if awaits is None:
                self._awaited.pop((agent, result["id"]), None)
            else:
                self._awaited[agent, result["id"]] = awaits
        for document in answer["documents"]:
            self._give(document)

    def deliveries(
        self, going_on: t.Optional[t.Container[str]] = None
    ) -> t.Dict[str, t.List[Brought]]:
        """What each agent is to be brought now; empty when there is nothing more to carry.

        For declarations that are not ``going_on`` nothing is; None stands for all.
        """
        found: t.Dict[str, t.List[Brought]] = {}
        due = {place for place in self._due() if going_on is None or place[1] in going_on}
        for place in sorted(due.union(*map(self._beside, due))):
            if going_on is None or place[1] in going_on:
                found.setdefault(place[0], []).append(_brought(self._given[place]))
        return found

    def brought(self, deliveries: t.Mapping[str, t.Sequence[Brought]], agent: str) -> None:
        """Say that an agent got its deliveries, whatever it made of them."""
        for document in deliveries[agent]:
            place = (agent, document["declaration"], document["kind"])
            self._deliveries[place] += 1
            self._delivered.add(place)

    def given_to(self, agent: str, declaration: str) -> t.List[Document]:
        """What is there for an agent, whether or not it has a part in this run."""
        return [
            document
            for (to, name, _kind), document in sorted(self._given.items())
            if (to, name) == (agent, declaration) and not document["planned"]
        ]

    def awaited_of(self, declaration: str) -> t.Dict[str, str]:
        """Which agent awaits which document for a declaration."""
        return {agent: kind for (agent, name), kind in self._awaited.items() if name == declaration}

    def bring(
        self, agent: str, declaration: str, kind: str, envelope: t.Any, facts: t.Dict[str, t.Any]
    ) -> None:
        """A document for an agent that came some other way."""
        document = {"declaration": declaration, "to": agent, "kind": kind, "envelope": envelope}
        signed = envelope is not None
        self._give({**document, "facts": facts, "planned": False, "signed": signed})

    def waiting(self, agents: t.Collection[str]) -> t.List[t.Dict[str, str]]:
        """What waits for agents that have no part in this run: who, for which document of whom."""
        rows = [
            {"agent": agent, "declaration": declaration, "document": awaited}
            for (agent, declaration), awaited in sorted(self._awaited.items())
            if (agent, declaration, awaited) not in self._given
        ]
        absent = [
            {"agent": to, "declaration": declaration, "document": kind}
            for to, declaration, kind in sorted(self._given)
            if to not in agents
        ]
        return rows + absent

    def _give(self, document: Document) -> None:
        place = _place(document)
        if self._given.get(place) != document and self._deliveries[place] < DELIVERIES_MAX:
            self._given[place] = document
            # Another one than before: it has to be brought again.
            self._delivered.discard(place)

    def _due(self) -> t.Set[t.Tuple[str, str, str]]:
        """What is there for an agent that awaits it, or that nobody signs, and was not brought."""
        awaited = {(agent, name, kind) for (agent, name), kind in self._awaited.items()}
        told = {place for place, document in self._given.items() if not document["signed"]}
        return ((awaited & self._given.keys()) | told) - self._delivered

    def _beside(self, due: t.Tuple[str, str, str]) -> t.Set[t.Tuple[str, str, str]]:
        """What is brought with it.

        A dry run keeps nothing: its plans need all that was told for each of them so far.
        """
        agent, declaration, _kind = due
        if self._given[due]["planned"]:
            return {place for place in self._given if place[0] == agent}
        if not self._given[due]["signed"]:
            return {place for place in self._given if place[:2] == (agent, declaration)}
        return set()


def _place(document: Document) -> t.Tuple[str, str, str]:
    return (document["to"], document["declaration"], document["kind"])


def _brought(document: Document) -> Brought:
    return {member: document[member] for member in ("declaration", "kind", "envelope", "facts")}
