# SPDX-License-Identifier: GPL-3.0-or-later
"""The target's durable no: as it was told, or by itself to a borrow that ended on its way."""

from __future__ import annotations

from seatkeeper_agent.domain.records import DocumentKind, Envelope, TransferRecord
from seatkeeper_agent.domain.transfers import Leg, Mode, Side, State
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.checks import Checks
from seatkeeper_agent.operations.documents import Document, sent_in
from seatkeeper_agent.operations.evidence import Evidence
from seatkeeper_agent.operations.legs import LegRequest, out_of_order
from seatkeeper_agent.operations.transfer_operations import TransferOperations
from seatkeeper_agent.operations.transfer_steps import seal_receipt
from seatkeeper_agent.operations.transfer_steps.base import item_codes

_REFUSABLE = (State.REQUESTED, State.ACCEPTED, State.VOID)


class Refusals:
    """What a target does instead of an import; only while nothing was imported."""

    def __init__(
        self,
        journal: Journal,
        identity: Identity,
        checks: Checks,
        transfer_operations: TransferOperations,
        evidence: Evidence,
    ) -> None:
        self._journal = journal
        self._identity = identity
        self._checks = checks
        self._transfer_operations = transfer_operations
        self._evidence = evidence

    def ended_on_its_way(
        self, request: LegRequest, record: TransferRecord | None, is_run: bool
    ) -> bool:
        """Whether a borrow's end came before the borrow, so that nothing can be imported any more.

        By the container's own clock, which is the product's.
        """
        if record is None or record.state not in _REFUSABLE or not self.has_ended(request):
            return False
        vendor_id = self._vendor_id(request, record, is_run)
        if vendor_id is None:
            return False
        with self._journal.reading() as unit:
            known = unit.vendor_rows.known(request.here.container, item_codes(request.declaration))
        # Nobody told the agent to refuse, so any row that may be it is enough to go on instead.
        looks = (self._checks.is_installed(request, which, known) for which in (vendor_id, None))
        return not any(looks)

    def has_ended(self, request: LegRequest) -> bool:
        """Whether what is to be imported is of no use any more; a late return still is."""
        declaration = request.declaration
        ends = declaration.until is not None and declaration.mode is not Mode.RETURN
        return request.leg is Leg.INSTALL and ends and self._checks.has_ended(declaration)

    def _vendor_id(
        self, request: LegRequest, record: TransferRecord | None, is_run: bool
    ) -> str | None:
        """The vendor's id of what arrives; None while its document was not seen here."""
        if record is not None and record.vendor_transfer_id is not None:
            return record.vendor_transfer_id
        if request.document is None:
            return None
        document = self._evidence.take(request, _document(record, DocumentKind.REQUEST), is_run)
        return sent_in(document, request.declaration).vendor_transfer_id

    def check(
        self, request: LegRequest, record: TransferRecord | None, is_run: bool
    ) -> Document | None:
        """The document that is refused, if it was brought; only while nothing was imported."""
        if record is not None and record.state not in _REFUSABLE:
            raise out_of_order(request, record.state)
        requested = _document(record, DocumentKind.REQUEST)
        document = (
            None if request.document is None else self._evidence.take(request, requested, is_run)
        )
        with self._journal.reading() as unit:
            known = unit.vendor_rows.known(request.here.container, item_codes(request.declaration))
        self._checks.not_installed(request, self._vendor_id(request, record, is_run), known)
        return document

    def refuse(self, request: LegRequest, record: TransferRecord | None) -> None:
        """The target's durable no: written first, then said."""
        document, declaration = self.check(request, record, is_run=True), request.declaration
        with self._journal.transaction() as unit:
            if record is None:
                unit.transfers.insert(declaration, Side.TARGET, State.REFUSED)
            else:
                self._transfer_operations.abandon(unit, record)
                if record.declaration != declaration:
                    unit.transfers.correct(declaration, Side.TARGET)
                unit.transfers.advance(declaration.id, Side.TARGET, State.REFUSED)
            if document is not None and _document(record, DocumentKind.TRANSFER) is None:
                self._evidence.keep(unit, unit.transfers.put_document, request, document)
            present = unit.transfers.get(declaration.id, Side.TARGET)
            if present is not None:
                seal_receipt(unit, self._identity, present, "refused", b"")
            unit.audit.append(request.actor, "refused", request.subject, {})


def _document(record: TransferRecord | None, kind: DocumentKind) -> Envelope | None:
    return None if record is None else record.documents.get(kind)
