# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking up what was interrupted, and noticing borrows that have ended."""

from __future__ import annotations

import time
from collections.abc import Callable

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import (
    OperationRecord,
    OperationState,
    TransferRecord,
)
from seatkeeper_agent.domain.transfers import Mode, Side, State
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.journal.counters import container_counters
from seatkeeper_agent.operations.engine import driver_problem
from seatkeeper_agent.operations.evidence import exchange_with, settle
from seatkeeper_agent.operations.legs import subject, unknown
from seatkeeper_agent.operations.observations import ItemObservation
from seatkeeper_agent.operations.ports import DriverError, LicenseDriver
from seatkeeper_agent.operations.transfer_operations import (
    KIND_OF_STATE,
    TransferOperations,
    freeze_owed,
    operation_id,
)

MARGIN_SECONDS = 60
"""How much later than its end the origin takes a borrow for ended: the holder ends first."""

RESUMED_MAX = 1_000

_INTERRUPTED = (State.DEBITING, State.CREDITING, State.CREDITING_BACK)


class Recovery:
    """Drives on what an interruption left behind; the same steps as the forward path."""

    def __init__(
        self,
        journal: Journal,
        driver: LicenseDriver,
        transfer_operations: TransferOperations,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._journal = journal
        self._driver = driver
        self._transfer_operations = transfer_operations
        self._clock = clock

    def resume(self, transfer_id: str, actor: str) -> list[str]:
        """Drive the interrupted legs of one transfer on; gives the operations that ran."""
        with self._journal.reading() as unit:
            records = unit.transfers.both(transfer_id)
        if not records:
            raise unknown(transfer_id)
        driven = (self._drive(record, actor) for record in records)
        return [operation for operation in driven if operation is not None]

    def resume_all(self, actor: str) -> tuple[list[str], list[Problem]]:
        """Drive everything interrupted on; one that cannot go on does not stop the others."""
        with self._journal.reading() as unit:
            records = unit.transfers.page(only_open=True, after="", limit=RESUMED_MAX)
        done: list[str] = []
        problems: list[Problem] = []
        freeze_owed(self._journal)
        for record in records:
            try:
                operation = self._drive(record, actor)
            except Problem as problem:
                problems.append(problem)
                continue
            if operation is not None:
                done.append(operation)
        try:
            self.close_ended(actor)
            done += self.expire_due(actor)
        except Problem as problem:
            problems.append(problem)
        return done, problems

    def close_ended(self, actor: str) -> list[str]:
        """Give up what this host asked for, never got, and could not use any more: its end is past.

        A target that gave up still takes what was debited before. Problem while the host's clock
        cannot be right.
        """
        now = int(self._clock())
        with self._journal.reading() as unit:
            records = unit.transfers.ended_before(now - MARGIN_SECONDS, RESUMED_MAX)
        return [record.declaration.id for record in records if self._close(record, actor)]

    def _close(self, record: TransferRecord, actor: str) -> bool:
        declaration = record.declaration
        with self._transfer_operations.held(declaration), self._journal.transaction() as unit:
            present = unit.transfers.get(declaration.id, record.side)
            if present is None or present != record:
                return False
            unit.transfers.advance(declaration.id, record.side, State.VOID)
            unit.audit.append(actor, "ended", subject(declaration), {})
        return True

    def expire_due(self, actor: str) -> list[str]:
        """Post the borrows whose time has passed and whose seats are seen to be back.

        Problem while the host's clock cannot be right.
        """
        now = int(self._clock())
        with self._journal.reading() as unit:
            records = unit.transfers.lent_before(now - MARGIN_SECONDS, RESUMED_MAX)
        done: list[str] = []
        for record in records:
            held = self._transfer_operations.held_by(record)
            if self._is_prolonged(record, now) or not self._is_back(record, held):
                continue
            try:
                done.append(self._transfer_operations.expire(record, actor))
            except Problem:
                # Held by other work or not answering: the next run looks again.
                continue
        return done

    def attest(self, operation: str, statement: str, actor: str) -> OperationRecord:
        """A person's word that a container or exchange that was rolled back may be used again.

        Only what was frozen for that reason can be attested; everything else is decided by
        what can be observed.
        """
        with self._journal.reading() as unit:
            found = unit.operations.get(operation)
        document = {} if found is None or found.problem is None else found.problem
        if found is None or document.get("code") != ProblemCode.SNAPSHOT_ROLLED_BACK.value:
            raise Problem(
                ProblemCode.OPERATION_UNKNOWN,
                f"The operation {operation} is not one that was frozen after a rolled-back"
                " snapshot.",
                "Run the playbook again: other operations go on by what can be observed.",
            )
        is_exchange = found.holds == exchange_with(str(document.get("peer")))
        shown = {} if is_exchange else self._shown(found.holds)
        with self._journal.transaction() as unit:
            settle(unit, document)
            for firm_code, update_counter in shown.items():
                holder = container_counters(found.holds)
                unit.counters.accept(holder, str(firm_code), update_counter)
            for codes in unit.vendor_rows.codes(found.holds):
                known = unit.vendor_rows.known(found.holds, codes)
                unit.vendor_rows.forget(found.holds, codes, known)
            unit.operations.set_state(operation, OperationState.FAILED, found.problem)
            unit.audit.append(actor, "attested", found.subject, {"statement": statement})
        return found

    def _shown(self, container: str) -> dict[int, int]:
        try:
            return self._driver.firm_items(container)
        except DriverError as error:
            raise driver_problem(f"reading {container}", error) from error

    def open_operations(self) -> list[OperationRecord]:
        """What still holds a container."""
        with self._journal.reading() as unit:
            return unit.operations.page(only_open=True, after="", limit=RESUMED_MAX)

    def _drive(self, record: TransferRecord, actor: str) -> str | None:
        # Looked at again under the transfer's lock: a leg may have come first.
        with self._transfer_operations.held(record.declaration):
            with self._journal.reading() as unit:
                present = unit.transfers.get(record.declaration.id, record.side)
            if present is None or not self._is_due(present):
                return None
            return self._transfer_operations.resume(present, actor)

    def _is_due(self, record: TransferRecord) -> bool:
        if record.state in _INTERRUPTED:
            return True
        kind = KIND_OF_STATE.get(record.state)
        if kind is None:
            return False
        with self._journal.reading() as unit:
            holder = unit.operations.holding(record.container)
        return holder is not None and holder.id == operation_id(record.declaration.id, kind)

    def _is_prolonged(self, record: TransferRecord, now: int) -> bool:
        with self._journal.reading() as unit:
            later = unit.transfers.children(record.declaration.id, Side.SOURCE, Mode.EXTEND)
        return any(
            entry.state in (State.DEBITING, State.IN_TRANSIT, State.RECEIPTED)
            and (entry.declaration.until or 0) >= now - MARGIN_SECONDS
            for entry in later
        )

    def _is_back(self, record: TransferRecord, held: dict[str, int]) -> bool:
        try:
            observation = ItemObservation.take(self._driver, record.container, record.declaration)
        except DriverError:
            return False
        return all(
            observation.owned(measure) - held[measure.value] >= amount
            for measure, amount in record.amounts.items()
        )
