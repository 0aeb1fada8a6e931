# SPDX-License-Identifier: GPL-3.0-or-later
"""Which transfers the twin refuses, each with the vendor's number, before any effect.

Which number the product gives for which rule is not public; where no number's name fits, the twin
uses 231 (access denied) for what an option forbids and 105 (invalid parameter) for what can never
be asked.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seatkeeper_twins.codemeter import constants, view
from seatkeeper_twins.codemeter.constants import (
    BORROW_TYPES,
    WHOLE_TYPES,
    Error,
    Flow,
    HistoryStatus,
    Refusal,
    TransferStatus,
    TransferType,
)
from seatkeeper_twins.codemeter.records import Transfer
from seatkeeper_twins.codemeter.runtime import Runtime


@dataclass(frozen=True)
class Amount:
    """What leaves the item; None where the item has no such quantity."""

    licenses: int | None
    units: int | None


def check_profile(profile: str, kind: int) -> TransferType:
    """The type, if this version of the runtime offers it."""
    if kind not in constants.TYPES_OF_PROFILE[profile]:
        raise Refusal(Error.INVALID_PARAMETER, f"profile {profile} does not offer type {kind}")
    return TransferType(kind)


def check_container(
    profile: str, container: Mapping[str, Any] | sqlite3.Row, receives_borrow: bool
) -> None:
    """Refuse containers that cannot take part: kind and firmware (grade D)."""
    mask = container["mask"]
    firmware = (container["firmware_major"], container["firmware_minor"])
    name = f"container {mask}-{container['serial']}"
    if mask == constants.MASK_CMACT_UNIVERSAL:
        return
    if mask not in constants.DONGLE_MASKS or profile == "6.10":
        raise Refusal(Error.INVALID_PARAMETER, f"{name} is of a kind that cannot transfer here")
    needed = (
        constants.FIRMWARE_RECEIVE_BORROW_MIN
        if receives_borrow
        else constants.FIRMWARE_TRANSFER_MIN
    )
    if firmware < needed:
        raise Refusal(Error.INVALID_PARAMETER, f"{name} has a firmware below {needed}")


def check_firm_code(firm_code: int) -> None:
    """Only Universal Firm Codes transfer (grade D)."""
    if firm_code < constants.UNIVERSAL_FIRM_CODE_MIN:
        raise Refusal(Error.INVALID_PARAMETER, f"firm code {firm_code} is not above 6,000,000")


def option_of(item: sqlite3.Row, kind: int) -> dict[str, Any]:
    """The item's option for a type; Refusal 231 when the item does not offer it."""
    for option in view.options_of(item):
        if option["type"] == kind:
            return option
    raise Refusal(Error.ACCESS_DENIED, f"the item does not offer transfer type {kind}")


def check_forward(
    runtime: Runtime, item: sqlite3.Row, flow: Flow, kind: TransferType, request: dict[str, Any]
) -> dict[str, Any]:
    """The rules of push and pull; gives back the item's option for this type."""
    if item["borrow_end"] is not None:
        raise Refusal(Error.ACCESS_DENIED, "a borrowed license cannot be transferred further")
    option = option_of(item, kind)
    if flow is Flow.PULL and (kind in BORROW_TYPES or not option["pull_allowed"]):
        raise Refusal(Error.ACCESS_DENIED, "pulling is not allowed")
    if option["transfer_depth"] < 1:
        raise Refusal(Error.ACCESS_DENIED, "the transfer depth is exhausted")
    if option["firm_item_required"] and not request["has_firm_item"]:
        raise Refusal(Error.ENTRY_NOT_FOUND, "the firm item is missing at the target")
    unreceipted = runtime.store.row(
        "SELECT 1 FROM history WHERE item = ? AND sent = 1 AND status IN (?, ?, ?)",
        item["id"], HistoryStatus.IN_PUSH_TRANSIT, HistoryStatus.IN_RETURN_TRANSIT,
        HistoryStatus.IN_PULL_TRANSIT,
    )  # fmt: skip
    if item["receipt_required"] and unreceipted:
        raise Refusal(Error.ACCESS_DENIED, "an older transfer of the item is unreceipted")
    return option


def check_return(item: sqlite3.Row, kind: TransferType, target: tuple[int, int]) -> None:
    """The rules of a return: as it came, to where it came from, if the option allows it."""
    if item["origin_serial"] is None:
        raise Refusal(Error.ACCESS_DENIED, "the item was not received from anywhere")
    if (item["origin_mask"], item["origin_serial"]) != target:
        raise Refusal(Error.BOX_NOT_FOUND, "an item returns only to where it came from")
    if kind != item["arrival_type"]:
        raise Refusal(Error.INVALID_PARAMETER, "an item returns by the type it came by")
    # Early return of a borrow is allowed (grade D), whatever the option says of returning.
    if kind not in BORROW_TYPES and not option_of(item, kind)["return_allowed"]:
        raise Refusal(Error.ACCESS_DENIED, "returning is not allowed")


def check_enabled(item: sqlite3.Row) -> None:
    """Only an item in use can be transferred."""
    if item["status"] != TransferStatus.ENABLED:
        raise Refusal(Error.ENTRY_NOT_FOUND, "the item is disabled or deleted")


def check_amount(
    runtime: Runtime, item: sqlite3.Row, kind: TransferType, transfer: Transfer
) -> Amount:
    """What the transfer takes; Refusals 105 (odd amounts) and 212 (more than there is)."""
    licenses, units = item["license_quantity"], item["unit_counter"]
    if kind in WHOLE_TYPES:
        if transfer.licenses not in (0, licenses) or transfer.units not in (0, units):
            raise Refusal(Error.INVALID_PARAMETER, "a whole item moves with all it has")
        _check_nothing_lent(runtime, item)
        return Amount(licenses, units)
    if kind is TransferType.UNITS:
        if transfer.units < 1 or transfer.licenses:
            raise Refusal(Error.INVALID_PARAMETER, "name the units, and only them")
        _check_enough(units, transfer.units)
        return Amount(None, transfer.units)
    if transfer.units:
        raise Refusal(Error.INVALID_PARAMETER, "units go by the type units")
    wanted = transfer.licenses
    if kind is TransferType.BORROW_LOCAL:
        if wanted > 1:
            raise Refusal(Error.INVALID_PARAMETER, "a local borrow is one license")
        wanted = 1
    if wanted < 1:
        raise Refusal(Error.INVALID_PARAMETER, "name the license quantity")
    _check_enough(licenses, wanted)
    return Amount(wanted, None)


def check_borrow_end(
    runtime: Runtime, option: dict[str, Any], kind: TransferType, end: int | None
) -> int | None:
    """The end of a borrow in seconds since 1970; Refusals 105, 226 and 231."""
    if kind not in BORROW_TYPES:
        if end is not None:
            raise Refusal(Error.INVALID_PARAMETER, "only a borrow has an end")
        return None
    if runtime.store.meta("borrow_blocked"):
        raise Refusal(Error.ACCESS_DENIED, "the administrator blocked borrowing")
    now = runtime.box_time()
    longest = int(option["max_borrow_seconds"])
    hours = runtime.store.meta("max_borrow_hours")
    if hours is not None:
        longest = min(longest, hours * 3600)
    if end is None or end <= now:
        raise Refusal(Error.BORROW_FAILED, "the end of the borrow is not in the future")
    if end - now > longest:
        raise Refusal(Error.BORROW_FAILED, f"the borrow exceeds {longest} seconds")
    return end


def check_clocks(runtime: Runtime, kind: TransferType, other: int) -> None:
    """A borrow needs clocks that agree; `other` is the other side's box time; Refusal 232."""
    limit = int(runtime.store.meta("max_time_difference_seconds"))
    if kind in BORROW_TYPES and abs(runtime.box_time() - other) > limit:
        raise Refusal(Error.TIME_DIFFERENCE_TOO_LARGE, f"times differ by more than {limit} s")


def _check_enough(present: int | None, wanted: int) -> None:
    if present is None or wanted > present:
        raise Refusal(Error.NO_MORE_LICENSES, f"{wanted} wanted, {present or 0} there")


def _check_nothing_lent(runtime: Runtime, item: sqlite3.Row) -> None:
    if runtime.store.row("SELECT 1 FROM history WHERE item = ? AND lot = 'lent'", item["id"]):
        raise Refusal(Error.ACCESS_DENIED, "part of the item is lent")
