# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver's side, and the sender's last word: import, receipt, confirm, clean up."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from seatkeeper_twins.codemeter import artefacts, constants, history, lots
from seatkeeper_twins.codemeter.constants import (
    BORROW_TYPES,
    Error,
    Flow,
    HistoryStatus,
    Refusal,
    TransferStatus,
    TransferType,
)
from seatkeeper_twins.codemeter.rules import check_clocks
from seatkeeper_twins.codemeter.runtime import Runtime, Session

RECEIPT_ROWS_MAX = 64
_MERGED = {
    TransferType.UNITS: TransferType.MERGE_UNITS,
    TransferType.LICENSES: TransferType.MERGE_LICENSES,
}


def import_update(runtime: Runtime, session: Session, artefact: bytes | None) -> None:
    """CmLtImportUpdate: credit once; again is 229, for another container 201."""
    update = artefacts.unseal("update", artefact)
    container = _addressed(runtime, session, update["target"])
    transfer_id = bytes.fromhex(update["transfer_id"])
    if runtime.store.row(
        "SELECT 1 FROM imported WHERE container = ? AND transfer_id = ?",
        container["id"], transfer_id,
    ):  # fmt: skip
        raise Refusal(Error.UPDATE_TOO_OLD, "the update was imported before")
    if not runtime.store.row(
        "SELECT 1 FROM request WHERE container = ? AND nonce = ?",
        container["id"], update["nonce"],
    ):  # fmt: skip
        raise Refusal(Error.VALIDATION_FAILED, "the update answers no request of this container")
    now = runtime.box_time()
    end, kind, flow = update["borrow_end"], TransferType(update["type"]), Flow(update["flow"])
    if end is not None and end <= now:
        raise Refusal(Error.BORROW_FAILED, "the borrow ended before it arrived")
    if now < update["time"]:
        check_clocks(runtime, kind, update["time"])
    parent = _parent(runtime, container["id"], update)
    with runtime.store.change("import"):
        runtime.count_update(container["id"], update["item"]["firm_code"], update["item"]["text"])
        if flow is Flow.RETURN:
            item = _merge(runtime, container["id"], update, parent)
        elif flow is Flow.RENEWBORROW:
            item = _extend(runtime, container["id"], update)
        else:
            item = _insert_item(runtime, container["id"], update)
        history.append(runtime, _received_row(item, container["id"], update, now))
        runtime.store.write("INSERT INTO imported VALUES (?, ?)", transfer_id, container["id"])
        runtime.keep_box_time()


def create_receipt(runtime: Runtime, session: Session, firm_code: int, measure_only: bool) -> bytes:
    """CmLtCreateReceipt: the word for what arrived under a firm code, repeated as often as asked.

    The unreceipted come first; an item's handle narrows it to that item. Refusal 200 when nothing
    ever arrived.
    """
    container = runtime.container(session)
    rows = runtime.store.rows(
        "SELECT h.* FROM history h JOIN item i ON i.id = h.item WHERE h.container = ?"
        " AND i.firm_code = ? AND h.sent = 0 AND (? IS NULL OR i.id = ?)"
        " ORDER BY h.confirmed_id IS NOT NULL, CASE WHEN h.confirmed_id IS NULL THEN h.id"
        " ELSE -h.id END LIMIT ?",
        container["id"], firm_code, session.item, session.item, RECEIPT_ROWS_MAX,
    )  # fmt: skip
    if not rows:
        raise Refusal(Error.ENTRY_NOT_FOUND, f"nothing arrived under firm code {firm_code}")
    receipt = artefacts.seal(
        "receipt",
        {
            "by": [container["mask"], container["serial"]],
            "transfers": [
                [row["transfer_id"].hex(), row["peer_mask"], row["peer_serial"]] for row in rows
            ],
        },
    )
    fresh = [row["id"] for row in rows if row["confirmed_id"] is None]
    if measure_only or not fresh:
        return receipt
    with runtime.store.change("receipt"):
        for identity in fresh:
            runtime.store.write(
                "UPDATE history SET confirmed_id = transfer_id WHERE id = ?", identity
            )
        runtime.count_update(container["id"], firm_code)
        runtime.keep_box_time()
    return receipt


def confirm(runtime: Runtime, session: Session, artefact: bytes | None) -> None:
    """CmLtConfirmTransfer: close the rows this receipt is about; it moves nothing."""
    receipt = artefacts.unseal("receipt", artefact)
    mine = [_sent_row(runtime, session, entry, receipt["by"]) for entry in receipt["transfers"]]
    rows = [row for row in mine if row is not None]
    if not rows:
        raise Refusal(Error.BOX_NOT_FOUND, "the receipt is for no transfer of this container")
    if all(row["status"] == HistoryStatus.HIDDEN for row in rows):
        raise Refusal(Error.UPDATE_FAILED, "the transfer was given back by the vendor")
    transit = [
        row for row in rows if row["status"] not in (HistoryStatus.HIDDEN, HistoryStatus.ACTIVE)
    ]
    if not transit:
        return
    with runtime.store.change("confirm"):
        for row in transit:
            runtime.store.write(
                "UPDATE history SET status = ?, confirmed_id = transfer_id WHERE id = ?",
                HistoryStatus.ACTIVE, row["id"],
            )  # fmt: skip
        for container, firm_code in sorted({(r["container"], r["firm_code"]) for r in transit}):
            runtime.count_update(container, firm_code)
        runtime.keep_box_time()


def clean_up(runtime: Runtime, session: Session, flags: int) -> None:
    """CmLtCleanup: remove deleted or disabled items and hidden history.

    An item that still lends, or whose transfer is unreceipted, stays; containers are never removed.
    """
    container = runtime.container(session)["id"]
    statuses = [
        status
        for flag, status in (
            (constants.CLEANUP_DELETED, TransferStatus.DELETED),
            (constants.CLEANUP_DISABLED, TransferStatus.DISABLED),
        )
        if flags & flag
    ]
    if not statuses and not flags & constants.CLEANUP_HIDDEN_HISTORY:
        raise Refusal(Error.INVALID_PARAMETER, f"nothing to clean up for flags {flags:#x}")
    with runtime.store.change("cleanup"):
        before = runtime.store.connection.total_changes
        if flags & constants.CLEANUP_HIDDEN_HISTORY:
            runtime.store.write(
                "DELETE FROM history WHERE container = ? AND status = ?",
                container, HistoryStatus.HIDDEN,
            )  # fmt: skip
        for status in statuses:
            runtime.store.write(
                "DELETE FROM item WHERE container = ? AND status = ? AND NOT EXISTS ("
                "SELECT 1 FROM history h WHERE h.item = item.id"
                " AND (h.lot = 'lent' OR (h.sent = 1 AND h.status IN (1, 2, 3))))",
                container, status,
            )  # fmt: skip
        if runtime.store.connection.total_changes > before:
            runtime.store.write(
                "UPDATE firm_item SET update_counter = update_counter + 1 WHERE container = ?",
                container,
            )


def _addressed(runtime: Runtime, session: Session, target: list[int]) -> sqlite3.Row:
    """The container the update is for, if the handle can reach it."""
    found = runtime.store.row(
        "SELECT * FROM container WHERE mask = ? AND serial = ?", target[0], target[1]
    )
    if found is None or session.container not in (None, found["id"]):
        raise Refusal(Error.BOX_NOT_FOUND, "the update is for another container")
    return found


def _parent(runtime: Runtime, container: int, update: dict[str, Any]) -> sqlite3.Row | None:
    """What a return or a renewal belongs to; Refusals 228 and 233 when that cannot be."""
    flow = Flow(update["flow"])
    if flow not in (Flow.RETURN, Flow.RENEWBORROW):
        return None
    found = runtime.store.row(
        "SELECT * FROM history WHERE container = ? AND transfer_id = ? AND sent = ?",
        container, bytes.fromhex(update["parent"]), int(flow is Flow.RETURN),
    )  # fmt: skip
    if flow is Flow.RENEWBORROW:
        if found is None:
            raise Refusal(Error.UPDATE_TOO_NEW, "the borrow to renew has not arrived yet")
        item = runtime.store.row("SELECT status FROM item WHERE id = ?", found["item"])
        if item is None or item["status"] == TransferStatus.DELETED:
            raise Refusal(Error.UPDATE_FAILED, "the borrow to renew was returned")
    elif found is not None and found["status"] == HistoryStatus.HIDDEN:
        raise Refusal(Error.UPDATE_FAILED, "the vendor gave these licenses back before")
    return found


def _merge(
    runtime: Runtime, container: int, update: dict[str, Any], parent: sqlite3.Row | None
) -> int:
    """A return goes into the item it came from, or is an item of its own when that is gone."""
    if parent is None:
        return _insert_item(runtime, container, update)
    if update["type"] in BORROW_TYPES:
        # An ended borrow fell back by itself already, so a late return must not credit again.
        lots.end_lot(runtime, parent, lots.RETURNED)
    else:
        lots.give(runtime, parent["item"], update["licenses"], update["units"])
    amount = update["units"] if update["type"] == TransferType.UNITS else update["licenses"]
    runtime.store.write(
        "UPDATE history SET returned = returned + ? WHERE id = ?", amount or 0, parent["id"]
    )
    return int(parent["item"])


def _extend(runtime: Runtime, container: int, update: dict[str, Any]) -> int:
    """The holder's item lasts longer; one that had just stopped works again."""
    parent = bytes.fromhex(update["parent"])
    item = runtime.store.row(
        "SELECT * FROM item WHERE container = ? AND arrival_id = ?", container, parent
    )
    lent = runtime.store.row(
        "SELECT * FROM history WHERE container = ? AND transfer_id = ? AND sent = 0",
        container, parent,
    )  # fmt: skip
    if item is None or lent is None:
        raise Refusal(Error.UPDATE_FAILED, "the borrow to renew is gone")
    runtime.store.write(
        "UPDATE item SET borrow_end = ? WHERE id = ?", update["borrow_end"], item["id"]
    )
    if item["status"] == TransferStatus.DISABLED:
        lots.give(runtime, item["id"], lent["held_licenses"], lent["held_units"])
    return int(item["id"])


def _insert_item(runtime: Runtime, container: int, update: dict[str, Any]) -> int:
    """What arrives is a product item of its own, with its origin and transfer id."""
    item = update["item"]
    found = runtime.store.row(
        "SELECT 1 + COALESCE(MAX(reference), 0) AS next FROM item WHERE container = ?", container
    )
    reference = 1 if found is None else found["next"]
    if reference > 0xFFFF:
        raise Refusal(Error.UPDATE_FAILED, "the container is full")
    return runtime.store.write(
        "INSERT INTO item (container, firm_code, reference, product_code, feature_map, name,"
        " license_quantity, unit_counter, expires_at, options, receipt_required, status,"
        " arrival_type, arrival_id, origin_mask, origin_serial, borrow_end)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        container, item["firm_code"], reference, item["product_code"], item["feature_map"],
        item["name"], update["licenses"], update["units"], item["expires_at"],
        json.dumps(item["options"]), item["receipt_required"], TransferStatus.ENABLED,
        update["type"], bytes.fromhex(update["transfer_id"]), *update["source"],
        update["borrow_end"],
    )  # fmt: skip


def _received_row(item: int, container: int, update: dict[str, Any], now: int) -> history.Row:
    kind, returns = TransferType(update["type"]), update["flow"] == Flow.RETURN
    return history.Row(
        item=item, container=container, status=HistoryStatus.ACTIVE,
        type=_MERGED.get(kind, kind) if returns else kind, sent=False,
        units=update["units"] if kind is TransferType.UNITS else 0,
        licenses=update["licenses"] if kind is TransferType.LICENSES else 0,
        time=now, borrow_end=update["borrow_end"],
        transfer_id=bytes.fromhex(update["transfer_id"]), peer=tuple(update["source"]),
        update_counter=update["update_counter"],
        parent=bytes.fromhex(update["parent"]) if update["parent"] else None,
        held_licenses=update["licenses"], held_units=update["units"],
    )  # fmt: skip


def _sent_row(
    runtime: Runtime, session: Session, entry: list[Any], receiver: list[int]
) -> sqlite3.Row | None:
    transfer_id, mask, serial = entry
    return runtime.store.row(
        "SELECT h.*, i.firm_code FROM history h JOIN item i ON i.id = h.item"
        " JOIN container c ON c.id = h.container WHERE h.transfer_id = ? AND h.sent = 1"
        " AND c.mask = ? AND c.serial = ? AND (? IS NULL OR c.id = ?)"
        " AND h.peer_mask = ? AND h.peer_serial = ?",
        bytes.fromhex(transfer_id), mask, serial, session.container, session.container, *receiver,
    )  # fmt: skip
