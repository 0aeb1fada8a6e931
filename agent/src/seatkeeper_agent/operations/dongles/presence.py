# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a dongle stayed the one that the page can act on since its migration was handed out.

The page of a server names no dongle: what it moves are the licenses of the one that the driver
has. So what the server shows afterwards is about the declared dongle only if that one was there,
alone, until the server had switched its dongle service off, which is the documented end. What
was otherwise is written down at once, and stays so: nothing that shows later takes it back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seatkeeper_agent.domain.eligibility import DONGLE_FAMILY
from seatkeeper_agent.domain.planned_steps import Instructions
from seatkeeper_agent.domain.records import DeclarationRecord, OperationRecord
from seatkeeper_agent.domain.servers import Dongle
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.dongles.names import dongle_from
from seatkeeper_agent.operations.dongles.report import DongleReports
from seatkeeper_agent.operations.dongles.requests import operation_id
from seatkeeper_agent.operations.dongles.steps import MIGRATION, TRANSFER

Stop = Callable[[str, str, str], Instructions]
"""What a person is told instead, from what is otherwise, the dongle's id and the operation's."""


class Presence:
    """Compares what is plugged with what was when the irreversible step was handed out."""

    def __init__(
        self,
        journal: Journal,
        reports: DongleReports,
        stop: Stop,
        hide_again: Callable[[str], object],
    ) -> None:
        self._journal = journal
        self._reports = reports
        self._stop = stop
        self._hide_again = hide_again
        self._unwritten: dict[str, str] = {}

    def number(self, dongle: Dongle) -> int | None:
        """The kernel's number for this time of its being plugged in; None where it is not."""
        own = _own(dongle, self._reports.dongles())
        return None if own is None else own.number

    def difference(self, dongle: Dongle, number: int | None) -> str | None:
        """What is otherwise now, as a sentence; None while it is there and alone."""
        seen = self._reports.dongles()
        others = [
            entry
            for entry in seen
            if entry.family == DONGLE_FAMILY
            and entry.authorized is not False
            and (entry.path, entry.serial) != (dongle.path, dongle.serial)
        ]
        own = _own(dongle, seen)
        if own is None and dongle.serial:
            others = [entry for entry in others if entry.serial != dongle.serial]
        what = _what_became(dongle, own, number, seen)
        if what is None and not others:
            return None
        beside = ", ".join(f"{entry.id} at {entry.path}" for entry in others)
        if what is None:
            return f"beside the dongle {dongle.id} there is {beside}"
        return f"the dongle {dongle.id} {what}" + (f", and there is {beside}" if beside else "")

    def disturbance(
        self, migration: str, number: int | None, enabled: bool | None, is_watched: bool
    ) -> str | None:
        """What was otherwise at any moment until the documented end; Problem where none can see.

        ``enabled`` is what the server shows of its dongle service now. ``is_watched`` says that
        every change has been noticed at once: what is otherwise now, with the service off, has
        become so after the end.
        """
        with self._journal.reading() as unit:
            record = unit.declarations.get(MIGRATION, migration)
        known = None if record is None else disturbance_of(record.document)
        if record is None or known is not None:
            return known
        has_ended = bool(record.document.get("switched_off"))
        attempt = operation_id(migration, record.document["attempt"])
        what = None
        if not has_ended or enabled:
            dongle = dongle_from(record.document["dongle"])
            what = self.difference(dongle, number)
            if what is not None:
                # One that is to be hidden may just have come back: it counts if it cannot be.
                self._hide_again(attempt)
                what = self.difference(dongle, number)
            has_ended = enabled is False
            if has_ended and is_watched:
                what = None
        # What a journal that failed could not take is written as soon as it can.
        what = self._unwritten.get(attempt, what)
        if what is not None:
            self._unwritten[attempt] = what
        self._keep(migration, {"switched_off": has_ended and what is None, "disturbance": what})
        self._unwritten.pop(attempt, None)
        return what

    def _keep(self, migration: str, seen: dict[str, Any]) -> None:
        """Others may have noticed it at the same time: the first word stays."""
        with self._journal.reading() as unit:
            record = unit.declarations.get(MIGRATION, migration)
        if record is None or record.document | seen == record.document:
            return
        with self._journal.transaction() as unit:
            record = unit.declarations.get(MIGRATION, migration)
            if record is None or disturbance_of(record.document) is not None:
                return
            unit.declarations.put(MIGRATION, migration, record.document | seen)
            if seen["disturbance"] is not None:
                self._say_stop(unit, record, seen["disturbance"])

    def _say_stop(self, unit: Unit, record: DeclarationRecord, what: str) -> None:
        dongle = record.document["dongle"]["id"]
        operation = unit.operations.get(operation_id(record.id, record.document["attempt"]))
        step = None if operation is None else operation.intended
        if operation is not None and step is not None and step.instructions is not None:
            stopped = self._stop(what, dongle, operation.id)
            unit.operations.assign(operation.id, step.position, step.performer, stopped)
        unit.audit.append("agent", "disturbed", f"migration of dongle {dongle}", {"what": what})


def disturbance_of(document: dict[str, Any]) -> str | None:
    """What was noticed of a declared migration's dongle, if anything."""
    found: str | None = document.get("disturbance")
    return found


def number_at(operation: OperationRecord | None) -> int | None:
    """The dongle's number when the irreversible step was handed out, where that was kept."""
    steps = operation.steps if operation else ()
    found = [step.baseline.get("number") for step in steps if step.type == TRANSFER]
    return found[0] if found else None


def _own(dongle: Dongle, seen: list[Dongle]) -> Dongle | None:
    mine = (dongle.path, dongle.serial, dongle.vendor_id, dongle.product_id)
    return next(
        (
            entry
            for entry in seen
            if (entry.path, entry.serial, entry.vendor_id, entry.product_id) == mine
        ),
        None,
    )


def _what_became(
    dongle: Dongle, own: Dongle | None, number: int | None, seen: list[Dongle]
) -> str | None:
    if own is None:
        moved = [entry.path for entry in seen if dongle.serial and entry.serial == dongle.serial]
        if moved:
            return f"was moved from {dongle.path} to {moved[0]}"
        return f"was unplugged at {dongle.path}"
    if number is not None and own.number != number:
        return f"was unplugged at {dongle.path} and plugged in again"
    return f"was hidden from the driver at {dongle.path}" if own.authorized is False else None
