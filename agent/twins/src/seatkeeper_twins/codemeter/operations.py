# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations by name: what `cmu` asks, and the twin's own control, whose names begin with _twin."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seatkeeper_twins.codemeter import (
    artefacts,
    constants,
    faults,
    issue,
    lots,
    receive,
    snapshots,
    view,
)
from seatkeeper_twins.codemeter.constants import Error, Flow, Refusal
from seatkeeper_twins.codemeter.runtime import Runtime, Session

Answer = dict[str, Any]
SETTINGS = (
    "clock_offset_seconds", "certified_time", "borrow_blocked", "max_borrow_hours",
    "max_time_difference_seconds",
)  # fmt: skip


def perform(
    runtime: Runtime, request: dict[str, Any], attachments: list[bytes | None]
) -> tuple[Answer, bytes | None]:
    """Run one operation; Refusal as the library would, ValueError for a bad request."""
    if not isinstance(request, dict):
        raise TypeError("an operation must be a JSON object")
    name = request.get("op")
    if name == "context":
        return _context(runtime, request)
    if name == "import":
        return _import(runtime, attachments[0] if attachments else None), None
    handler = _OPERATIONS.get(str(name))
    if handler is None:
        raise ValueError(f"there is no operation {name!r}")
    return handler(runtime, request), None


def describe(runtime: Runtime) -> Answer:
    """Everything the containers hold, in the seed's words, with what the twin knows beside."""
    containers = runtime.store.rows("SELECT * FROM container ORDER BY id")
    major, minor = constants.PROFILES[runtime.profile]
    return {
        "profile": runtime.profile,
        "version": f"{major}.{minor:02d}",
        "box_time": runtime.box_time(),
        "certified_time": runtime.store.meta("certified_time"),
        "containers": [_describe_container(runtime, container) for container in containers],
    }


def _describe_container(runtime: Runtime, container: sqlite3.Row) -> Answer:
    identity = container["id"]
    items = runtime.store.rows(
        "SELECT * FROM item WHERE container = ? ORDER BY reference", identity
    )
    firm_items = runtime.store.rows(
        "SELECT firm_code, text, update_counter FROM firm_item WHERE container = ?"
        " ORDER BY firm_code",
        identity,
    )
    return {
        "serial": f"{container['mask']}-{container['serial']}",
        "name": container["name"],
        "firmware": f"{container['firmware_major']}.{container['firmware_minor']}",
        "firm_items": [dict(row) for row in firm_items],
        "items": [_describe_item(runtime, item) for item in items],
    }


def _describe_item(runtime: Runtime, item: sqlite3.Row) -> Answer:
    origin = item["origin_serial"]
    return {
        "firm_code": item["firm_code"],
        "reference": item["reference"],
        "product_code": item["product_code"],
        "feature_map": item["feature_map"],
        "name": item["name"],
        "license_quantity": item["license_quantity"],
        "unit_counter": item["unit_counter"],
        "expires_at": item["expires_at"],
        "status": constants.TransferStatus(item["status"]).name.lower(),
        "options": view.options_of(item),
        "origin": None if origin is None else f"{item['origin_mask']}-{origin}",
        "transfer_id": None if item["arrival_id"] is None else item["arrival_id"].hex(),
        "borrow_end": item["borrow_end"],
        "history": [_describe_row(row) for row in view.history_rows(runtime, item["id"])],
    }


def _describe_row(row: sqlite3.Row) -> Answer:
    return {
        "number": row["number"],
        "status": constants.HistoryStatus(row["status"]).name.lower(),
        "type": constants.TransferType(row["type"]).name.lower(),
        "sent": bool(row["sent"]),
        "units": row["units"],
        "licenses": row["licenses"],
        "returned": row["returned"],
        "time": row["time"],
        "borrow_end": row["borrow_end"],
        "transfer_id": row["transfer_id"].hex(),
        "receipted": row["confirmed_id"] is not None,
        "peer": f"{row['peer_mask']}-{row['peer_serial']}",
        "update_counter": row["update_counter"],
        "lot": row["lot"],
    }


def _context(runtime: Runtime, request: dict[str, Any]) -> tuple[Answer, bytes]:
    """A receipt when something that arrived is unreceipted, else a request for a push."""
    mask, serial = _serial(request)
    firm_code = int(request["firm_code"])
    container = runtime.store.row(
        "SELECT id FROM container WHERE mask = ? AND serial = ?", mask, serial
    )
    if container is None:
        raise Refusal(Error.BOX_NOT_FOUND, f"no container {mask}-{serial}")
    session = Session(0, container["id"], None, None)
    waiting = runtime.store.row(
        "SELECT 1 FROM history h JOIN item i ON i.id = h.item WHERE h.container = ?"
        " AND i.firm_code = ? AND h.sent = 0 AND h.confirmed_id IS NULL",
        container["id"], firm_code,
    )  # fmt: skip
    if waiting:
        data = receive.create_receipt(runtime, session, firm_code, measure_only=False)
        return {"written": "receipt", "bytes": len(data)}, data
    data = issue.create_request(runtime, session, Flow.PUSH, firm_code, measure_only=False)
    return {"written": "context", "bytes": len(data)}, data


def _import(runtime: Runtime, artefact: bytes | None) -> Answer:
    """What `cmu --import` does with a file: an update is imported, a receipt closes its rows."""
    anywhere = Session(0, None, None, None)
    if artefact is not None and artefacts.kind_of(artefact) == "receipt":
        receive.confirm(runtime, anywhere, artefact)
    else:
        receive.import_update(runtime, anywhere, artefact)
    return {"imported": True}


def _add_fault(runtime: Runtime, request: dict[str, Any]) -> Answer:
    runtime.faults.add(
        str(request.get("point")), str(request.get("action")), int(request.get("value", 0)),
        int(request.get("skip", 0)), int(request.get("times", 1)),
    )  # fmt: skip
    return {"faults": runtime.faults.listed()}


def _clear_faults(runtime: Runtime, _request: dict[str, Any]) -> Answer:
    runtime.faults.clear()
    return {"faults": []}


def _set(runtime: Runtime, request: dict[str, Any]) -> Answer:
    """Change the twin's settings; the box time is kept first so that it never goes back."""
    changes = {key: value for key, value in request.items() if key != "op"}
    for key, value in changes.items():
        if key not in SETTINGS:
            raise ValueError(f"there is no setting {key!r}; they are {', '.join(SETTINGS)}")
        if value is not None and not isinstance(value, int):
            raise ValueError(f"setting {key} must be a whole number, true, false or null")
    runtime.keep_box_time()
    for key, value in changes.items():
        runtime.store.set_meta(key, value)
    runtime.keep_box_time()
    settings = {key: runtime.store.meta(key) for key in SETTINGS}
    return {**settings, "box_time": runtime.box_time()}


def _restore(runtime: Runtime, request: dict[str, Any]) -> Answer:
    mask, serial = _serial(request)
    lots.restore(runtime, mask, serial, bytes.fromhex(str(request.get("transfer_id"))))
    return {"restored": True}


def _passages(runtime: Runtime, _request: dict[str, Any]) -> Answer:
    passed = list(runtime.faults.passed)
    runtime.faults.passed.clear()
    return {"passages": passed}


def _snapshot(runtime: Runtime, request: dict[str, Any]) -> Answer:
    snapshots.save(runtime.store.connection, _snapshot_path(runtime, request))
    return {"saved": True}


def _rollback(runtime: Runtime, request: dict[str, Any]) -> Answer:
    snapshots.load(_snapshot_path(runtime, request), runtime.store.connection)
    return {"restored": True}


def _snapshot_path(runtime: Runtime, request: dict[str, Any]) -> Path:
    name = str(request.get("name"))
    if not name.isidentifier():
        raise ValueError("a snapshot's name is made of letters, digits and underscores")
    return runtime.directory / f"snapshot_{name}.db"


def _serial(request: dict[str, Any]) -> tuple[int, int]:
    parts = str(request.get("serial")).split("-")
    if len(parts) != 2 or not all(part.isdigit() for part in parts):
        raise ValueError("serial must look like 130-1000000001")
    return int(parts[0]), int(parts[1])


_OPERATIONS: dict[str, Callable[[Runtime, dict[str, Any]], Answer]] = {
    "describe": lambda runtime, _request: describe(runtime),
    "_twin.fault": _add_fault,
    "_twin.faults": lambda runtime, _request: {"faults": runtime.faults.listed()},
    "_twin.clear": _clear_faults,
    "_twin.points": lambda _runtime, _request: {"points": faults.points()},
    "_twin.passages": _passages,
    "_twin.set": _set,
    "_twin.restore": _restore,
    "_twin.snapshot": _snapshot,
    "_twin.rollback": _rollback,
}
