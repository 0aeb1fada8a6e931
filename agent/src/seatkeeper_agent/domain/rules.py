# SPDX-License-Identifier: GPL-3.0-or-later
"""A vendor's or an operator's rules as rows: what is required, what was seen, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class RuleVerdict(StrEnum):
    """What was observed of one rule; what cannot be observed is never guessed."""

    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule: what is required, what was observed, and what to do where it is not met."""

    rule: str
    required: str
    observed: str
    verdict: RuleVerdict
    advice: str

    def as_document(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "rule": self.rule,
            "required": self.required,
            "observed": self.observed,
            "verdict": self.verdict.value,
            "advice": self.advice,
        }


def is_refused(rows: tuple[RuleRow, ...]) -> bool:
    """Whether a rule is seen not to be met."""
    return any(row.verdict is RuleVerdict.NOT_MET for row in rows)


def verdict_of(holds: bool | None) -> RuleVerdict:
    """The word for what was seen; None for what cannot be seen."""
    if holds is None:
        return RuleVerdict.UNKNOWN
    return RuleVerdict.MET if holds else RuleVerdict.NOT_MET
