# SPDX-License-Identifier: GPL-3.0-or-later
"""Domain objects as the plain JSON values that the API shows. Times are RFC 3339, UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from seatkeeper_agent.domain.abilities import Abilities
from seatkeeper_agent.domain.exchange import TRANSFER
from seatkeeper_agent.domain.licenses import Container, ContainerClock, HistoryRow, Item
from seatkeeper_agent.domain.records import (
    AuditEntry,
    BorrowRecord,
    OperationRecord,
    Posting,
    TransferRecord,
)
from seatkeeper_agent.domain.transfers import Declaration, shown_status

_LAST = datetime.max.replace(tzinfo=UTC)


def moment(seconds: int | None) -> str | None:
    """Unix seconds as RFC 3339, None stays None."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str | None) -> int | None:
    """RFC 3339 as Unix seconds; ValueError when it is no such time or lacks its zone."""
    if text is None:
        return None
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    if not datetime.fromtimestamp(0, UTC) <= value <= _LAST:
        raise ValueError(f"{text!r} is not within the years 1970 to 9999")
    return int(value.timestamp())


def declaration_view(declaration: Declaration) -> dict[str, Any]:
    """A declaration, its end as a time."""
    return {**declaration.as_document(), "until": moment(declaration.until)}


def declaration_from_view(transfer_id: str, view: dict[str, Any]) -> Declaration:
    """Read what ``declaration_view`` wrote; ValueError with a sentence when malformed."""
    return Declaration.from_document(
        {**view, "id": transfer_id, "until": seconds(view.get("until"))}
    )


def item_view(item: Item) -> dict[str, Any]:
    """One item."""
    return {
        "item": str(item.key),
        "firm_code": item.key.firm_code,
        "product_code": item.key.product_code,
        "reference": item.key.reference,
        "name": item.name,
        "seats": item.seats,
        "units": item.units,
        "license_quantity": item.license_quantity,
        "unit_counter": item.unit_counter,
        "status": item.status.value,
        "feature_map": item.feature_map,
        "expires_at": moment(item.expires_at),
        "local_only": item.local_only,
        "origin": item.origin_serial,
        "borrowed_until": moment(item.borrowed_until),
        "transfer_id": item.transfer_id,
        "update_counter": item.update_counter,
        "options": [
            {
                "type": option.type.value,
                "pull_allowed": option.pull_allowed,
                "return_allowed": option.return_allowed,
                "firm_item_required": option.firm_item_required,
                "transfer_depth": option.transfer_depth,
                "borrow_seconds_max": option.borrow_seconds_max,
            }
            for option in item.options
        ],
    }


def abilities_view(found: Abilities) -> dict[str, Any]:
    """What may be done to an item."""
    back = {"to": found.return_to, "types": [type_.value for type_ in found.return_types]}
    return {
        "transfers": [
            {
                "type": sending.type.value,
                "amount_max": sending.amount_max,
                "pull": sending.pull,
                "returnable": sending.returnable,
                "depth": sending.depth,
                "seconds_max": sending.seconds_max,
            }
            for sending in found.sendings
        ],
        "return": back if found.return_types else None,
        "receivable": [type_.value for type_ in found.receivable],
    }


def container_view(container: Container, clock: ContainerClock) -> dict[str, Any]:
    """One container with its clocks."""
    return {
        "serial": container.serial,
        "kind": container.kind,
        "vendor": container.vendor,
        "firmware": container.firmware,
        "status": list(container.status),
        "clock": {
            "certified_at": moment(clock.certified_at),
            "box_at": moment(clock.box_at),
            "system_at": moment(clock.system_at),
        },
    }


def history_view(row: HistoryRow, item: str) -> dict[str, Any]:
    """One row of the vendor's history."""
    return {
        "item": item,
        "index": row.index,
        "status": row.status.value,
        "type": row.type,
        "at": moment(row.at),
        "unit_counter": row.unit_counter,
        "license_quantity": row.license_quantity,
        "returned_quantity": row.returned_quantity,
        "borrow_expires_at": moment(row.borrow_expires_at),
        "transfer_id": row.transfer_id,
        "confirmed_transfer_id": row.confirmed_transfer_id,
        "container": row.container,
        "update_counter": row.update_counter,
    }


def transfer_view(record: TransferRecord, operation: OperationRecord | None) -> dict[str, Any]:
    """One transfer as this host knows it, with what this host does next."""
    following = TRANSFER.next_of(record.side, record.state, record.documents)
    return {
        **declaration_view(record.declaration),
        "side": record.side.value,
        "state": record.state.value,
        "status": shown_status(record.side, record.state, record.declaration.mode),
        "vendor_transfer_id": record.vendor_transfer_id,
        "vendor_update_counter": record.vendor_update_counter,
        "amounts": {measure.value: amount for measure, amount in record.amounts.items()},
        "next": None if following is None else following.as_document(),
        "documents": {kind.value: envelope for kind, envelope in record.documents.items()},
        "operation": None
        if operation is None
        else {"id": operation.id, "state": operation.state.value},
        "problem": None if operation is None else operation.problem,
        "created_at": moment(record.created_at),
        "updated_at": moment(record.updated_at),
    }


def operation_view(operation: OperationRecord) -> dict[str, Any]:
    """One operation with its steps."""
    return {
        "id": operation.id,
        "kind": operation.kind,
        "subject": operation.subject,
        "side": operation.side and operation.side.value,
        "container": operation.holds,
        "state": operation.state.value,
        "problem": operation.problem,
        "actor": operation.actor,
        "steps": [
            {
                "name": step.name,
                "title": step.title,
                "reversible": step.reversible,
                "performer": step.performer.value,
                "state": step.state.value,
                "attempts": step.attempts,
                "attested": step.attested,
                "said": step.said,
            }
            for step in operation.steps
        ],
        "notes": [{"at": moment(note.at), "text": note.text} for note in operation.notes],
        "created_at": moment(operation.created_at),
        "updated_at": moment(operation.updated_at),
    }


def borrow_view(record: BorrowRecord, lots: list[dict[str, Any]]) -> dict[str, Any]:
    """One declared borrow with its lots."""
    return {
        "id": record.id,
        **record.declaration,
        "lots": lots,
        "created_at": moment(record.created_at),
        "updated_at": moment(record.updated_at),
    }


def audit_view(entry: AuditEntry) -> dict[str, Any]:
    """One link of the chain."""
    return {
        "sequence": entry.sequence,
        "at": moment(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "detail": entry.detail,
        "hash": entry.hash,
    }


def posting_view(posting: Posting) -> dict[str, Any]:
    """One balance of the ledger."""
    return {
        "account": posting.account.value,
        "reference": posting.reference,
        "item": posting.item,
        "measure": posting.measure.value,
        "amount": posting.amount,
    }
