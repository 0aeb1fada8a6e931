# SPDX-License-Identifier: GPL-3.0-or-later
"""Agents that are broken on purpose, each to be caught where it dies at the right moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seatkeeper_agent.operations.dongles.owed import OwedDongles
from seatkeeper_agent.operations.dongles.steps import Isolate, TransferDongle
from seatkeeper_agent.operations.steps import Probe, Verdict

from .crash_world import CLOUD_SECONDS

_HELD_SECONDS = 3600.0


@dataclass(frozen=True)
class Mutant:
    """What is broken in a forked agent, at which point of a migration it dies, what is seen.

    ``cloud_seconds`` is how long the vendor works; longer than any agent needs to come back where
    it matters that nothing shows by then.
    """

    mutate: Callable[[], None]
    point: str
    seen: str
    cloud_seconds: float = CLOUD_SECONDS


def click_on_a_doubt() -> None:
    """What does not show is taken for not done, whoever may have clicked."""
    probe = TransferDongle.probe

    def guessing(self: TransferDongle, baseline: dict[str, Any] | None) -> Probe:
        seen = probe(self, baseline)
        return Probe(Verdict.NOT_DONE) if seen.verdict is Verdict.UNKNOWN else seen

    TransferDongle.probe = guessing  # type: ignore[method-assign]


def claim_without_looking() -> None:
    """An intent is taken for its effect."""
    probe = TransferDongle.probe

    def claiming(self: TransferDongle, baseline: dict[str, Any] | None) -> Probe:
        return probe(self, baseline) if baseline is None else Probe(Verdict.DONE)

    TransferDongle.probe = claiming  # type: ignore[method-assign]


def hide_without_writing_it_down() -> None:
    """What is hidden is owed to nobody."""
    Isolate.intend = lambda *_arguments: None  # type: ignore[method-assign]


def never_give_back() -> None:
    """What an interrupted operation has hidden stays so."""
    OwedDongles.give_back = lambda _self: None  # type: ignore[method-assign]


MUTANTS = {
    "clicks on a doubt": Mutant(click_on_a_doubt, "after the click", "2 clicks", _HELD_SECONDS),
    "claims without looking": Mutant(claim_without_looking, "before the click", "is claimed"),
    "hides without writing it down": Mutant(
        hide_without_writing_it_down, "after the call of _write", "are hidden and set() are owed"
    ),
    "never gives back": Mutant(never_give_back, "after the call of _write", "is hidden still"),
}
