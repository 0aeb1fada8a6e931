# SPDX-License-Identifier: GPL-3.0-or-later
"""The invariants as far as one host's journal can tell; the sum over hosts needs both ledgers."""

from __future__ import annotations

from dataclasses import dataclass

from seatkeeper_agent.domain.records import Event
from seatkeeper_agent.domain.transfers import Side, State
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.transfer_operations import operation_id

_LEFT = (State.IN_TRANSIT, State.CREDITING_BACK, State.RECEIPTED)
_ARRIVED = (State.TRANSFERRED, State.RECEIPTED)
RECORDS_PER_PAGE = 500


@dataclass(frozen=True, slots=True)
class Invariant:
    """One promise and whether it holds; the detail names what breaks it."""

    name: str
    holds: bool
    detail: str


def check(unit: Unit) -> list[Invariant]:
    """I1 to I4 and the audit chain, read from the journal alone."""
    early, astray = _states_against_ledger(unit)
    unbalanced = unit.ledger.unbalanced_entries()
    unintended = unit.ledger.entries_without_intent()
    repeated = unit.ledger.repeated_events()
    broken = unit.audit.first_broken_link()
    return [
        _checked("I1", early, "transfers usable here without having arrived"),
        _checked("I2", [*map(str, unbalanced), *astray], "entries or transfers that do not add up"),
        _checked("I3", unintended, "entries without an earlier intent"),
        _checked("I4", repeated, "transfers debited, credited or credited back twice"),
        _checked("audit", [] if broken is None else [broken], "links that do not fit the chain"),
    ]


def _checked(name: str, found: list[object] | list[str] | list[int], what: str) -> Invariant:
    shown = ", ".join(str(entry) for entry in found[:5])
    return Invariant(name, not found, f"{len(found)} {what}{': ' + shown if found else ''}")


def _states_against_ledger(unit: Unit) -> tuple[list[str], list[str]]:
    early: list[str] = []
    astray: list[str] = []
    after = ""
    while records := unit.transfers.page(only_open=False, after=after, limit=RECORDS_PER_PAGE):
        for record in records:
            transfer = record.declaration.id
            after = f"{transfer}/{record.side.value}"
            if record.side is Side.SOURCE:
                debited = unit.ledger.has(transfer, Event.DEBIT)
                back = unit.ledger.has(transfer, Event.CREDIT_BACK)
                if debited != (record.state in _LEFT or (record.state is State.VOID and back)):
                    astray.append(transfer)
            elif _credited(unit, record.declaration.parent, transfer) != (record.state in _ARRIVED):
                early.append(transfer)
    return early, astray


def _credited(unit: Unit, parent: str | None, transfer: str) -> bool:
    if unit.ledger.has(transfer, Event.CREDIT):
        return True
    # The early return of a borrow is credited under the key of the lot it brings back, unless
    # the lot's end had done that before.
    own = operation_id(transfer, "credit")
    return parent is not None and unit.ledger.operation_of(parent, Event.CREDIT_BACK) == own
