# SPDX-License-Identifier: GPL-3.0-or-later
"""What the worker does for the agent: each function here answers one request.

Arguments and results are plain JSON values; artefacts travel in base64. Each answer to an
effect comes from exactly one call of the function that has the effect.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from ctypes import byref, c_uint32, create_string_buffer
from typing import Any

from seatkeeper_agent.vendors.codemeter import constants as cm
from seatkeeper_agent.vendors.codemeter.binding import CallFailedError, Runtime
from seatkeeper_agent.vendors.codemeter.messages import (
    Box,
    Entry,
    History,
    Option,
    vendor_text,
)
from seatkeeper_agent.vendors.codemeter.records import (
    CMBOXENTRY2,
    CMBOXINFO,
    CMBOXTIME,
    CMLTHISTORY,
    CMLTREQUEST,
    CMLTTRANSFER,
    CMLTTRANSFEROPTIONS,
    CMTIME,
)

ARTEFACT_BYTES_MAX = 256 * 1024
"""Room for a request, an update or a receipt; public callers use 32 to 256 KiB (grade T)."""

ItemCodes = list[int]
"""Firm code, product code and product item reference."""


def version(runtime: Runtime) -> dict[str, int | None]:
    """The version of the library and, where the server answers, the server's."""
    library = runtime.call("CmGetVersion", None)
    try:
        with runtime.access() as handle:
            return {"library": library, "server": runtime.call("CmGetVersion", handle)}
    except CallFailedError:
        return {"library": library, "server": None}


def reach(runtime: Runtime) -> dict[str, Any]:
    """Whether the server answers, be it with a refusal, and its words where it does not.

    CallFailedError where that cannot be told: a network fault, or a server that just starts.
    """
    try:
        with runtime.access():
            return {"running": True, "text": ""}
    except CallFailedError as error:
        if error.number in cm.ERRORS_NOT_RUNNING:
            return {"running": False, "text": vendor_text(error.text, error.number)}
        if error.number in (0, cm.ERROR_NETWORK_FAULT, cm.ERROR_SERVER_START_PENDING):
            raise
        return {"running": True, "text": ""}


def boxes(runtime: Runtime) -> list[Box]:
    """All local containers with their status."""
    with runtime.access() as handle:
        found = runtime.listing(CMBOXINFO, (), "CmGetBoxes", handle, cm.BOXES_ALL)
    return [
        Box(box.mask, box.serial, box.major, box.minor, _box_status(runtime, box)) for box in found
    ]


def _box_status(runtime: Runtime, box: CMBOXINFO) -> int | None:
    # The record is not public: only an answer of exactly one number is understood.
    buffer = create_string_buffer(256)
    try:
        with runtime.access(box_mask=box.mask, serial=box.serial) as handle:
            size = runtime.call("CmGetInfo", handle, cm.INFO_BOX_STATUS, buffer, 256)
    except CallFailedError:
        return None
    return c_uint32.from_buffer(buffer).value if size == 4 else None


def contents(
    runtime: Runtime,
    mask: int,
    serial: int,
    flags: int,
    firm_code: int,
    product_code: int | None,
) -> list[Entry]:
    """The entries of a container; firm code 0 for all, of one product code or of any.

    The runtime itself picks out firm codes only.
    """
    box = CMBOXINFO(mask=mask, serial=serial)
    with runtime.access(box_mask=mask, serial=serial) as handle:
        of = (mask, serial, flags)
        rows = runtime.listing(
            CMBOXENTRY2, of, "CmGetBoxContents2", handle, flags, firm_code, byref(box)
        )
    texts: dict[bytes, str] = {}
    return [_entry(row, texts) for row in rows if product_code in (None, row.product_code)]


def _entry(row: CMBOXENTRY2, texts: dict[bytes, str]) -> Entry:
    raw = bytes(row.firm_item_text)
    if raw not in texts:
        texts[raw] = raw.decode("utf-16-le", "replace").partition("\0")[0]
    return Entry(
        firm_code=row.firm_code,
        product_code=row.product_code,
        reference=row.product_item_reference,
        feature_map=row.feature_map,
        set_options=row.set_options,
        update_counter=row.update_counter,
        name=texts[raw],
        unit_counter=row.unit_counter,
        license_quantity=row.license_quantity,
        quantity_flags=row.license_quantity_flags,
        expires_at=row.expiration.to_epoch(),
        status=row.transfer_status,
        origin_mask=row.transfer_box_mask,
        origin_serial=row.transfer_serial,
        borrowed_until=row.transfer_borrow_expiration.to_epoch(),
        transfer_id=_hexadecimal(row.transfer_id),
    )


def _hexadecimal(identity: Any) -> str:
    raw = bytes(identity)
    return raw.hex() if any(raw) else ""


def options(
    runtime: Runtime, mask: int, serial: int, items: list[ItemCodes]
) -> list[list[Option] | None]:
    """The transfer options per item, None for an item that cannot be accessed."""
    found = runtime.item_infos((mask, serial), items, cm.INFO_TRANSFER_OPTIONS, CMLTTRANSFEROPTIONS)
    return [None if rows is None else [_option(row) for row in rows] for rows in found]


def history(
    runtime: Runtime, mask: int, serial: int, items: list[ItemCodes]
) -> list[list[History] | None]:
    """The transfer history per item, None for an item that cannot be accessed."""
    found = runtime.item_infos((mask, serial), items, cm.INFO_TRANSFER_HISTORY, CMLTHISTORY)
    return [None if rows is None else [_history(row) for row in rows] for rows in found]


def _option(row: CMLTTRANSFEROPTIONS) -> Option:
    return Option(row.flags, row.type, row.borrow_period_max, row.transfer_depth)


def _history(row: CMLTHISTORY) -> History:
    return History(
        number=row.index,
        status=row.status,
        type=row.type,
        at=row.time.to_epoch(),
        unit_counter=row.unit_counter,
        license_quantity=row.license_quantity,
        returned_quantity=row.returned_quantity,
        borrow_expires_at=row.borrow_expiration.to_epoch(),
        transfer_id=_hexadecimal(row.transfer_id),
        confirmed_transfer_id=_hexadecimal(row.confirmed_transfer_id),
        mask=row.box_mask,
        serial=row.serial,
        update_counter=row.update_counter,
    )


def clock(runtime: Runtime, mask: int, serial: int) -> dict[str, int | None]:
    """The three clocks of a container."""
    with runtime.access(box_mask=mask, serial=serial) as handle:
        rows = runtime.info(handle, cm.INFO_BOX_TIME, CMBOXTIME)
    times = rows[0] if rows else CMBOXTIME()
    return {
        "certified": times.certified.to_epoch(),
        "box": times.box.to_epoch(),
        "system": times.system.to_epoch(),
    }


def create_context(runtime: Runtime, mask: int, serial: int, firm_code: int, flags: int) -> str:
    """The receiving side's request."""
    request = CMLTREQUEST(firm_code=firm_code)
    out = create_string_buffer(ARTEFACT_BYTES_MAX)
    with runtime.access(box_mask=mask, serial=serial) as handle:
        size = runtime.checked(
            "CmLtCreateContext", handle, flags, byref(request), None, 0, out, ARTEFACT_BYTES_MAX
        )
    return _artefact("CmLtCreateContext", out, size)


def do_transfer(
    runtime: Runtime,
    mask: int,
    serial: int,
    item: ItemCodes,
    flags: int,
    command: dict[str, int | None],
    request: str,
) -> str:
    """EFFECT: debit the item and give the update.

    The buffer is large enough at once: nothing documents that asking for the size, by a null
    buffer, would leave the seats where they are.
    """
    transfer = CMLTTRANSFER(
        ctrl=command["type"],
        units=command["units"],
        license_quantity=command["licenses"],
        borrow_expiration=CMTIME.from_epoch(command["until"]),
        history_option_id=command["history_index"],
    )
    given = a2b_base64(request)
    out = create_string_buffer(ARTEFACT_BYTES_MAX)
    firm_code, product_code, reference = item
    with runtime.access(
        box_mask=mask,
        serial=serial,
        firm_code=firm_code,
        product_code=product_code,
        product_item_reference=reference,
    ) as handle:
        size = runtime.checked(
            "CmLtDoTransfer", handle, flags, byref(transfer), given, len(given), out,
            ARTEFACT_BYTES_MAX,
        )  # fmt: skip
    return _artefact("CmLtDoTransfer", out, size)


def import_update(runtime: Runtime, mask: int, serial: int, update: str) -> bool:
    """EFFECT: credit what the update brings."""
    given = a2b_base64(update)
    with runtime.access(box_mask=mask, serial=serial) as handle:
        runtime.checked("CmLtImportUpdate", handle, 0, given, len(given))
    return True


def create_receipt(runtime: Runtime, mask: int, serial: int, firm_code: int) -> str:
    """The receiving side's receipt."""
    request = CMLTREQUEST(firm_code=firm_code)
    out = create_string_buffer(ARTEFACT_BYTES_MAX)
    with runtime.access(box_mask=mask, serial=serial) as handle:
        size = runtime.checked(
            "CmLtCreateReceipt", handle, 0, byref(request), out, ARTEFACT_BYTES_MAX
        )
    return _artefact("CmLtCreateReceipt", out, size)


def confirm_transfer(runtime: Runtime, mask: int, serial: int, receipt: str) -> bool:
    """EFFECT: close the history row."""
    given = a2b_base64(receipt)
    with runtime.access(box_mask=mask, serial=serial) as handle:
        runtime.checked("CmLtConfirmTransfer", handle, 0, given, len(given))
    return True


def _artefact(function: str, out: Any, size: int) -> str:
    if size > ARTEFACT_BYTES_MAX:
        raise ValueError(f"{function} gave {size} bytes, more than {ARTEFACT_BYTES_MAX}")
    return b2a_base64(out.raw[:size], newline=False).decode("ascii")


REQUESTS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        version,
        reach,
        boxes,
        contents,
        options,
        history,
        clock,
        create_context,
        do_transfer,
        import_update,
        create_receipt,
        confirm_transfer,
    )
}
"""The requests by name; nothing else is ever called."""
