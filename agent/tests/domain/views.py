# SPDX-License-Identifier: GPL-3.0-or-later
"""A transfer that every rule allows, and ways to change one thing about it."""

from __future__ import annotations

from typing import Any

from seatkeeper_agent.domain.licenses import (
    ContainerClock,
    HistoryRow,
    HistoryStatus,
    Item,
    ItemKey,
    TransferOption,
    TransferType,
)
from seatkeeper_agent.domain.preflight import PeerFacts, Policy, SourceView
from seatkeeper_agent.domain.transfers import Declaration, Mode, Place, transfer_id

NOW, DAY = 1_800_000_000, 86_400
SOURCE, TARGET = "130-1", "130-2"
CODES = "6000010:201"
LONGEST = 30 * DAY


def option_of(type_: str, **changes: Any) -> TransferOption:
    """An option that allows everything."""
    values = {
        "pull_allowed": True, "return_allowed": True, "firm_item_required": False,
        "transfer_depth": 1, "borrow_seconds_max": LONGEST,
    }  # fmt: skip
    return TransferOption(TransferType(type_), **{**values, **changes})


ITEM = Item(
    key=ItemKey.parse(f"{CODES}@1"),
    name="Example",
    license_quantity=5,
    unit_counter=100,
    update_counter=7,
    options=tuple(option_of(type_) for type_ in TransferType),
)


def declare(type_: str = "licenses", mode: str = "push", **changes: Any) -> Declaration:
    """A transfer of three licenses, or of what its type takes."""
    values: dict[str, Any] = {"quantity": None, "until": None, "parent": None}
    if type_ in ("licenses", "units"):
        values["quantity"] = 3
    if type_.startswith("borrow") and mode != "return":
        values["until"] = NOW + DAY
    if mode in ("return", "extend"):
        values["parent"] = transfer_id("parent")
    return Declaration(
        transfer_id("asked"), "asked", ItemKey.parse(changes.pop("item", CODES)),
        TransferType(type_), Mode(mode), Place("old", SOURCE), Place("new", TARGET),
        **{**values, **changes},
    )  # fmt: skip


def row(type_: str = "borrow_local", **changes: Any) -> HistoryRow:
    """A history row of a seat that is lent for a day."""
    values: dict[str, Any] = {
        "item": ITEM.key, "is_arrival": False, "index": 1, "type": type_,
        "status": HistoryStatus.TRANSFERRED_AND_RECEIPTED,
        "at": NOW - DAY, "unit_counter": 0, "license_quantity": 0, "returned_quantity": 0,
        "borrow_expires_at": NOW + DAY if type_.startswith("borrow") else None,
        "transfer_id": "aa", "confirmed_transfer_id": "aa", "container": TARGET,
        "update_counter": 1,
    }  # fmt: skip
    return HistoryRow(**{**values, **changes})


def view_of(declaration: Declaration, item: Item = ITEM, **changes: Any) -> SourceView:
    """What the rules look at."""
    values: dict[str, Any] = {
        "parent_vendor_id": None, "history": (), "runtime_types": tuple(TransferType),
        "clock": ContainerClock(NOW, NOW, NOW), "now": NOW, "policy": Policy(),
        "peer": PeerFacts(True, NOW),
    }  # fmt: skip
    return SourceView(declaration, item, **{**values, **changes})


def received(type_: str = "licenses", **changes: Any) -> Item:
    """The item as it came from the other container."""
    borrowed = NOW + DAY if type_.startswith("borrow") else None
    values = {"origin_serial": TARGET, "transfer_id": "aa", "borrowed_until": borrowed}
    return ITEM._replace(**{**values, **changes})


def with_option(type_: str, **changes: Any) -> Item:
    """The item with one option only, changed."""
    return ITEM._replace(options=(option_of(type_, **changes),))
