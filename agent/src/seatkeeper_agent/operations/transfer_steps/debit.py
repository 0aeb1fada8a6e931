# SPDX-License-Identifier: GPL-3.0-or-later
"""The source's effect: what is transferred leaves its container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seatkeeper_agent.domain.licenses import HistoryRow, HistoryStatus, Measure
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import (
    Account,
    DocumentKind,
    Event,
)
from seatkeeper_agent.domain.transfers import Mode, Side, State, moved_amounts
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.documents import seal_in, unseal
from seatkeeper_agent.operations.observations import (
    the_item,
)
from seatkeeper_agent.operations.ports import DriverUnsupported, TransferCommand
from seatkeeper_agent.operations.steps import Probe, Verdict
from seatkeeper_agent.operations.transfer_steps.base import (
    TransferStep,
    item_codes,
    postings_of,
)

_CONFIRMED = (HistoryStatus.TRANSFERRED, HistoryStatus.TRANSFERRED_AND_RECEIPTED)


@dataclass(frozen=True)
class Debit(TransferStep):
    """The source's effect: the amount leaves the container into escrow.

    ``reversible`` says whether the licensor lets it come back; ``parent_vendor_id`` is the
    vendor's id of the transfer that a return undoes or an extension prolongs.
    """

    type = name = "debit"

    reversible: bool
    parent_vendor_id: str | None

    @property
    def arguments(self) -> dict[str, Any]:
        """As they were when it was planned."""
        return {"reversible": self.reversible, "parent_vendor_id": self.parent_vendor_id}

    @property
    def title(self) -> str:
        """For people."""
        return f"debiting {self.declaration.item} in {self.record.container}"

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Recognise the history row that appeared since the intent.

        What just left is in transit; a row that is not may have come in from the target.
        """
        if baseline is None:
            return Probe(Verdict.NOT_DONE)
        appeared = self._appeared(baseline)
        rows = [row for row in appeared if row.status not in _CONFIRMED]
        if not rows:
            return self._not_in_transit(baseline) if appeared else Probe(Verdict.NOT_DONE)
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

    def _not_in_transit(self, baseline: dict[str, Any]) -> Probe:
        """What is new came in from the target, if nothing of the amount is missing."""
        before, amounts = baseline["seen"]["owned"], baseline["amounts"]
        observation = self._observation()
        missing = [name for name in amounts if observation.owned(Measure(name)) < before[name]]
        if amounts and not missing:
            return Probe(Verdict.NOT_DONE)
        reason = "a new row in the vendor's history may have come in or left"
        return Probe(Verdict.UNKNOWN, reason=reason)

    def _appeared(self, baseline: dict[str, Any]) -> list[HistoryRow]:
        """The new rows of the target and the type, arrivals aside."""
        target = self.declaration.target.container
        return [
            row
            for row in self._history()
            if row.transfer_id not in baseline["known"]
            and not row.is_arrival
            and row.container == target
            and row.type == self.declaration.type.value
        ]

    def baseline(self) -> dict[str, Any]:
        """The history before, the exact item, and what will leave it."""
        self.driver.require_transfer(self.record.container, self.declaration.type, sends=True)
        observation = self._observation()
        item = the_item(observation, self.declaration, self.parent_vendor_id)
        amounts = moved_amounts(self.declaration, item)
        return {
            "item": str(item.key),
            "known": [row.transfer_id for row in self._history()],
            "seen": self._seen(observation),
            "amounts": {measure.value: amount for measure, amount in amounts.items()},
        }

    def require_allowed(self, unit: Unit, baseline: dict[str, Any]) -> None:
        """A container that went back in time is left alone."""
        self._refuse_rolled_back(unit, baseline)

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
            postings_of(amounts, item_codes(declaration), giver, (Account.ESCROW, declaration.id)),
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
        envelope = seal_in(
            unit, self.identity, DocumentKind.TRANSFER, declaration, collected, request, facts
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
        found = (item for item in self._observation().items if str(item.key) == item_text)
        item = next(found, None)
        if item is None:
            raise DriverUnsupported(f"the item {item_text} is no longer in the container")
        command = TransferCommand(
            declaration.type,
            declaration.mode,
            declaration.quantity,
            declaration.until,
            self._lot_index(),
        )
        return self.driver.do_transfer(self.record.container, item, command, request.artefact)
