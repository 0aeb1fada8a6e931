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
from seatkeeper_agent.operations.legs import LegOrder, out_of_order
from seatkeeper_agent.operations.transfer_steps import seal_receipt
from seatkeeper_agent.operations.transfer_steps.base import item_codes
from seatkeeper_agent.operations.works import Works

_REFUSABLE = (State.REQUESTED, State.ACCEPTED, State.VOID)


class Refusals:
    """What a target does instead of an import; only while nothing was imported."""

    def __init__(
        self,
        journal: Journal,
        identity: Identity,
        checks: Checks,
        works: Works,
        evidence: Evidence,
    ) -> None:
        self._journal = journal
        self._identity = identity
        self._checks = checks
        self._works = works
        self._evidence = evidence

    def ended_on_its_way(
        self, order: LegOrder, record: TransferRecord | None, is_run: bool
    ) -> bool:
        """Whether a borrow's end came before the borrow, so that nothing can be imported any more.

        By the container's own clock, which is the product's.
        """
        if record is None or record.state not in _REFUSABLE or not self.has_ended(order):
            return False
        vendor_id = self._vendor_id(order, record, is_run)
        if vendor_id is None:
            return False
        with self._journal.reading() as unit:
            known = unit.vendor_rows.known(order.here.container, item_codes(order.declaration))
        # Nobody told the agent to refuse, so any row that may be it is enough to go on instead.
        looks = (self._checks.is_installed(order, which, known) for which in (vendor_id, None))
        return not any(looks)

    def has_ended(self, order: LegOrder) -> bool:
        """Whether what is to be imported is of no use any more; a late return still is."""
        declaration = order.declaration
        ends = declaration.until is not None and declaration.mode is not Mode.RETURN
        return order.leg is Leg.INSTALL and ends and self._checks.has_ended(declaration)

    def _vendor_id(
        self, order: LegOrder, record: TransferRecord | None, is_run: bool
    ) -> str | None:
        """The vendor's id of what arrives; None while its document was not seen here."""
        if record is not None and record.vendor_transfer_id is not None:
            return record.vendor_transfer_id
        if order.document is None:
            return None
        document = self._evidence.take(order, _document(record, DocumentKind.REQUEST), is_run)
        return sent_in(document, order.declaration).vendor_transfer_id

    def check(
        self, order: LegOrder, record: TransferRecord | None, is_run: bool
    ) -> Document | None:
        """The document that is refused, if it was brought; only while nothing was imported."""
        if record is not None and record.state not in _REFUSABLE:
            raise out_of_order(order, record.state)
        asked = _document(record, DocumentKind.REQUEST)
        document = None if order.document is None else self._evidence.take(order, asked, is_run)
        with self._journal.reading() as unit:
            known = unit.vendor_rows.known(order.here.container, item_codes(order.declaration))
        self._checks.not_installed(order, self._vendor_id(order, record, is_run), known)
        return document

    def refuse(self, order: LegOrder, record: TransferRecord | None) -> None:
        """The target's durable no: written first, then said."""
        document, declaration = self.check(order, record, is_run=True), order.declaration
        with self._journal.transaction() as unit:
            if record is None:
                unit.transfers.insert(declaration, Side.TARGET, State.REFUSED)
            else:
                self._works.abandon(unit, record)
                if record.declaration != declaration:
                    unit.transfers.correct(declaration, Side.TARGET)
                unit.transfers.advance(declaration.id, Side.TARGET, State.REFUSED)
            if document is not None and _document(record, DocumentKind.TRANSFER) is None:
                self._evidence.keep(unit, unit.transfers.put_document, order, document)
            present = unit.transfers.get(declaration.id, Side.TARGET)
            if present is not None:
                seal_receipt(unit, self._identity, present, "refused", b"")
            unit.audit.append(order.actor, "refused", order.subject, {})


def _document(record: TransferRecord | None, kind: DocumentKind) -> Envelope | None:
    return None if record is None else record.documents.get(kind)
