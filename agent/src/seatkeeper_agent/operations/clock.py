# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the host's clock can be right, for everything that depends on dates.

The clock is compared with the time that has passed since it was right last, as the system counts
it, and after a start with the last time that the journal wrote. A jump is noted in the journal, as
an operation in doubt, and blocks what depends on dates until the clock is plausible again or an
operator has confirmed it.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from seatkeeper_agent.domain.clock import Believed, Jump, judge
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import OperationRecord, OperationState
from seatkeeper_agent.domain.transfers import NAMESPACE
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.views import moment

CHECK_SECONDS = 60.0
REMEMBERED_SECONDS = 30 * 86_400.0
CONTAINER = KIND = "clock"
OPERATION = str(uuid.uuid5(NAMESPACE, "operation/clock"))
SUBJECT = "the clock of this host"
_ID = "host"


def seconds_passed() -> float:
    """Seconds that go on while the machine is suspended, and that nobody can set."""
    number = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if number is None else time.clock_gettime(number)


@dataclass(frozen=True, slots=True)
class ClockView:
    """What is shown of the clock; ``problem`` None while it is plausible."""

    problem: Problem | None

    def as_document(self) -> dict[str, object]:
        """As plain JSON values."""
        details = None if self.problem is None else self.problem.as_document()
        return {"plausible": self.problem is None, "problem": details}


class HostClock:
    """The clock of one agent's host; JournalError as Journal."""

    def __init__(
        self,
        journal: Journal,
        wall: Callable[[], float] = time.time,
        passed: Callable[[], float] = seconds_passed,
    ) -> None:
        self._journal = journal
        self._wall = wall
        self._passed = passed
        self._lock = threading.Lock()
        self._right: tuple[float, float] | None = None

    def now(self) -> float:
        """Unix seconds, for what depends on dates. Problem while the clock is not plausible."""
        view = self.check()
        if view.problem is not None:
            raise view.problem
        return self._wall()

    def check(self) -> ClockView:
        """Compare, and write down a jump or its end; nothing is written otherwise.

        But long after the journal wrote last: an agent with nothing to do writes nothing, and the
        next start shall know of it.
        """
        with self._lock:
            wall, passed = self._wall(), self._passed()
            with self._journal.reading() as unit:
                known = _known(unit)
                written = _last_written(unit, known)
                believed = self._believed(known, written, passed)
            found = judge(believed, wall)
            if found != believed.jump:
                self._note(believed, found, wall)
            if found is None:
                self._refresh(wall, written)
                self._right = (wall, passed)
                return ClockView(None)
            return ClockView(_problem(found))

    def _refresh(self, wall: float, written: float | None) -> None:
        if written is not None and wall - written > REMEMBERED_SECONDS:
            with self._journal.transaction() as unit:
                _remember(unit, wall, None)

    def confirm(self, statement: str, actor: str) -> OperationRecord:
        """An operator's word that the clock is right as it is."""
        with self._lock:
            wall = self._wall()
            with self._journal.transaction() as unit:
                found = unit.operations.get(OPERATION)
                if found is None or found.state is not OperationState.IN_DOUBT:
                    raise Problem(
                        ProblemCode.OPERATION_UNKNOWN,
                        "The clock of this host is not in doubt.",
                        "Look at the list of open operations.",
                    )
                unit.operations.set_state(OPERATION, OperationState.FAILED, found.problem)
                unit.audit.append(actor, "clock_confirmed", SUBJECT, {"statement": statement})
                _remember(unit, wall, None)
            self._right = (wall, self._passed())
        return found

    def _believed(self, known: dict[str, Any], written: float | None, passed: float) -> Believed:
        jump = known.get("jump")
        pending = None if jump is None else Jump(jump["expected"], jump["shown"])
        if self._right is not None:
            right_wall, right_passed = self._right
            return Believed(right_wall + passed - right_passed, running=True, jump=pending)
        return Believed(written, running=False, jump=pending)

    def _note(self, believed: Believed, found: Jump | None, wall: float) -> None:
        with self._journal.transaction() as unit:
            if found is None:
                unit.operations.set_state(OPERATION, OperationState.DONE)
                unit.audit.append("agent", "clock_plausible", SUBJECT, {"shown": moment(int(wall))})
                _remember(unit, wall, None)
                return
            problem = _problem(found)
            if believed.jump is None:
                unit.operations.open(OPERATION, KIND, SUBJECT, None, CONTAINER, "agent", [])
            unit.operations.set_state(OPERATION, OperationState.IN_DOUBT, problem.as_document())
            detail = {"expected": _as_time(found.expected), "shown": _as_time(found.shown)}
            unit.audit.append("agent", "clock_jumped", SUBJECT, detail)
            _remember(unit, believed.expected, found)


def _known(unit: Unit) -> dict[str, Any]:
    record = unit.declarations.get(KIND, _ID)
    return {} if record is None else record.document


def _last_written(unit: Unit, known: dict[str, Any]) -> float | None:
    """When the journal wrote last, as far as that time can be right; None for a new journal."""
    sequence, _head = unit.audit.head()
    if known and (known.get("jump") is not None or sequence <= known["sequence"]):
        believed: float | None = known["believed"]
        return believed
    newest = unit.audit.page(sequence - 1, 1)
    return float(newest[0].at) if newest else None


def _remember(unit: Unit, believed: float | None, jump: Jump | None) -> None:
    """What was written while the clock was wrong is no measure later on."""
    sequence, _head = unit.audit.head()
    details = None if jump is None else {"expected": jump.expected, "shown": jump.shown}
    document = {"believed": believed, "sequence": sequence, "jump": details}
    unit.declarations.put(KIND, _ID, document)


def _problem(jump: Jump) -> Problem:
    which = "ahead" if jump.is_ahead else "back"
    return Problem(
        ProblemCode.CLOCK_IMPLAUSIBLE,
        f"The clock of this host was set {which}: it showed {_as_time(jump.shown)} where about"
        f" {_as_time(jump.expected)} was expected. What depends on dates waits: new orders, borrows"
        " and their ends.",
        "Set the clock right. If it is right as it is, confirm it with: seatkeeper-agent attest"
        f" {OPERATION} settled STATEMENT.",
        {"operation": OPERATION},
    )


def _as_time(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, OSError, ValueError):
        return f"{seconds:.0f} seconds after 1970"
