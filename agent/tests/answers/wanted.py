# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request wants, and what is recorded of its answer: independent of routes and bodies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Values = dict[str, Any]

DECLARE, WITHDRAW, LOOK, RESUME = "declare", "withdraw", "look", "resume"
"""What may be done with most kinds; legs and what only one kind has are called by their names."""


@dataclass(frozen=True)
class Wanted:
    """One request.

    ``declared`` is what an inventory says; ``beside`` is what comes with it: documents of the other
    host, confirmations, codes.
    """

    kind: str
    action: str
    declared: Values
    beside: Values = field(default_factory=dict)


def attest(operation: str, statement: str = "Seen on the screen.", **said: str) -> Wanted:
    """A person's word: on the ``outcome`` of a ``step``, or that something is settled."""
    return Wanted("operation", "attest", {"operation": operation}, {"statement": statement, **said})


@dataclass(frozen=True)
class Answer:
    """What the scripts go on with, and what is recorded."""

    status: int
    code: str | None = None
    detail: str | None = None
    """The sentence that says why, where it is refused."""
    changed: bool | None = None
    plan: tuple[str, ...] = ()
    """Steps as the answer says: their names, states, and who performs them if not the agent."""
    must_be_confirmed: bool = False
    """Whether this very plan has to be confirmed before it runs."""
    digest: str | None = None
    acknowledgement: str | None = None
    document: Any = None
    backup: Any = None
    request: str | None = None
    transfers: tuple[Values, ...] = ()
    """Those that a borrow requests."""

    def written(self, journaled: Iterable[str]) -> str:
        """What is recorded, with the operations that the request changed in the journal.

        Nothing of it differs by machine, date or run.
        """
        changed = {None: "", True: ", changed", False: ", unchanged"}[self.changed]
        reported = f"{self.status}{'' if self.code is None else f' {self.code}'}{changed}"
        title = "plan to be confirmed" if self.must_be_confirmed else "plan"
        steps = ", ".join(self.plan)
        plan = [f"{title}: {steps}"] if steps else []
        short = (entry.replace(f"({steps})", "(as in the plan)") for entry in journaled)
        return "; ".join([reported, *plan, *(f"journal: {entry}" for entry in short)])
