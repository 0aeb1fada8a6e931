# SPDX-License-Identifier: GPL-3.0-or-later
"""What depends on a license server, an item or a dongle when it is given up: one rule for all.

It is asked before a deactivation, a server update, a server move, a dongle's migration and the
last transfer of an item. What is found is refused with the way out, or confirmed by its digest;
what the vendor does not tell stays unknown and stands in the sentence that is confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from seatkeeper_agent.domain.planned_steps import digest
from seatkeeper_agent.domain.problems import Problem, ProblemCode


class GivingUp(StrEnum):
    """What gives something up for good, or for as long as somebody needs it."""

    DEACTIVATION = "deactivation"
    SERVER_UPDATE = "server update"
    SERVER_MOVE = "server move"
    DONGLE_MIGRATION = "dongle migration"
    LAST_TRANSFER = "last transfer of an item"


class Relation(StrEnum):
    """How something depends on what is given up."""

    BORROWED = "borrowed"
    LENT = "lent"
    IN_TRANSIT = "in_transit"
    OPEN_WORK = "open_work"
    IN_USE = "in_use"


_REMEDIES = {
    Relation.BORROWED: "return what is borrowed first",
    Relation.LENT: "have what is lent returned first",
    Relation.IN_TRANSIT: "bring the transfers to their end first",
    Relation.OPEN_WORK: "bring the open work to its end first",
    Relation.IN_USE: "have the sessions ended first",
}
_WORDS = {
    Relation.BORROWED: "What is borrowed",
    Relation.LENT: "What is lent",
    Relation.IN_TRANSIT: "What is in transit",
    Relation.OPEN_WORK: "Which work is open",
    Relation.IN_USE: "What is in use",
}


@dataclass(frozen=True, slots=True)
class Dependency:
    """One thing that depends on it: ``what`` says it in words.

    ``known_as`` is what a confirmation is bound to: what it is, not how many seats it has at the
    moment. ``until`` in Unix seconds where it ends by itself then.
    """

    relation: Relation
    what: str
    known_as: str
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Dependencies:
    """All that was found, and what the vendor does not tell."""

    found: tuple[Dependency, ...] = ()
    unknown: tuple[Relation, ...] = ()

    def sentences(self) -> tuple[str, ...]:
        """For whoever confirms: what depends on it, and what nobody can tell."""
        listed = tuple(f"{entry.what}." for entry in self.found)
        return listed + tuple(
            f"{_WORDS[relation]} is unknown: the vendor does not tell." for relation in self.unknown
        )

    def remedy(self) -> str:
        """What has to happen before, as a clause; where it ends by itself, also when."""
        remedies = [
            _REMEDIES[relation] for relation in dict.fromkeys(e.relation for e in self.found)
        ]
        ends = [entry.until for entry in self.found]
        lasting = [end for end in ends if end is not None]
        if lasting and len(lasting) == len(ends):
            at = datetime.fromtimestamp(max(lasting), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            return f"{', and '.join(remedies)}, or wait until {at}"
        return ", and ".join(remedies)

    def in_a_plan(self) -> dict[str, Any] | None:
        """What a plan's digest is bound to where something was found."""
        return self.as_document() if self.found else None

    def as_document(self) -> dict[str, Any]:
        """What a confirmation is bound to."""
        found = sorted([entry.relation.value, entry.known_as] for entry in self.found)
        return {"found": found, "unknown": sorted(entry.value for entry in self.unknown)}


NOTHING = Dependencies()


def confirmation_of(giving_up: GivingUp, subject: str, dependencies: Dependencies) -> str:
    """What confirms that it is given up with exactly this depending on it."""
    return digest({"giving_up": giving_up.value, "subject": subject, **dependencies.as_document()})


def require_free(
    giving_up: GivingUp, subject: str, dependencies: Dependencies, confirmation: str | None
) -> None:
    """Problem while something depends on it, unless exactly that was confirmed."""
    if not dependencies.found:
        return
    expected = confirmation_of(giving_up, subject, dependencies)
    if confirmation != expected:
        raise refusal(giving_up, subject, dependencies, expected)


def refusal(
    giving_up: GivingUp, subject: str, dependencies: Dependencies, expected: str
) -> Problem:
    """The refusal with the list and the way out; ``expected`` confirms it."""
    remedy = dependencies.remedy()
    return Problem(
        ProblemCode.CONFIRMATION_REQUIRED,
        f"The {giving_up.value} of {subject} would give up what is still needed:"
        f" {' '.join(dependencies.sentences())}",
        f"{remedy[:1].upper()}{remedy[1:]}; or confirm exactly this with plan_digest {expected}.",
        {"digest": expected},
    )
