# SPDX-License-Identifier: GPL-3.0-or-later
"""One comparison: interleaved repetitions of both sides, medians, a ratio and its aim."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

Ours = TypeVar("Ours")
Bare = TypeVar("Bare")


@dataclass(frozen=True)
class Aim:
    """What a ratio should be: ``at least`` or ``at most`` a bound."""

    word: str
    bound: float

    def is_met(self, ratio: float) -> bool:
        """Whether the ratio is on the right side of the bound."""
        compare = operator.ge if self.word == "at least" else operator.le
        return bool(compare(ratio, self.bound))


@dataclass(frozen=True)
class Comparison:
    """The measured sides in one unit, pair by pair in the order they were run."""

    name: str
    unit: str
    ours: list[float]
    bare: list[float]
    aim: Aim

    @property
    def ratio(self) -> float:
        """Median of the pairs' ratios: what disturbs the machine meets both sides of a pair."""
        return median(ours / bare for ours, bare in zip(self.ours, self.bare, strict=True))

    def line(self) -> str:
        """The row of the table that people read."""
        verdict = "met" if self.aim.is_met(self.ratio) else "missed"
        return (
            f"{self.name:<44} {_spread(self.ours):>24} {_spread(self.bare):>24} {self.unit:<10}"
            f" {self.ratio:6.2f}   {self.aim.word} {self.aim.bound}: {verdict}"
        )


def heading() -> str:
    """The line above the rows."""
    columns = f"{'measured':>24} {'against':>24} {'unit':<10} {'ratio':>6}   aim"
    return f"{'median (lowest to highest)':<44} {columns}"


def _spread(values: list[float]) -> str:
    return f"{median(values):.4g} ({min(values):.4g} to {max(values):.4g})"


def interleave(
    ours: Callable[[], Ours], bare: Callable[[], Bare], repetitions: int
) -> tuple[list[Ours], list[Bare]]:
    """Run both sides in turn, changing who begins, so that drift meets both alike."""
    results_ours: list[Ours] = []
    results_bare: list[Bare] = []
    for repetition in range(repetitions):
        if repetition % 2:
            results_bare.append(bare())
        results_ours.append(ours())
        if not repetition % 2:
            results_bare.append(bare())
    return results_ours, results_bare
