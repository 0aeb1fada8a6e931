# SPDX-License-Identifier: GPL-3.0-or-later
"""What the twin shows: containers, entries, history, options and times as vendor records."""

from __future__ import annotations

import json
import sqlite3
from functools import lru_cache
from typing import Any

from seatkeeper_twins.codemeter import constants, records
from seatkeeper_twins.codemeter.constants import (
    Error,
    ItemOption,
    Refusal,
    TransferStatus,
    TransferType,
)
from seatkeeper_twins.codemeter.runtime import Runtime, Session

ENTRIES_FIRM_ITEMS = 1
ITEMS_HELD = 16_384
PORT_ALL, PORT_DONGLE, PORT_CMACT = 0, 1, 4
INFO_BOX, INFO_BOX_TIME, INFO_BOX_STATUS = 0x01, 0x03, 0x10
INFO_SYSTEM_STATUS, INFO_HISTORY, INFO_OPTIONS = 0x36, 0x38, 0x39


def boxes(runtime: Runtime, port: int) -> list[bytes]:
    """CMBOXINFO of every container behind this port."""
    found = runtime.store.rows("SELECT * FROM container ORDER BY id")
    return [
        _box_info(container)
        for container in found
        if port == PORT_ALL
        or (port == PORT_DONGLE) == (container["mask"] in constants.DONGLE_MASKS)
    ]


def entries(
    runtime: Runtime, session: Session, flags: int, firm_code: int, box: bytes | None
) -> list[bytes]:
    """CMBOXENTRY2 of the items (or firm items) of the handle's or the named container."""
    container = _chosen_container(runtime, session, box)
    firm_items = {
        row["firm_code"]: _firm_item(row)
        for row in runtime.store.rows(
            "SELECT * FROM firm_item WHERE container = ? AND (? = 0 OR firm_code = ?)"
            " ORDER BY firm_code",
            container, firm_code, firm_code,
        )
    }  # fmt: skip
    if flags & ENTRIES_FIRM_ITEMS:
        return [firm + records.NO_PRODUCT_ITEM for firm in firm_items.values()]
    items = runtime.store.rows(
        "SELECT i.*, EXISTS (SELECT 1 FROM history h WHERE h.item = i.id) AS has_history"
        " FROM item i WHERE container = ? AND (? = 0 OR firm_code = ?) ORDER BY reference",
        container, firm_code, firm_code,
    )  # fmt: skip
    return [firm_items[item["firm_code"]] + _product_item(item) for item in items]


def info(runtime: Runtime, session: Session, what: int) -> bytes:
    """CmGetInfo; Refusal 105 for what the twin does not show.

    Version 0x0b is among them because the public facts do not give its record.
    """
    if what == INFO_BOX_TIME:
        certified = runtime.store.meta("certified_time")
        return records.pack_box_time(certified, runtime.box_time(), runtime.system_time())
    if what == INFO_SYSTEM_STATUS:
        return records.pack_system_status(constants.SYSTEM_STATUS_FLAGS)
    if what == INFO_BOX:
        return _box_info(runtime.container(session))
    if what == INFO_BOX_STATUS:
        return _box_status(runtime.container(session)["mask"]).to_bytes(4, "little")
    if what == INFO_HISTORY:
        return b"".join(_history(row) for row in history_rows(runtime, runtime.item(session)["id"]))
    if what == INFO_OPTIONS:
        return _all_options(runtime.item(session)["options"])
    raise Refusal(Error.INVALID_PARAMETER, f"information {what:#x} is not shown by the twin")


def history_rows(runtime: Runtime, item: int) -> list[sqlite3.Row]:
    """The history of one product item, oldest first."""
    return runtime.store.rows("SELECT * FROM history WHERE item = ? ORDER BY number", item)


def options_of(item: sqlite3.Row) -> list[dict[str, Any]]:
    """The transfer options of one product item, in the seed's words."""
    options: list[dict[str, Any]] = json.loads(item["options"])
    return options


def _chosen_container(runtime: Runtime, session: Session, box: bytes | None) -> int:
    mask, serial = (0, 0) if box is None else records.unpack_box_info(box)
    if session.container is None and not serial:
        raise Refusal(Error.INVALID_PARAMETER, "neither the handle nor the record names a box")
    if not serial:
        return int(runtime.container(session)["id"])
    found = runtime.store.row(
        "SELECT id FROM container WHERE mask = ? AND serial = ?", mask, serial
    )
    if found is None or session.container not in (None, found["id"]):
        raise Refusal(Error.BOX_NOT_FOUND, f"no container {mask}-{serial} behind this handle")
    return int(found["id"])


def _box_info(container: sqlite3.Row) -> bytes:
    firmware = (container["firmware_major"], container["firmware_minor"])
    return records.pack_box_info(container["mask"], container["serial"], firmware)


def _box_status(mask: int) -> int:
    if mask in constants.DONGLE_MASKS:
        return 0
    return (
        constants.BOX_STATUS_CMACT
        | constants.BOX_STATUS_LOADED
        | constants.BOX_STATUS_ACTIVE
        | constants.BOX_STATUS_PROGRAMMABLE
    )


def _firm_item(row: sqlite3.Row) -> bytes:
    is_transferable = row["firm_code"] >= constants.UNIVERSAL_FIRM_CODE_MIN
    values = records.FirmItem(
        firm_item_ctrl=constants.FIRM_ITEM_TRANSFER_BASED if is_transferable else 0,
        firm_code=row["firm_code"],
        update_counter=row["update_counter"],
        firm_item_text=row["text"],
    )
    return records.pack_firm_item(values)


@lru_cache(maxsize=ITEMS_HELD)
def _product_item(item: sqlite3.Row) -> bytes:
    """Held by all that the row says: a runtime holds its records packed as well."""
    borrowed = item["arrival_type"] == TransferType.BORROW_LOCAL
    return records.pack_product_item(
        records.ProductItem(
            options=_options_set(item),
            product_code=item["product_code"],
            feature_map=item["feature_map"],
            unit_counter=item["unit_counter"] or 0,
            expires_at=item["expires_at"],
            license_quantity=item["license_quantity"] or 0,
            quantity_flags=constants.QUANTITY_LOCAL_ACCESS_ONLY if borrowed else 0,
            transfer_status=item["status"],
            reference=item["reference"],
            origin_mask=item["origin_mask"] or 0,
            origin_serial=item["origin_serial"] or 0,
            borrow_end=item["borrow_end"],
            transfer_id=item["arrival_id"] or b"",
        )
    )


def _options_set(item: sqlite3.Row) -> int:
    """Plain numbers and no flags: a container has as many of these as it has items."""
    is_movable, is_pulled = _offers(item["options"])
    conditions = (
        (ItemOption.PRODUCT_CODE, True),
        (ItemOption.FEATURE_MAP, item["feature_map"]),
        (ItemOption.EXPIRATION, item["expires_at"] is not None),
        (ItemOption.UNIT_COUNTER, item["unit_counter"] is not None),
        (ItemOption.TEXT, item["name"]),
        (ItemOption.LICENSE_QUANTITY, item["license_quantity"] is not None),
        (ItemOption.BORROW_EXPIRATION, item["borrow_end"] is not None),
        (ItemOption.HISTORY, item["has_history"]),
        (ItemOption.TRANSFER_OPTIONS, is_movable),
        (ItemOption.RETURN_INFO, item["origin_serial"] is not None),
        (ItemOption.ACCEPTS_PULL, is_pulled),
        (ItemOption.STATUS, item["status"] != TransferStatus.ENABLED),
    )
    return sum([bit for bit, condition in conditions if condition])


@lru_cache(maxsize=1024)
def _offers(options: str) -> tuple[bool, bool]:
    """Whether an item with these options may move at all, and whether it may be pulled."""
    offered = json.loads(options)
    return bool(offered), any(option["pull_allowed"] for option in offered)


def _history(row: sqlite3.Row) -> bytes:
    return records.pack_history(
        row["number"],
        row["status"],
        row["type"],
        (row["units"], row["licenses"], row["returned"]),
        (row["time"], row["borrow_end"]),
        (row["transfer_id"], row["confirmed_id"] or b""),
        (row["peer_mask"], row["peer_serial"]),
        row["update_counter"],
    )


@lru_cache(maxsize=1024)
def _all_options(options: str) -> bytes:
    return b"".join(map(_options, json.loads(options)))


def _options(option: dict[str, Any]) -> bytes:
    flags = (
        constants.OPTION_PULL_ALLOWED * option["pull_allowed"]
        | constants.OPTION_RETURN_ALLOWED * option["return_allowed"]
        | constants.OPTION_NO_FIRM_ITEM_REQUIRED * (not option["firm_item_required"])
    )
    return records.pack_options(
        flags, option["type"], option["max_borrow_seconds"], option["transfer_depth"]
    )
