# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kind of declaration says of itself, and what it is asked and answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.records import Envelope

FORESEEN = "foreseen"
"""The schema of what the plan of another host tells."""

NOTHING: Mapping[str, str] = {}
"""For kinds that are brought no documents."""

LOOKED_AT_MAX = 10_000
"""Of each kind no more entries are given at once."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What another host gave for a declaration: a signed document, or what one tells.

    ``facts`` are what is not signed, and in a dry run what a document would tell that was not made.
    """

    kind: str
    envelope: Envelope | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Given:
    """A document for another host; ``to`` is an agent.

    ``facts`` are what it tells without a signature. What ``is_planned`` is not there yet: a dry run
    foresees it, and only plans of other hosts may go by it. ``is_signed`` says whether it has a
    signature, or will have one.
    """

    to: str
    kind: str
    envelope: Envelope | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    is_planned: bool = False
    is_signed: bool = True

    def as_document(self) -> dict[str, Any]:
        """As it is answered."""
        return {
            "to": self.to,
            "kind": self.kind,
            "envelope": self.envelope,
            "facts": self.facts,
            "planned": self.is_planned,
            "signed": self.is_signed,
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """One declaration as it was asked for.

    ``declared`` fits the kind's schema. ``evidence`` is by the name of a peer the newest document
    of this agent that the peer keeps.
    """

    id: str
    declared: dict[str, Any]
    actor: str
    is_dry_run: bool
    brought: tuple[Brought, ...] = ()
    evidence: dict[str, Envelope] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one declaration. ``waits_for`` says in its members who has to do what.

    ``problem`` is what stopped it after some of it was done.
    ``digest`` is that of the plan; it confirms the plan where ``must_be_confirmed``. ``details`` is
    what one kind says besides, such as the rules that were asked.
    """

    changed: bool
    present: dict[str, Any] | None = None
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    steps: tuple[dict[str, Any], ...] = ()
    digest: str | None = None
    must_be_confirmed: bool = False
    waits_for: dict[str, Any] | None = None
    next: dict[str, Any] | None = None
    documents: tuple[Given, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    problem: Problem | None = None


class Kind(Protocol):
    """One kind of declaration at one agent."""

    @property
    def name(self) -> str:
        """What declarations call it."""

    @property
    def schema(self) -> str:
        """The schema of what is declared."""

    @property
    def confirms(self) -> str | None:
        """The member with the digest of a plan that is confirmed; None where nothing needs that."""

    @property
    def secrets(self) -> frozenset[str]:
        """Members that no answer, log or digest has."""

    @property
    def brings(self) -> Mapping[str, str]:
        """The documents that other hosts bring, each with the schema of its facts."""

    def put(self, asked: Asked) -> Outcome:
        """Make it so as far as that is possible now, or plan it. Failures are Problems."""

    def planning(self) -> Kind:
        """The same for one dry run, in which what is planned first counts for what follows."""

    def look(self) -> Any:
        """What is known and seen of it now; writes nothing. Failures are Problems."""
