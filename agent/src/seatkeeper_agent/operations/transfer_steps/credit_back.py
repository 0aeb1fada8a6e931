# SPDX-License-Identifier: GPL-3.0-or-later
"""How seats come back to their origin: after a refusal, or at the end of a borrow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seatkeeper_agent.domain.licenses import HistoryStatus, Measure
from seatkeeper_agent.domain.problems import ProblemCode
from seatkeeper_agent.domain.records import (
    Account,
    Event,
    TransferRecord,
)
from seatkeeper_agent.domain.transfers import Side, State
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.ports import DriverUnsupported
from seatkeeper_agent.operations.steps import Probe, Verdict
from seatkeeper_agent.operations.transfer_steps.base import (
    TransferStep,
    item_codes,
    postings_of,
)


class CreditBack(TransferStep):
    """After the target's refusal: the seats come back. No documented function does that."""

    type = name = "credit_back"
    reversible = True

    @property
    def title(self) -> str:
        """For people."""
        return f"crediting {self.declaration.item} back in {self.record.container}"

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """The licensor's correction shows as the row taken out of the history.

        A borrow whose time has passed fell back by itself (grade D). Even then the intent is
        written before anything is posted.
        """
        if baseline is None:
            return Probe(Verdict.NOT_DONE)
        row = self._row()
        if row is None:
            return Probe(Verdict.UNKNOWN, reason="the transfer's row is missing from the history")
        ended = row.borrow_expires_at
        if row.status is HistoryStatus.CREATED:
            return self._done()
        if ended is not None and ended <= self.driver.clock(self.record.container).box_at:
            return self._done()
        return Probe(Verdict.NOT_DONE)

    def baseline(self) -> dict[str, Any]:
        """Refused as long as nothing of it shows: the facts name no function that does it."""
        if self.probe({}).verdict is Verdict.NOT_DONE:
            raise self._unsupported()
        return {}

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Refused, too: what showed before the intent is found again by the next probe."""
        raise self._unsupported()

    def _unsupported(self) -> DriverUnsupported:
        return DriverUnsupported(
            f"{self._subject()} was refused by its target, and the vendor documents no way to"
            " cancel a transfer that is on its way",
            ProblemCode.CREDIT_BACK_NOT_DOCUMENTED,
        )

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """Escrow is empty again."""
        declaration = self.declaration
        if not unit.ledger.has(declaration.id, Event.CREDIT_BACK):
            post_credit_back(unit, self.record, Account.ESCROW, self.operation_id)
        unit.transfers.advance(declaration.id, Side.SOURCE, State.VOID)
        self._note_counter(unit, evidence)


@dataclass(frozen=True)
class Expire(TransferStep):
    """The end of a borrow: the vendor's product gives it back by itself (grade D).

    ``held`` reads what the ledger has in the container, per measure; it is asked when no other
    work can change it any more.
    """

    type = name = "expire"
    reversible = True

    held: Callable[[], dict[str, int]]

    @property
    def title(self) -> str:
        """For people."""
        return f"the fall-back of {self.declaration.item} to {self.record.container}"

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """The seats are there again beside what the ledger knew before."""
        if baseline is None:
            return Probe(Verdict.NOT_DONE)
        seen = {measure.value: self._observation().owned(measure) for measure in Measure}
        amounts = {measure.value: amount for measure, amount in self.record.amounts.items()}
        back = all(seen[name] - baseline["held"][name] >= n for name, n in amounts.items())
        return self._done() if back else Probe(Verdict.NOT_DONE)

    def baseline(self) -> dict[str, Any]:
        """What the ledger holds."""
        return {"held": self.held()}

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Refused: only the product does it, so it either shows already or has to be awaited."""
        raise DriverUnsupported("only the vendor's product ends a borrow")

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """Shares its key with the early return, so that only one of them counts."""
        lot = self.declaration.id
        present = unit.transfers.get(lot, Side.SOURCE)
        received = present is not None and present.state is State.RECEIPTED
        giver = Account.LENT if received else Account.ESCROW
        if not unit.ledger.has(lot, Event.CREDIT_BACK):
            post_credit_back(unit, self.record, giver, self.operation_id)
        self._note_counter(unit, evidence)


def post_credit_back(unit: Unit, record: TransferRecord, giver: Account, operation_id: str) -> None:
    """The one credit-back that a transfer can have."""
    declaration = record.declaration
    postings = postings_of(
        record.amounts,
        item_codes(declaration),
        (giver, declaration.id),
        (Account.CONTAINER, record.container),
    )
    unit.ledger.post(Event.CREDIT_BACK, postings, declaration.id, operation_id)
