# SPDX-License-Identifier: GPL-3.0-or-later
"""The runtime's records as bytes: little-endian, laid out as in the vendor's public header (H)."""

from __future__ import annotations

import calendar
import struct
import time
from dataclasses import dataclass
from typing import NamedTuple

from seatkeeper_twins.codemeter.constants import Error, Refusal

EPOCH_2000 = 946_684_800
_TIME = struct.Struct("<6HI")
_BOX_INFO = struct.Struct("<BBHIHH64s64sI")
_ACCESS = struct.Struct("<8IBBHIII128s16s16s256s240s")
_ENTRY_FIRM = struct.Struct("<IIHHII512s100s")
_ENTRY_ITEM = struct.Struct("<5I16s16sI16s16sI16s6I32s10s12s")
_ENTRY_ORIGIN = struct.Struct("<HHHI16s10s170s")
_HISTORY = struct.Struct("<HBBIII16s16s10s10sIIH26s")
_OPTIONS = struct.Struct("<4B112s112sIH86s")
_REQUEST = struct.Struct("<II248s")
_TRANSFER = struct.Struct("<III16sH234s")
_SYSTEM_STATUS = struct.Struct("<I76s")
BOX_INFO_BYTES = _BOX_INFO.size
ENTRY_BYTES = _ENTRY_FIRM.size + _ENTRY_ITEM.size + _ENTRY_ORIGIN.size
HISTORY_BYTES = _HISTORY.size
OPTIONS_BYTES = _OPTIONS.size


class Access(NamedTuple):
    """What CMACCESS2 asks for; a zero stands for "any"."""

    ctrl: int
    firm_code: int
    product_code: int
    feature_code: int
    item_reference: int
    mask: int
    serial: int


@dataclass(frozen=True)
class Transfer:
    """CMLTTRANSFER; `borrow_end` in seconds since 1970, None when the record leaves it zero."""

    type: int
    units: int
    licenses: int
    borrow_end: int | None
    history_option_id: int


@dataclass(frozen=True)
class FirmItem:
    """The fields of CMBOXENTRY2 that all product items of a firm item share."""

    firm_item_ctrl: int
    firm_code: int
    update_counter: int
    firm_item_text: str


@dataclass(frozen=True)
class ProductItem:
    """The fields of CMBOXENTRY2 that the twin fills in besides; times in seconds since 1970."""

    options: int = 0
    product_code: int = 0
    feature_map: int = 0
    unit_counter: int = 0
    expires_at: int | None = None
    license_quantity: int = 0
    quantity_flags: int = 0
    transfer_status: int = 0
    reference: int = 0
    origin_mask: int = 0
    origin_serial: int = 0
    borrow_end: int | None = None
    transfer_id: bytes = b""


_NO_TIME = bytes(_TIME.size)


def pack_time(seconds: int | None) -> bytes:
    """CMTIME of a moment in seconds since 1970 (UTC); sixteen zero bytes for None."""
    if seconds is None:
        return _NO_TIME
    moment = time.gmtime(seconds)
    return _TIME.pack(*moment[:6], max(0, seconds - EPOCH_2000))


def unpack_time(record: bytes) -> int | None:
    """Seconds since 1970, from the seconds since 2000 if given, else from the calendar fields."""
    *fields, since_2000 = _TIME.unpack(record)
    if since_2000:
        return EPOCH_2000 + int(since_2000)
    if not fields[0]:
        return None
    try:
        return calendar.timegm(tuple(fields))
    except ValueError as error:
        raise Refusal(Error.INVALID_PARAMETER, f"not a calendar time: {error}") from error


def pack_box_time(certified: int | None, box: int, system: int) -> bytes:
    """CMBOXTIME."""
    return pack_time(certified) + pack_time(box) + pack_time(system)


def pack_box_info(mask: int, serial: int, firmware: tuple[int, int]) -> bytes:
    """CMBOXINFO; the keys are left zero because a twin has none."""
    return _BOX_INFO.pack(*firmware, mask, serial, 0, 0, b"", b"", 0)


def unpack_box_info(record: bytes) -> tuple[int, int]:
    """Mask and serial of a CMBOXINFO."""
    _, _, mask, serial, *_ = _BOX_INFO.unpack(record)
    return mask, serial


def unpack_access(record: bytes) -> Access:
    """The searched fields of a CMACCESS2."""
    ctrl, firm, product, feature, _, _, reference, _, _, _, mask, serial, *_ = _ACCESS.unpack(
        record
    )
    return Access(ctrl, firm, product, feature, reference, mask, serial)


def unpack_request(record: bytes) -> tuple[int, int]:
    """Control bits and firm code of a CMLTREQUEST."""
    ctrl, firm_code, _ = _REQUEST.unpack(record)
    return ctrl, firm_code


def unpack_transfer(record: bytes) -> Transfer:
    """A CMLTTRANSFER."""
    kind, units, licenses, end, option, _ = _TRANSFER.unpack(record)
    return Transfer(kind, units, licenses, unpack_time(end), option)


def pack_firm_item(values: FirmItem) -> bytes:
    """The first part of CMBOXENTRY2."""
    text = values.firm_item_text.encode("utf-16-le")[:510]
    return _ENTRY_FIRM.pack(
        values.firm_item_ctrl, values.firm_code, 0, 0, values.update_counter, 0, text, b""
    )


def pack_product_item(values: ProductItem) -> bytes:
    """The rest of CMBOXENTRY2, which has 1024 bytes in all."""
    options = (values.options, values.options, values.options)
    item = _ENTRY_ITEM.pack(
        *options, values.product_code, values.feature_map, _NO_TIME, _NO_TIME,
        values.unit_counter, pack_time(values.expires_at), _NO_TIME, 0, _NO_TIME,
        values.license_quantity, 0, 0, values.quantity_flags, 0, values.transfer_status,
        b"", b"", b"",
    )  # fmt: skip
    origin = _ENTRY_ORIGIN.pack(
        0, values.reference, values.origin_mask, values.origin_serial,
        pack_time(values.borrow_end), values.transfer_id, b"",
    )  # fmt: skip
    return item + origin


NO_PRODUCT_ITEM = pack_product_item(ProductItem())


def pack_history(
    index: int, status: int, kind: int, amounts: tuple[int, int, int],
    times: tuple[int, int | None], ids: tuple[bytes, bytes], peer: tuple[int, int],
    update_counter: int,
) -> bytes:  # fmt: skip
    """CMLTHISTORY; `amounts` are units, licenses, returned; `peer` is mask and serial."""
    return _HISTORY.pack(
        index, status, kind, *amounts, pack_time(times[0]), pack_time(times[1]), *ids,
        peer[1], update_counter, peer[0], b"",
    )  # fmt: skip


def pack_options(flags: int, kind: int, max_borrow_seconds: int, depth: int) -> bytes:
    """CMLTTRANSFEROPTIONS; the lists of target ids stay empty."""
    return _OPTIONS.pack(flags, kind, 0, 0, b"", b"", max_borrow_seconds, depth, b"")


def pack_system_status(flags: int) -> bytes:
    """CMSYSTEMSTATUS."""
    return _SYSTEM_STATUS.pack(flags, b"")
