# SPDX-License-Identifier: GPL-3.0-or-later
"""The seed of a twin: which containers, firm items and product items it starts with.

{"containers": [{
    "serial": "130-1000000001",           mask-serial
    "name": "studio-01",                  optional
    "firmware": "3.10",                   optional; matters for dongles (masks 1 to 3)
    "firm_items": [{"firm_code": 6000010, "text": "Example Vendor"}],    optional
    "items": [{
        "firm_code": 6000010, "product_code": 201, "feature_map": 0,
        "firm_item_text": "Example Vendor",   optional
        "name": "Renderer",                   optional
        "license_quantity": 25,               or null
        "unit_counter": null,                 or a number
        "expires_at": null,                   or "2027-01-01T00:00:00Z"
        "receipt_required_between_transfers": false,    optional, the twin's own rule
        "options": [{
            "type": "licenses",   complete, units, licenses, borrow_local, borrow_complete
            "pull_allowed": true, "return_allowed": true, "firm_item_required": false,
            "transfer_depth": 2, "max_borrow_seconds": 0   at least 1 for the borrow types
        }]
    }]
}]}
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from seatkeeper_twins.codemeter.constants import BORROW_TYPES, TYPE_NAMES
from seatkeeper_twins.parts.seed import SeedError, table

_SERIAL = re.compile(r"(\d{1,5})-(\d{1,10})")
_FIRMWARE = re.compile(r"(\d{1,3})\.(\d{1,3})")
_U32_MAX = 2**32 - 1
_ITEMS_MAX = 60_000
_CONTAINER_KEYS = {"serial", "name", "firmware", "firm_items", "items"}
_FIRM_KEYS = {"firm_code", "text"}
_OPTION_KEYS = {
    "type", "pull_allowed", "return_allowed", "firm_item_required", "transfer_depth",
    "max_borrow_seconds",
}  # fmt: skip
_ITEM_KEYS = {
    "firm_code", "firm_item_text", "product_code", "feature_map", "name", "license_quantity",
    "unit_counter", "expires_at", "receipt_required_between_transfers", "options",
}  # fmt: skip


@dataclass(frozen=True)
class SeedItem:
    """One product item; times in seconds since 1970, options ready to be stored."""

    firm_code: int
    firm_item_text: str
    product_code: int
    feature_map: int
    name: str
    license_quantity: int | None
    unit_counter: int | None
    expires_at: int | None
    receipt_required: bool
    options: list[dict[str, Any]]


@dataclass(frozen=True)
class SeedContainer:
    """One container with its items and the firm items that hold none."""

    mask: int
    serial: int
    name: str
    firmware: tuple[int, int]
    firm_items: dict[int, str]
    items: list[SeedItem]


def parse_seed(seed: object) -> list[SeedContainer]:
    """The containers of a seed; SeedError says what is wrong with it."""
    root = table(seed, "the seed", {"containers"})
    containers = [
        _container(entry, f"containers[{number}]")
        for number, entry in enumerate(_list(root.get("containers", []), "containers"))
    ]
    serials = [(container.mask, container.serial) for container in containers]
    for mask, serial in serials:
        if serials.count((mask, serial)) > 1:
            raise SeedError(f"container {mask}-{serial} occurs more than once")
    return containers


def _container(entry: object, where: str) -> SeedContainer:
    found = table(entry, where, _CONTAINER_KEYS)
    mask, serial = _matched(found.get("serial"), _SERIAL, f"{where}.serial", "130-1000000001")
    if mask > 0xFFFF or serial > _U32_MAX:
        raise SeedError(f"{where}.serial exceeds mask 65535 or serial {_U32_MAX}")
    firmware = _matched(found.get("firmware", "3.10"), _FIRMWARE, f"{where}.firmware", "3.10")
    firm_items = dict(
        _firm_item(firm, f"{where}.firm_items[{number}]")
        for number, firm in enumerate(_list(found.get("firm_items", []), f"{where}.firm_items"))
    )
    entries = _list(found.get("items", []), f"{where}.items")
    if len(entries) > _ITEMS_MAX:
        raise SeedError(f"{where}.items has {len(entries)} entries, at most {_ITEMS_MAX} fit")
    items = [_item(item, f"{where}.items[{number}]") for number, item in enumerate(entries)]
    return SeedContainer(mask, serial, _text(found, "name", where), firmware, firm_items, items)


def _firm_item(entry: object, where: str) -> tuple[int, str]:
    found = table(entry, where, _FIRM_KEYS)
    return _number(found, "firm_code", where), _text(found, "text", where)


def _item(entry: object, where: str) -> SeedItem:
    found = table(entry, where, _ITEM_KEYS)
    options = [
        _option(option, f"{where}.options[{number}]")
        for number, option in enumerate(_list(found.get("options", []), f"{where}.options"))
    ]
    types = [option["type"] for option in options]
    if len(set(types)) != len(types):
        raise SeedError(f"{where}.options names a type more than once")
    return SeedItem(
        firm_code=_number(found, "firm_code", where),
        firm_item_text=_text(found, "firm_item_text", where),
        product_code=_number(found, "product_code", where),
        feature_map=_number(found, "feature_map", where, default=0),
        name=_text(found, "name", where),
        license_quantity=_amount(found, "license_quantity", where),
        unit_counter=_amount(found, "unit_counter", where),
        expires_at=_moment(found.get("expires_at"), f"{where}.expires_at"),
        receipt_required=_flag(found, "receipt_required_between_transfers", where),
        options=options,
    )


def _option(entry: object, where: str) -> dict[str, Any]:
    found = table(entry, where, _OPTION_KEYS)
    kind = TYPE_NAMES.get(str(found.get("type")))
    if kind is None:
        raise SeedError(f"{where}.type must be one of {', '.join(TYPE_NAMES)}")
    period = _number(found, "max_borrow_seconds", where, default=0)
    if kind in BORROW_TYPES and period < 1:
        raise SeedError(f"{where}.max_borrow_seconds must be at least 1 for a borrow type")
    depth = _number(found, "transfer_depth", where, default=1)
    if depth > 0xFFFF:
        raise SeedError(f"{where}.transfer_depth must be at most 65535")
    return {
        "type": int(kind),
        "pull_allowed": _flag(found, "pull_allowed", where),
        "return_allowed": _flag(found, "return_allowed", where),
        "firm_item_required": _flag(found, "firm_item_required", where),
        "transfer_depth": depth,
        "max_borrow_seconds": period,
    }


def _list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise SeedError(f"{where} must be a list")
    return value


def _number(table: dict[str, Any], key: str, where: str, default: int | None = None) -> int:
    value = table.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _U32_MAX:
        raise SeedError(f"{where}.{key} must be a number from 0 to {_U32_MAX}")
    return value


def _amount(table: dict[str, Any], key: str, where: str) -> int | None:
    return None if table.get(key) is None else _number(table, key, where)


def _flag(table: dict[str, Any], key: str, where: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise SeedError(f"{where}.{key} must be true or false")
    return value


def _text(table: dict[str, Any], key: str, where: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or len(value) > 255 or not value.isprintable():
        raise SeedError(f"{where}.{key} must be a text of at most 255 printable characters")
    return value


def _matched(value: object, pattern: re.Pattern[str], where: str, example: str) -> tuple[int, int]:
    found = pattern.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise SeedError(f"{where} must look like {example}")
    return int(found[1]), int(found[2])


def _moment(value: object, where: str) -> int | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.year < 2000:
        raise SeedError(f"{where} must be null or a time like 2027-01-01T00:00:00Z")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp())
