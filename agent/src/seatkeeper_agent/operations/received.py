# SPDX-License-Identifier: GPL-3.0-or-later
"""What a leg of a transfer is brought, held against what this host knows.

A plan checks it as the run does, and writes nothing. It may run ahead of the legs before it, and is
brought nothing then.
"""

from __future__ import annotations

from seatkeeper_agent.domain.exchange import TAKES
from seatkeeper_agent.domain.planned_steps import digest
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import DocumentKind, TransferRecord
from seatkeeper_agent.domain.transfers import Leg, State
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.documents import (
    Document,
    Sent,
    check_answers,
    is_refusal,
    sent_in,
)
from seatkeeper_agent.operations.evidence import Evidence
from seatkeeper_agent.operations.legs import LegRequest, out_of_order
from seatkeeper_agent.operations.refusals import Refusals


class ReceivedDocuments:
    """Reads the documents of legs. All failures are Problems; a run freezes what is proven."""

    def __init__(self, journal: Journal, evidence: Evidence, refusals: Refusals) -> None:
        self._journal = journal
        self._evidence = evidence
        self._refusals = refusals

    def planned(self, wanted: LegRequest, record: TransferRecord | None) -> Document | None:
        """What a plan is brought; None where that is nothing, or where the leg needs no more."""
        if wanted.leg is Leg.INSTALL and self.says_no(wanted, record, is_run=False):
            return self._refusals.check(wanted, record, is_run=False)
        if wanted.document is None:
            return None
        state = State.NONE if record is None else record.state
        match wanted.leg:
            case Leg.ISSUE if state is not State.DEBITING:
                return self.request(wanted, record, is_run=False)
            case Leg.INSTALL if state not in (State.ACCEPTED, State.CREDITING):
                return self.transfer(wanted, record, is_run=False)[0]
            case Leg.CONFIRM if state is not State.CREDITING_BACK:
                return self.receipt(wanted, record, is_run=False)
            case Leg.ACKNOWLEDGE:
                return self.acknowledgement(wanted, record, is_run=False)
        return None

    def says_no(self, wanted: LegRequest, record: TransferRecord | None, is_run: bool) -> bool:
        """Whether the target refuses instead of importing."""
        is_reported = wanted.decision == "refuse"
        return is_reported or self._refusals.ended_on_its_way(wanted, record, is_run)

    def request(self, wanted: LegRequest, record: TransferRecord | None, is_run: bool) -> Document:
        """What the source is asked with."""
        if record is not None and record.state is State.VOID:
            raise out_of_order(wanted, record.state)
        return self._evidence.take(wanted, None, is_run)

    def transfer(
        self, wanted: LegRequest, record: TransferRecord | None, is_run: bool
    ) -> tuple[Document, Sent]:
        """What arrives at a target that has asked for it."""
        if record is None:
            raise out_of_order(wanted, State.NONE)
        requested = record.documents.get(DocumentKind.REQUEST)
        document = self._evidence.take(wanted, requested, is_run)
        with self._journal.reading() as unit:
            older = unit.transfers.superseded_requests(wanted.declaration.id)
        check_answers(document, wanted.declaration, requested, older)
        return document, sent_in(document, wanted.declaration)

    def receipt(
        self, wanted: LegRequest, record: TransferRecord | None, is_run: bool
    ) -> Document | None:
        """What the target has made of it; None where that is kept already."""
        if record is None or record.state is not State.IN_TRANSIT:
            if wanted.document is not None:
                self._evidence.take(wanted, None, is_run)
            raise out_of_order(wanted, State.NONE if record is None else record.state)
        if DocumentKind.RECEIPT in record.documents:
            return None
        sent = record.documents[DocumentKind.TRANSFER]
        document = self._evidence.take(wanted, sent, is_run)
        if not (is_refusal(document) and document.answers is None):
            # A refusal that was said before the transfer came answers none and holds for any.
            check_answers(document, wanted.declaration, sent)
        return document

    def acknowledgement(
        self, wanted: LegRequest, record: TransferRecord | None, is_run: bool
    ) -> Document:
        """The source's last word."""
        if record is None or record.state is not State.TRANSFERRED:
            raise out_of_order(wanted, State.NONE if record is None else record.state)
        received = record.documents[DocumentKind.RECEIPT]
        document = self._evidence.take(wanted, received, is_run)
        check_answers(document, wanted.declaration, received)
        return document

    def refuse_replay(
        self, wanted: LegRequest, record: TransferRecord | None, is_run: bool
    ) -> None:
        """A leg that is past takes the very document that it took, and no other."""
        kind = TAKES.get(wanted.leg)
        known = None if kind is None or record is None else record.documents.get(kind)
        if wanted.document is None or known is None or digest(known) == digest(wanted.document):
            return
        if wanted.leg is Leg.ISSUE:
            # A target makes a stale request anew; what was issued for the older one still counts.
            self._evidence.take(wanted, None, is_run)
            return
        raise Problem(
            ProblemCode.DOCUMENT_REPLAYED,
            f"The {wanted.leg.value} of {wanted.subject} was done with another document than the"
            " one given now.",
            "Do not change or mix documents; nothing was done.",
        )
