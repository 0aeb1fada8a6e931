# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves as the API shows them: where each license is, and first of all those that are nowhere."""

from __future__ import annotations

from typing import Any

from seatkeeper_agent.domain.exchange import SERVER_MOVE
from seatkeeper_agent.domain.records import OperationRecord, OperationState, StepState
from seatkeeper_agent.domain.server_move_legs import MoveState
from seatkeeper_agent.domain.server_moves import LicenseState, MovableServer, Place
from seatkeeper_agent.domain.transfers import Side
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.people import awaited_view, planned_view
from seatkeeper_agent.operations.server_moves import records
from seatkeeper_agent.operations.server_moves.commands import ACTIVATE
from seatkeeper_agent.operations.server_moves.ports import MoveInstructions
from seatkeeper_agent.operations.server_moves.records import MoveRecord, operation_id
from seatkeeper_agent.operations.server_moves.steps import DEACTIVATE
from seatkeeper_agent.operations.views import moment


def move_view(
    record: MoveRecord,
    operation: OperationRecord | None,
    server: MovableServer | None,
    guidance: MoveInstructions,
) -> dict[str, Any]:
    """One move on this host; ``server`` None where it was not looked at or does not answer."""
    places = places_of(record, operation, server)
    declaration = record.declaration
    following = SERVER_MOVE.next_of(record.side, record.state, record.documents)
    return {
        "id": record.id,
        **declaration.as_document(),
        "side": record.side.value,
        "state": record.state.value,
        "leg": None if record.outline is None else record.outline.leg,
        "backup": record.backup.as_document(),
        "licenses": [
            {
                "number": entry.number,
                "name": entry.name,
                "profiles": list(entry.profiles),
                "place": places[entry.number].value,
                "seen": _seen(server, entry.number).value,
                "released": record.progress(entry.number).released,
                "activated": record.progress(entry.number).activated,
            }
            for entry in record.backup.licenses
        ],
        "adrift": orphaned_view(record, places, guidance),
        "steps": [planned_view(step) for step in (operation.steps if operation else ())],
        "notes": [
            {"at": moment(note.at), "text": note.text}
            for note in (operation.notes if operation else ())
        ],
        "next": None if following is None else following.as_document(),
        "documents": record.documents,
        "problem": None if operation is None else operation.problem,
        "operation": operation_view(operation),
        "created_at": moment(record.created_at),
        "updated_at": moment(record.updated_at),
    }


def places_of(
    record: MoveRecord, operation: OperationRecord | None, server: MovableServer | None
) -> dict[str, Place]:
    """Where each license is, by both sides' words and by what this host's server shows now."""
    begun = {
        step.arguments["number"]
        for step in (operation.begun(ACTIVATE, DEACTIVATE) if operation else ())
        if step.state is StepState.INTENDED
    }
    return {n: _place(record, n, n in begun, _seen(server, n)) for n in record.numbers}


def _place(record: MoveRecord, number: str, is_begun: bool, seen: LicenseState) -> Place:
    """What is seen here counts more than what was written down, except where it shows nothing."""
    here = Place.SOURCE if record.side is Side.SOURCE else Place.TARGET
    place = record.place(number)
    if record.state is MoveState.REFUSED and place is not here:
        # Only the source knows what it made of what was returned.
        return Place.UNKNOWN
    if seen is LicenseState.ACTIVE:
        return Place.BOTH if here is Place.SOURCE and place is Place.TARGET else here
    if seen is LicenseState.UNKNOWN:
        return Place.UNKNOWN if is_begun else place
    if place is not here and place in (Place.SOURCE, Place.TARGET) and not is_begun:
        return place
    # Not here; whether it is nowhere is the other side's to say.
    return Place.ORPHANED if record.is_not_elsewhere(number) else Place.UNKNOWN


def orphaned_count(unit: Unit) -> int:
    """How many licenses are active nowhere, or may be, as far as the journal knows."""
    found = 0
    for record in records.unsettled(unit):
        operation = unit.operations.get(operation_id(record))
        found += len(_orphaned(record, places_of(record, operation, None)))
    return found


def _orphaned(record: MoveRecord, places: dict[str, Place]) -> list[str]:
    """Those of a lost machine are usable nowhere until they have arrived."""
    if record.state.is_settled:
        return []
    guidance = {Place.ORPHANED, Place.UNKNOWN}
    guidance |= {Place.SOURCE} if record.declaration.source_lost else set()
    return [number for number, place in places.items() if place in guidance]


def orphaned_view(
    record: MoveRecord, places: dict[str, Place], guidance: MoveInstructions
) -> list[dict[str, Any]]:
    """The licenses that are active nowhere, with the vendor's advice, or may be: where to look."""
    declaration = record.declaration
    hosts = (declaration.source, declaration.target)
    here, there = hosts if record.side is Side.SOURCE else hosts[::-1]
    lost = declaration.source_lost and record.side is Side.TARGET
    names = {entry.number: entry.name for entry in record.backup.licenses}
    found = []
    for number in _orphaned(record, places):
        is_sure = places[number] is not Place.UNKNOWN
        advice = (
            guidance.emergency(number)
            if is_sure
            else guidance.find(number, here if lost else there)
        )
        found.append(
            {
                "license": number,
                "name": names[number],
                "place": (Place.ORPHANED if is_sure else Place.UNKNOWN).value,
                "since": moment(record.progress(number).released_at),
                "advice": list(advice.steps),
            }
        )
    return found


def operation_view(operation: OperationRecord | None) -> dict[str, Any] | None:
    """Its id and its state."""
    return None if operation is None else {"id": operation.id, "state": operation.state.value}


def waiting_view(operation: OperationRecord | None) -> list[dict[str, Any]]:
    """The step that it waits for."""
    waits = operation is not None and operation.state is OperationState.WAITING
    return [awaited_view(operation)] if operation is not None and waits else []


def _seen(server: MovableServer | None, number: str) -> LicenseState:
    return LicenseState.UNKNOWN if server is None else server.license(number).state
