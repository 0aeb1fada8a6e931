# SPDX-License-Identifier: GPL-3.0-or-later
"""Other dongles that are hidden while one is migrated: owed back, and hidden again meanwhile."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from seatkeeper_agent.domain.eligibility import DONGLE_FAMILY
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import OperationRecord
from seatkeeper_agent.domain.servers import Dongle, IsolationError
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.journal.declarations import ISOLATION
from seatkeeper_agent.operations.dongles.attempts import has_ended, is_under_way
from seatkeeper_agent.operations.dongles.names import is_of
from seatkeeper_agent.operations.dongles.report import DongleReports
from seatkeeper_agent.operations.server_ports import IsolationPort

LISTED_MAX = 10_000


class OwedDongles:
    """Gives back what operations that have ended still owe, and keeps the rest hidden."""

    def __init__(self, journal: Journal, reports: DongleReports, isolation: IsolationPort) -> None:
        self._journal = journal
        self._reports = reports
        self._isolation = isolation

    def give_back(self) -> None:
        """All that is owed by what has ended; Problem for what cannot be given back."""
        with self._journal.reading() as unit:
            owed = unit.declarations.page(ISOLATION, "", LISTED_MAX)
            ended = [record for record in owed if has_ended(unit.operations.get(record.id))]
        for record in ended:
            try:
                self._isolation.give_back(record.document["paths"])
            except IsolationError as error:
                raise Problem(
                    ProblemCode.ISOLATION_FAILED,
                    f"Dongles that were hidden for a migration are hidden still: {error}",
                    "Mend the cause and run again, or unplug and plug them.",
                ) from error
            with self._journal.transaction() as unit:
                unit.declarations.remove(ISOLATION, record.id)
                unit.audit.append("agent", "given_back", f"operation {record.id}", record.document)

    def hide_again(self, operation: OperationRecord, declared: dict[str, Any]) -> None:
        """What was plugged in again, or came back with the host, is hidden no more."""
        others = declared["others"]
        if not others:
            return
        with suppress(Problem):
            back = [
                entry
                for entry in self._reports.visible()
                if entry.path in others
                and entry.family == DONGLE_FAMILY
                and not is_of(declared, entry, self._reports.dongles())
            ]
            self._hide(operation, back)

    def _is_owed(self, operation: str) -> bool:
        with self._journal.reading() as unit:
            found = unit.operations.get(operation)
        return found is not None and is_under_way(found)

    def _hide(self, operation: OperationRecord, dongles: list[Dongle]) -> None:
        for dongle in dongles:
            try:
                self._isolation.hide([dongle.path])
                if not self._is_owed(operation.id):
                    # It ended meanwhile, and has given back what was hidden until then.
                    self._isolation.give_back([dongle.path])
                    return
                text = f"The dongle {dongle.id} was hidden again at {dongle.path}."
            except IsolationError as error:
                text = str(error)
            # It is tried at every look; what has been said once is not said again.
            if not operation.notes or operation.notes[-1].text != text:
                with self._journal.transaction() as unit:
                    unit.operations.note(operation.id, text)
