# SPDX-License-Identifier: GPL-3.0-or-later
"""The effects of a transfer: debit, credit, confirm and credit back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seatkeeper_agent.domain.licenses import HistoryRow, HistoryStatus, Measure
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import (
    Account,
    DocumentKind,
    Event,
    Posting,
    TransferRecord,
)
from seatkeeper_agent.domain.transfers import Declaration, Mode, Side, State, moved_amounts
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.documents import seal, unseal
from seatkeeper_agent.operations.observations import (
    Sight,
    note_counter,
    reconcile,
    refuse_rollback,
    the_item,
)
from seatkeeper_agent.operations.ports import DriverUnsupported, LicenseDriver, TransferOrder
from seatkeeper_agent.operations.steps import Probe, Verdict


@dataclass(frozen=True)
class TransferStep:
    """What all steps of a transfer know."""

    driver: LicenseDriver
    identity: Identity
    record: TransferRecord
    operation_id: str

    @property
    def declaration(self) -> Declaration:
        """What was declared."""
        return self.record.declaration

    def _history(self) -> list[HistoryRow]:
        item = self.declaration.item
        return self.driver.history(self.record.container, item.firm_code, item.product_code)

    def _sight(self) -> Sight:
        return Sight.take(self.driver, self.record.container, self.declaration)

    def _done(self, **evidence: Any) -> Probe:
        return Probe(Verdict.DONE, {**evidence, "counter": self._sight().update_counter})

    def _reconcile(self, unit: Unit, baseline: dict[str, Any]) -> None:
        seen, container = baseline["seen"], self.record.container
        refuse_rollback(unit, container, self.declaration.firm_code, seen["update_counter"])
        owned = {Measure(name): amount for name, amount in seen["owned"].items()}
        reconcile(unit, self.driver.vendor, container, item_codes(self.declaration), owned)

    def _note_counter(self, unit: Unit, evidence: dict[str, Any]) -> None:
        firm_code = self.declaration.firm_code
        note_counter(unit, self.record.container, firm_code, evidence["counter"])

    def _row(self) -> HistoryRow | None:
        wanted = self.record.vendor_transfer_id
        rows = [row for row in self._history() if row.transfer_id == wanted]
        return rows[-1] if rows else None

    def _subject(self) -> str:
        return f"transfer {self.declaration.name!r}"

    def baseline(self) -> dict[str, Any]:
        """Nothing to compare with, unless a step says otherwise."""
        return {}

    def intend(self, unit: Unit, baseline: dict[str, Any]) -> None:
        """Nothing besides the intent, unless a step says otherwise."""

    def withdraw(self, unit: Unit) -> None:
        """Nothing to take back, unless a step says otherwise."""

    def collect(self, evidence: dict[str, Any], returned: bytes | None) -> bytes:
        """Nothing besides, unless a step says otherwise."""
        return b""


def _seen(sight: Sight) -> dict[str, Any]:
    owned = {measure.value: sight.owned(measure) for measure in Measure}
    return {"owned": owned, "update_counter": sight.update_counter}


def _postings(
    amounts: dict[Measure, int],
    item: str,
    giver: tuple[Account, str],
    taker: tuple[Account, str],
) -> list[Posting]:
    return [
        Posting(account, reference, item, measure, sign * amount)
        for measure, amount in amounts.items()
        for sign, (account, reference) in ((-1, giver), (1, taker))
    ]


def item_codes(declaration: Declaration) -> str:
    """How the ledger names an item: its codes without the reference."""
    return f"{declaration.item.firm_code}:{declaration.item.product_code}"


@dataclass(frozen=True)
class Debit(TransferStep):
    """The source's effect: the amount leaves the container into escrow.

    ``reversible`` says whether the licensor lets it come back; ``parent_vendor_id`` is the
    vendor's id of the transfer that a return undoes or an extension prolongs.
    """

    name = "debit"

    reversible: bool
    parent_vendor_id: str | None

    @property
    def title(self) -> str:
        """For people."""
        return f"debiting {self.declaration.item} in {self.record.container}"

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Recognise the history row that appeared since the intent."""
        if baseline is None:
            return Probe(Verdict.NOT_DONE)
        target = self.declaration.target.container
        rows = [
            row
            for row in self._history()
            if row.transfer_id not in baseline["known"]
            and row.container == target
            and row.type == self.declaration.type.value
        ]
        if not rows:
            return Probe(Verdict.NOT_DONE)
        if len(rows) > 1:
            reason = f"{len(rows)} new rows in the vendor's history could be it"
            return Probe(Verdict.UNKNOWN, reason=reason)
        row = rows[0]
        return self._done(
            transfer_id=row.transfer_id,
            update_counter=row.update_counter,
            amounts=baseline["amounts"],
            item=baseline["item"],
        )

    def baseline(self) -> dict[str, Any]:
        """The history before, the exact item, and what will leave it."""
        sight = self._sight()
        item = the_item(sight, self.declaration, self.parent_vendor_id)
        amounts = moved_amounts(self.declaration, item)
        return {
            "item": str(item.key),
            "known": [row.transfer_id for row in self._history()],
            "seen": _seen(sight),
            "amounts": {measure.value: amount for measure, amount in amounts.items()},
        }

    def intend(self, unit: Unit, baseline: dict[str, Any]) -> None:
        """From here on the transfer may have been debited."""
        self._reconcile(unit, baseline)
        unit.transfers.advance(self.declaration.id, Side.SOURCE, State.DEBITING)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Ask the runtime to do the transfer."""
        return self._do_transfer(baseline["item"])

    def withdraw(self, unit: Unit) -> None:
        """Nothing left the container."""
        unit.transfers.advance(self.declaration.id, Side.SOURCE, State.CREATED)

    def collect(self, evidence: dict[str, Any], returned: bytes | None) -> bytes:
        """The update; after an interruption it can only be had by asking once more."""
        if returned is not None:
            return returned
        if not self.driver.update_is_repeatable:
            raise Problem(
                ProblemCode.UPDATE_NOT_REPEATABLE,
                f"The {self._subject()} was debited, but the update that carries it was lost in"
                " an interruption, and whether the runtime gives it again is not documented.",
                "Ask the licensor, or set update_is_repeatable in the agent's settings if your"
                " runtime is known to repeat it, then run the playbook again.",
            )
        update = self._do_transfer(evidence["item"])
        again = self._row_count(evidence["transfer_id"])
        if again != 1:
            raise Problem(
                ProblemCode.IN_DOUBT,
                f"The {self._subject()} stands {again} times in the vendor's history after its"
                " update was asked for again.",
                "Ask the licensor which of them counts; the container stays frozen.",
            )
        return update

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """Escrow, the signed document and the new state in one transaction."""
        declaration = self.declaration
        amounts = {Measure(name): amount for name, amount in evidence["amounts"].items()}
        giver = self._giver()
        unit.ledger.post(
            Event.DEBIT,
            _postings(amounts, item_codes(declaration), giver, (Account.ESCROW, declaration.id)),
            declaration.id,
            self.operation_id,
        )
        unit.transfers.note(
            declaration.id,
            Side.SOURCE,
            amounts,
            evidence["transfer_id"],
            evidence["update_counter"],
        )
        facts = {
            "amounts": evidence["amounts"],
            "vendor_transfer_id": evidence["transfer_id"],
            "vendor_update_counter": evidence["update_counter"],
        }
        request = self.record.documents[DocumentKind.REQUEST]
        envelope = seal(
            self.identity,
            DocumentKind.TRANSFER,
            declaration,
            collected,
            request,
            facts,
            unit.audit.head(),
        )
        unit.transfers.put_document(declaration.id, Side.SOURCE, DocumentKind.TRANSFER, envelope)
        unit.transfers.advance(declaration.id, Side.SOURCE, State.IN_TRANSIT)
        self._note_counter(unit, evidence)

    def _giver(self) -> tuple[Account, str]:
        lot = self.declaration.parent
        if self.declaration.mode is Mode.RETURN and self.declaration.type.is_borrow and lot:
            return Account.LENT, lot
        return Account.CONTAINER, self.record.container

    def _lot_index(self) -> int | None:
        if self.declaration.mode is not Mode.EXTEND:
            return None
        rows = [row for row in self._history() if row.transfer_id == self.parent_vendor_id]
        return rows[-1].index if rows else None

    def _row_count(self, transfer_id: str) -> int:
        return sum(row.transfer_id == transfer_id for row in self._history())

    def _do_transfer(self, item_text: str) -> bytes:
        declaration = self.declaration
        request = unseal(
            self.identity,
            DocumentKind.REQUEST,
            declaration,
            self.record.documents[DocumentKind.REQUEST],
        )
        found = (item for item in self._sight().items if str(item.key) == item_text)
        item = next(found, None)
        if item is None:
            raise DriverUnsupported(f"the item {item_text} is no longer in the container")
        order = TransferOrder(
            declaration.type,
            declaration.mode,
            declaration.quantity,
            declaration.until,
            self._lot_index(),
        )
        return self.driver.do_transfer(self.record.container, item, order, request.artefact)


class Credit(TransferStep):
    """The target's effect: what the update brings enters the container."""

    name = "credit"
    reversible = True

    @property
    def title(self) -> str:
        """For people."""
        return f"crediting {self.declaration.item} in {self.record.container}"

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Look for the transfer's own row, which the import writes."""
        if baseline is None:
            return Probe(Verdict.NOT_DONE)
        fresh = [row for row in self._history() if row.transfer_id not in baseline["known"]]
        own = [row for row in fresh if row.transfer_id == self.record.vendor_transfer_id]
        if own:
            return self._done(transfer_id=own[-1].transfer_id)
        source = self.declaration.source.container
        others = [row for row in fresh if row.container == source]
        if not others:
            return Probe(Verdict.NOT_DONE)
        if len(others) > 1:
            reason = f"{len(others)} new rows in the vendor's history could be it"
            return Probe(Verdict.UNKNOWN, reason=reason)
        return self._done(transfer_id=others[0].transfer_id)

    def baseline(self) -> dict[str, Any]:
        """The history before the import."""
        known = [row.transfer_id for row in self._history()]
        return {"known": known, "seen": _seen(self._sight())}

    def intend(self, unit: Unit, baseline: dict[str, Any]) -> None:
        """From here on the update may have been imported."""
        self._reconcile(unit, baseline)
        unit.transfers.advance(self.declaration.id, Side.TARGET, State.CREDITING)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Import the update."""
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
        postings = _postings(self.record.amounts, item_codes(declaration), escrow, taker)
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
    envelope = seal(
        identity,
        DocumentKind.RECEIPT,
        record.declaration,
        artefact,
        record.documents.get(DocumentKind.TRANSFER),
        {"decision": decision},
        unit.audit.head(),
    )
    unit.transfers.put_document(record.declaration.id, Side.TARGET, DocumentKind.RECEIPT, envelope)


class Confirm(TransferStep):
    """The source's second effect: the receipt closes the vendor's history row."""

    name = "confirm"
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
        envelope = seal(
            self.identity,
            DocumentKind.ACKNOWLEDGEMENT,
            self.declaration,
            b"",
            self.record.documents[DocumentKind.RECEIPT],
            {},
            unit.audit.head(),
        )
        unit.transfers.put_document(
            self.declaration.id, Side.SOURCE, DocumentKind.ACKNOWLEDGEMENT, envelope
        )
        unit.transfers.advance(self.declaration.id, Side.SOURCE, State.RECEIPTED)
        self._note_counter(unit, evidence)

    def _undo_early_expiry(self, unit: Unit) -> None:
        # An expiry before the receipt took the seats for never installed; they were lent.
        declaration = self.declaration
        if declaration.type.is_borrow and unit.ledger.has(declaration.id, Event.CREDIT_BACK):
            lent, escrow = (Account.LENT, declaration.id), (Account.ESCROW, declaration.id)
            postings = _postings(self.record.amounts, item_codes(declaration), lent, escrow)
            unit.ledger.post(Event.CREDIT, postings, declaration.id, self.operation_id)


class CreditBack(TransferStep):
    """After the target's refusal: the seats come back. No documented function does that."""

    name = "credit_back"
    reversible = True

    @property
    def title(self) -> str:
        """For people."""
        return f"crediting {self.declaration.item} back in {self.record.container}"

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """The licensor's correction shows as the row taken out of the history.

        A borrow whose time has passed fell back by itself (grade D).
        """
        row = self._row()
        if row is None:
            return Probe(Verdict.UNKNOWN, reason="the transfer's row is missing from the history")
        ended = row.borrow_expires_at
        if row.status is HistoryStatus.CREATED:
            return self._done()
        if ended is not None and ended <= self.driver.clock(self.record.container).box_at:
            return self._done()
        return Probe(Verdict.NOT_DONE)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Refused: the facts name no such function."""
        raise DriverUnsupported(
            f"{self._subject()} was refused by its target, and the vendor documents no way to"
            " cancel a transfer that is on its way"
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

    ``held`` is what the ledger has in the container, per measure.
    """

    name = "expire"
    reversible = True

    held: dict[str, int]

    @property
    def title(self) -> str:
        """For people."""
        return f"the fall-back of {self.declaration.item} to {self.record.container}"

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """The seats are there again beside what the ledger knew before."""
        if baseline is None:
            return Probe(Verdict.NOT_DONE)
        seen = {measure.value: self._sight().owned(measure) for measure in Measure}
        amounts = {measure.value: amount for measure, amount in self.record.amounts.items()}
        back = all(seen[name] - baseline["held"][name] >= n for name, n in amounts.items())
        return self._done() if back else Probe(Verdict.NOT_DONE)

    def baseline(self) -> dict[str, Any]:
        """What the ledger holds; the service has put it in."""
        return {"held": self.held}

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Nothing: the product does it."""
        return b""

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """Shares its key with the early return, so that only one of them counts."""
        received = self.record.state is State.RECEIPTED
        giver = Account.LENT if received else Account.ESCROW
        post_credit_back(unit, self.record, giver, self.operation_id)
        self._note_counter(unit, evidence)


def post_credit_back(unit: Unit, record: TransferRecord, giver: Account, operation_id: str) -> None:
    """The one credit-back that a transfer can have."""
    declaration = record.declaration
    postings = _postings(
        record.amounts,
        item_codes(declaration),
        (giver, declaration.id),
        (Account.CONTAINER, record.container),
    )
    unit.ledger.post(Event.CREDIT_BACK, postings, declaration.id, operation_id)
