# SPDX-License-Identifier: GPL-3.0-or-later
"""Agents that are broken on purpose, each to be caught where it dies at the right moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seatkeeper_agent.operations.server_moves.steps import Deactivate
from seatkeeper_agent.operations.steps import Probe, Verdict


@dataclass(frozen=True)
class Mutant:
    """What is broken in a forked agent, at which point of a move it dies, what is seen."""

    mutate: Callable[[], None]
    point: str
    seen: str


def claim_without_looking() -> None:
    """An intent to deactivate is taken for its effect."""
    probe = Deactivate.probe

    def claiming(self: Deactivate, baseline: dict[str, Any] | None) -> Probe:
        return probe(self, baseline) if baseline is None else Probe(Verdict.DONE)

    Deactivate.probe = claiming  # type: ignore[method-assign]


MUTANTS = {
    "claims without looking": Mutant(
        claim_without_looking, "before the call of deactivate", "was released"
    ),
}
