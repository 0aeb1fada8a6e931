# SPDX-License-Identifier: GPL-3.0-or-later
"""The target's effect, and the target's word about it."""

from __future__ import annotations

from typing import Any

from seatkeeper_agent.domain.records import (
    Account,
    DocumentKind,
    Event,
    TransferRecord,
)
from seatkeeper_agent.domain.transfers import Mode, Side, State
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.documents import seal_in, unseal
from seatkeeper_agent.operations.steps import Probe, Verdict
from seatkeeper_agent.operations.transfer_steps.base import (
    TransferStep,
    item_codes,
    postings_of,
)


class Credit(TransferStep):
    """The target's effect: what the update brings enters the container."""

    type = name = "credit"
    reversible = True

    @property
    def title(self) -> str:
        """For people."""
        return f"crediting {self.declaration.item} in {self.record.container}"

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Look for the transfer's own row, which the import writes, whoever imported it.

        Even then the intent is written before anything is posted.
        """
        if baseline is None:
            return Probe(Verdict.NOT_DONE)
        rows = self._history()
        own = [row for row in rows if row.transfer_id == self.record.vendor_transfer_id]
        if own:
            return self._done(transfer_id=own[-1].transfer_id)
        fresh = [row for row in rows if row.transfer_id not in baseline["known"]]
        source = self.declaration.source.container
        # What is in transit in this container's history left from here.
        others = [row for row in fresh if row.container == source and not row.status.in_transit]
        if not others:
            return Probe(Verdict.NOT_DONE)
        if len(others) > 1:
            reason = f"{len(others)} new rows in the vendor's history could be it"
            return Probe(Verdict.UNKNOWN, reason=reason)
        return self._done(transfer_id=others[0].transfer_id)

    def baseline(self) -> dict[str, Any]:
        """The history before the import."""
        known = [row.transfer_id for row in self._history()]
        seen = self._seen(self._observation())
        is_there = self.record.vendor_transfer_id in known
        if is_there and not self.declaration.type.is_borrow:
            # Imported by hand, or before this journal: the credit posts it, not the observation.
            for measure, amount in self.record.amounts.items():
                seen["owned"][measure.value] -= amount
        return {"known": known, "seen": seen, "is_there": is_there}

    def require_allowed(self, unit: Unit, baseline: dict[str, Any]) -> None:
        """A container that went back in time is left alone."""
        self._refuse_rolled_back(unit, baseline)

    def intend(self, unit: Unit, baseline: dict[str, Any]) -> None:
        """From here on the update may have been imported."""
        self._reconcile(unit, baseline)
        unit.transfers.advance(self.declaration.id, Side.TARGET, State.CREDITING)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Import the update, unless the container has it already."""
        if baseline["is_there"]:
            return b""
        document = unseal(
            self.identity,
            DocumentKind.TRANSFER,
            self.declaration,
            self.record.documents[DocumentKind.TRANSFER],
        )
        self.driver.import_update(self.record.container, document.artefact)
        return b""

    def withdraw(self, unit: Unit) -> None:
        """The import was refused and nothing of it is there: it may be tried again."""
        unit.transfers.advance(self.declaration.id, Side.TARGET, State.ACCEPTED)

    def collect(self, evidence: dict[str, Any], returned: bytes | None) -> bytes:
        """The vendor's receipt; asking for it again is documented to work."""
        return self.driver.create_receipt(self.record.container, self.declaration.firm_code)

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """The credit, the signed receipt and the new state in one transaction."""
        declaration = self.declaration
        event, key, taker = self._entry(unit)
        escrow = (Account.ESCROW, declaration.id)
        postings = postings_of(self.record.amounts, item_codes(declaration), escrow, taker)
        unit.ledger.post(event, postings, key, self.operation_id)
        seal_receipt(unit, self.identity, self.record, "installed", collected)
        unit.transfers.advance(declaration.id, Side.TARGET, State.TRANSFERRED)
        self._note_counter(unit, evidence)

    def _entry(self, unit: Unit) -> tuple[Event, str, tuple[Account, str]]:
        declaration, lot = self.declaration, self.declaration.parent
        container = (Account.CONTAINER, self.record.container)
        if not declaration.type.is_borrow:
            return Event.CREDIT, declaration.id, container
        if declaration.mode is not Mode.RETURN or lot is None:
            return Event.CREDIT, declaration.id, (Account.LENT, declaration.id)
        # Early return and expiry share one key, so that only one of them credits the origin.
        if unit.ledger.has(lot, Event.CREDIT_BACK):
            return Event.CREDIT, declaration.id, (Account.LENT, lot)
        return Event.CREDIT_BACK, lot, container


def seal_receipt(
    unit: Unit, identity: Identity, record: TransferRecord, decision: str, artefact: bytes
) -> None:
    """Write the target's word: ``installed`` or ``refused``; durable before it is said."""
    answered = record.documents.get(DocumentKind.TRANSFER)
    declaration, kind = record.declaration, DocumentKind.RECEIPT
    facts = {"decision": decision}
    envelope = seal_in(unit, identity, kind, declaration, artefact, answered, facts)
    unit.transfers.put_document(declaration.id, Side.TARGET, kind, envelope)
