# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans: the steps that an operation would take, and the digest a confirmation is bound to."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Performer(StrEnum):
    """Who does a step."""

    AGENT = "agent"
    PERSON = "person"
    VENDOR = "vendor"


@dataclass(frozen=True, slots=True)
class Instructions:
    """What somebody else has to do, and how it will be seen that it was done.

    ``steps`` are imperative sentences in the vendor's own words; ``verified_by`` is one
    sentence. ``attestable`` when nothing can be observed and a person's word counts.
    ``seconds_max`` is how long it should take, None for no deadline.
    """

    steps: tuple[str, ...]
    verified_by: str
    attestable: bool = False
    seconds_max: int | None = None

    def as_document(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "steps": list(self.steps),
            "verified_by": self.verified_by,
            "attestable": self.attestable,
            "seconds_max": self.seconds_max,
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Instructions:
        """Read what ``as_document`` wrote."""
        return cls(**{**document, "steps": tuple(document["steps"])})


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step as it is shown to people before and after it ran."""

    name: str
    title: str
    side: str
    reversible: bool
    performer: Performer = Performer.AGENT

    def as_document(self) -> dict[str, Any]:
        """The step as plain JSON values."""
        return {
            "name": self.name,
            "title": self.title,
            "side": self.side,
            "reversible": self.reversible,
            "performer": self.performer.value,
        }


def canonical(document: Any) -> bytes:
    """JSON in one spelling only, for hashing and signing."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def digest(document: Any) -> str:
    """SHA-256 over the canonical spelling, in hexadecimal."""
    return hashlib.sha256(canonical(document)).hexdigest()


def plan_digest(
    declaration: dict[str, Any],
    steps: list[PlannedStep],
    update_counter: int | None,
    depending: dict[str, Any] | None = None,
) -> str:
    """What a confirmation is bound to: void as soon as the item's counter moves on.

    ``depending`` is what depends on what the plan gives up, if anything does.
    """
    plan: dict[str, Any] = {
        "declaration": declaration,
        "steps": [step.as_document() for step in steps],
        "update_counter": update_counter,
    }
    return digest(plan if depending is None else {**plan, "depending": depending})
