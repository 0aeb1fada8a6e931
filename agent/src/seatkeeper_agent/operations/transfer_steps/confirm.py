# SPDX-License-Identifier: GPL-3.0-or-later
"""The source's second effect: the receipt closes the vendor's row."""

from __future__ import annotations

from typing import Any

from seatkeeper_agent.domain.licenses import HistoryStatus
from seatkeeper_agent.domain.records import (
    Account,
    DocumentKind,
    Event,
)
from seatkeeper_agent.domain.transfers import Side, State
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.documents import seal_in, unseal
from seatkeeper_agent.operations.steps import Probe, Verdict
from seatkeeper_agent.operations.transfer_steps.base import (
    TransferStep,
    item_codes,
    postings_of,
)


class Confirm(TransferStep):
    """The source's second effect: the receipt closes the vendor's history row."""

    type = name = "confirm"
    reversible = True

    @property
    def title(self) -> str:
        """For people."""
        return f"confirming {self.declaration.item} in {self.record.container}"

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """The row says so itself."""
        row = self._row()
        if row is None:
            return Probe(Verdict.UNKNOWN, reason="the transfer's row is missing from the history")
        if row.status is HistoryStatus.TRANSFERRED_AND_RECEIPTED:
            return self._done()
        return Probe(Verdict.NOT_DONE)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Hand the vendor's receipt to the runtime."""
        receipt = unseal(
            self.identity,
            DocumentKind.RECEIPT,
            self.declaration,
            self.record.documents[DocumentKind.RECEIPT],
        )
        self.driver.confirm_transfer(self.record.container, receipt.artefact)
        return b""

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """Sign the acknowledgement that lets the target forget the open transfer."""
        self._undo_early_expiry(unit)
        receipt = self.record.documents[DocumentKind.RECEIPT]
        kind = DocumentKind.ACKNOWLEDGEMENT
        envelope = seal_in(unit, self.identity, kind, self.declaration, b"", receipt, {})
        unit.transfers.put_document(self.declaration.id, Side.SOURCE, kind, envelope)
        unit.transfers.advance(self.declaration.id, Side.SOURCE, State.RECEIPTED)
        self._note_counter(unit, evidence)

    def _undo_early_expiry(self, unit: Unit) -> None:
        # An expiry before the receipt took the seats for never installed and emptied the
        # escrow; they were lent. An early return leaves the escrow alone.
        declaration, codes = self.declaration, item_codes(self.declaration)
        expiry = unit.ledger.operation_of(declaration.id, Event.CREDIT_BACK)
        emptied = not any(
            unit.ledger.balance(Account.ESCROW, declaration.id, codes, measure)
            for measure in self.record.amounts
        )
        if expiry is not None and emptied:
            lent, escrow = (Account.LENT, declaration.id), (Account.ESCROW, declaration.id)
            postings = postings_of(self.record.amounts, codes, lent, escrow)
            unit.ledger.post(Event.CREDIT, postings, declaration.id, expiry)
