# SPDX-License-Identifier: GPL-3.0-or-later
"""A vendor's or an operator's rules as rows: what is required, what was seen, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class OnUnknown(StrEnum):
    """What follows where nobody can tell whether a rule is met."""

    BLOCKS = "blocks"
    """Nothing is done until the operator has stated the fact."""
    CONFIRMED = "confirmed"
    """It stands in the sentence that a person confirms."""
    SHOWN = "shown"
    """It is shown, and keeps nothing from being done."""


class RuleVerdict(StrEnum):
    """What was observed of one rule; what cannot be observed is never guessed."""

    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule: what is required, what was observed, and what to do where it is not met.

    ``on_unknown`` says what follows where the verdict is unknown.
    """

    rule: str
    required: str
    observed: str
    verdict: RuleVerdict
    advice: str
    on_unknown: OnUnknown = OnUnknown.SHOWN
    """Every rule of an order and of a dongle says it, see ``policies.ON_UNKNOWN`` and
    ``eligibility.ON_UNKNOWN``; an unknown row of a server move is shown and blocks nothing."""

    @property
    def blocks(self) -> bool:
        """Whether nothing may be done: not met, or unknown where that blocks."""
        if self.verdict is RuleVerdict.UNKNOWN:
            return self.on_unknown is OnUnknown.BLOCKS
        return self.verdict is RuleVerdict.NOT_MET

    def as_document(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "rule": self.rule,
            "required": self.required,
            "observed": self.observed,
            "verdict": self.verdict.value,
            "advice": self.advice,
            "on_unknown": self.on_unknown.value,
        }


def is_refused(rows: tuple[RuleRow, ...]) -> bool:
    """Whether a rule is seen not to be met, or is unknown where that blocks."""
    return any(row.blocks for row in rows)


def verdict_of(holds: bool | None) -> RuleVerdict:
    """The word for what was seen; None for what cannot be seen."""
    if holds is None:
        return RuleVerdict.UNKNOWN
    return RuleVerdict.MET if holds else RuleVerdict.NOT_MET
