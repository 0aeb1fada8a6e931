# SPDX-License-Identifier: GPL-3.0-or-later
"""What the steps of a transfer share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seatkeeper_agent.domain.licenses import HistoryRow, Measure
from seatkeeper_agent.domain.planned_steps import Performer
from seatkeeper_agent.domain.records import (
    Account,
    Posting,
    TransferRecord,
)
from seatkeeper_agent.domain.transfers import Declaration
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.observations import (
    ItemObservation,
    ended_lots,
    note_counter,
    reconcile,
    refuse_rollback,
    refuse_vanished,
)
from seatkeeper_agent.operations.ports import LicenseDriver
from seatkeeper_agent.operations.steps import Probe, Verdict


@dataclass(frozen=True)
class TransferStep:
    """What all steps of a transfer know."""

    driver: LicenseDriver
    identity: Identity
    record: TransferRecord
    operation_id: str

    performer = Performer.AGENT
    instructions = None
    said = None

    @property
    def arguments(self) -> dict[str, Any]:
        """None besides the transfer, unless a step says otherwise."""
        return {}

    @property
    def declaration(self) -> Declaration:
        """What was declared."""
        return self.record.declaration

    def _history(self) -> list[HistoryRow]:
        item = self.declaration.item
        return self.driver.history(self.record.container, item.firm_code, item.product_code)

    def _observation(self) -> ItemObservation:
        return ItemObservation.take(self.driver, self.record.container, self.declaration)

    def _seen(self, observation: ItemObservation) -> dict[str, Any]:
        owned = {measure.value: observation.owned(measure) for measure in Measure}
        box_at = self.driver.clock(observation.container).box_at
        return {"owned": owned, "update_counter": observation.update_counter, "box_at": box_at}

    def _done(self, **evidence: Any) -> Probe:
        counters = self.driver.firm_items(self.record.container)
        counter = counters.get(self.declaration.firm_code, 0)
        return Probe(Verdict.DONE, {**evidence, "counter": counter})

    def _refuse_rolled_back(self, unit: Unit, baseline: dict[str, Any]) -> None:
        """Problem for a container that went back in time."""
        seen, container, codes = baseline["seen"], self.record.container, self._codes
        refuse_rollback(unit, container, self.declaration.firm_code, seen["update_counter"])
        owned = _amounts(seen)
        ended = ended_lots(unit, container, codes, seen["box_at"])
        refuse_vanished(unit, container, codes, frozenset(baseline["known"]), owned, ended)

    def _reconcile(self, unit: Unit, baseline: dict[str, Any]) -> None:
        """Post what changed outside of Seatkeeper; rows that are rightly gone are forgotten."""
        seen, container, codes = baseline["seen"], self.record.container, self._codes
        ended = ended_lots(unit, container, codes, seen["box_at"])
        gone = unit.vendor_rows.known(container, codes) - frozenset(baseline["known"])
        if gone:
            unit.vendor_rows.forget(container, codes, gone)
        reconcile(unit, self.driver.vendor, container, codes, _amounts(seen), ended)

    def _note_counter(self, unit: Unit, evidence: dict[str, Any]) -> None:
        firm_code = self.declaration.firm_code
        note_counter(unit, self.record.container, firm_code, evidence["counter"])
        if "transfer_id" in evidence:
            unit.vendor_rows.put(self.record.container, self._codes, evidence["transfer_id"])

    @property
    def _codes(self) -> str:
        return item_codes(self.declaration)

    def _row(self) -> HistoryRow | None:
        wanted = self.record.vendor_transfer_id
        rows = [row for row in self._history() if row.transfer_id == wanted]
        return rows[-1] if rows else None

    def _subject(self) -> str:
        return f"transfer {self.declaration.name!r}"

    def baseline(self) -> dict[str, Any]:
        """Nothing to compare with, unless a step says otherwise."""
        return {}

    def require_allowed(self, unit: Unit, baseline: dict[str, Any]) -> None:
        """Nothing forbids it, unless a step says otherwise."""

    def intend(self, unit: Unit, baseline: dict[str, Any]) -> None:
        """Nothing besides the intent, unless a step says otherwise."""

    def withdraw(self, unit: Unit) -> None:
        """Nothing to take back, unless a step says otherwise."""

    def collect(self, evidence: dict[str, Any], returned: bytes | None) -> bytes:
        """Nothing besides, unless a step says otherwise."""
        return b""


def _amounts(seen: dict[str, Any]) -> dict[Measure, int]:
    return {Measure(name): amount for name, amount in seen["owned"].items()}


def postings_of(
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
