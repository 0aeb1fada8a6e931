# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of the runtime's C API that the driver uses, laid out as its header says (grade H).

Only the worker process imports this module. A layout that differs from the documented sizes
and offsets ends the import: a wrong layout would read and move the wrong licenses.
"""

from __future__ import annotations

import time
from ctypes import Structure, c_char, c_uint8, c_uint16, c_uint32, sizeof
from typing import Any

EPOCH_2000 = 946_684_800
"""Seconds from 1970 to 2000; the runtime counts from the latter."""


class CMTIME(Structure):
    """A moment, taken as UTC; all zero where there is none."""

    year: int
    month: int
    day: int
    hours: int
    minutes: int
    seconds: int
    since_2000: int
    _fields_ = [
        ("year", c_uint16),
        ("month", c_uint16),
        ("day", c_uint16),
        ("hours", c_uint16),
        ("minutes", c_uint16),
        ("seconds", c_uint16),
        ("since_2000", c_uint32),
    ]

    @classmethod
    def from_epoch(cls, seconds: int | None) -> CMTIME:
        """The record for seconds since 1970, both in calendar fields and counted."""
        if seconds is None:
            return cls()
        return cls(*time.gmtime(seconds)[:6], seconds - EPOCH_2000)

    def to_epoch(self) -> int | None:
        """Seconds since 1970; the calendar fields count where the counter is zero."""
        if self.since_2000:
            return self.since_2000 + EPOCH_2000
        if not self.year:
            return None
        import calendar

        fields = (self.year, self.month, self.day, self.hours, self.minutes, self.seconds)
        return calendar.timegm((*fields, 0, 0, 0))


class CMBOXTIME(Structure):
    """The three clocks of a container."""

    certified: CMTIME
    box: CMTIME
    system: CMTIME
    _fields_ = [("certified", CMTIME), ("box", CMTIME), ("system", CMTIME)]


class CMBOXINFO(Structure):
    """A container."""

    major: int
    minor: int
    mask: int
    serial: int
    _fields_ = [
        ("major", c_uint8),
        ("minor", c_uint8),
        ("mask", c_uint16),
        ("serial", c_uint32),
        ("box_key_id", c_uint16),
        ("user_key_id", c_uint16),
        ("box_public_key", c_uint8 * 64),
        ("serial_public_key", c_uint8 * 64),
        ("reserved", c_uint32),
    ]


class CMBORROWDATA(Structure):
    """Part of CMACCESS2 for the older borrow; the driver leaves it zero."""

    _fields_ = [
        ("status", c_uint32),
        ("enable_block", c_uint16),
        ("cps", c_uint16),
        ("firm_code", c_uint32),
        ("product_code", c_uint32),
        ("feature_map", c_uint32),
        ("reserved", c_uint16),
        ("box_mask", c_uint16),
        ("box_serial", c_uint32),
        ("serial_public_key", c_uint8 * 64),
        ("server_id", c_uint8 * 8),
        ("client_name", c_uint8 * 128),
        ("trailing_block", c_uint8 * 16),
        ("client_request_time", c_uint32),
        ("maintenance_start", c_uint32),
        ("maintenance_end", c_uint32),
    ]


class CMCREDENTIAL(Structure):
    """Part of CMACCESS2 that tells about the caller; the driver leaves it zero."""

    _fields_ = [
        ("pid", c_uint32),
        ("session", c_uint32),
        ("cleanup_time", c_uint32),
        ("max_life_time", c_uint32),
        ("creation_time", c_uint32),
        ("access_ctrl", c_uint32),
        ("expiration_time", c_uint32),
        ("user_defined_id", c_uint32),
        ("user_text", c_char * 128),
        ("user_name", c_char * 32),
        ("borrow_firm_code", c_uint32),
        ("borrow_product_code", c_uint32),
        ("borrow_feature_map", c_uint32),
        ("borrow_serial", c_uint32),
        ("borrow_mask", c_uint16),
        ("reserved_1", c_char * 2),
        ("current_instance", c_uint32),
        ("previous_instance", c_uint32),
        ("domain", c_char * 16),
        ("reserved_2", c_char * 4),
    ]


class CMACCESS2(Structure):
    """What to access; zero in a field leaves it open."""

    ctrl: int
    firm_code: int
    product_code: int
    product_item_reference: int
    box_mask: int
    serial: int
    _fields_ = [
        ("ctrl", c_uint32),
        ("firm_code", c_uint32),
        ("product_code", c_uint32),
        ("feature_code", c_uint32),
        ("used_runtime_version", c_uint32),
        ("reserved_1", c_uint32),
        ("product_item_reference", c_uint32),
        ("reserved_2", c_uint32),
        ("min_box_major", c_uint8),
        ("min_box_minor", c_uint8),
        ("box_mask", c_uint16),
        ("serial", c_uint32),
        ("reserved_3", c_uint32),
        ("reserved_4", c_uint32),
        ("server_name", c_char * 128),
        ("release_date", CMTIME),
        ("reserved_5", c_char * 16),
        ("borrow_data", CMBORROWDATA),
        ("credential", CMCREDENTIAL),
    ]


class CMBOXENTRY2(Structure):
    """One entry of a container: a firm item, or a product item with its firm item."""

    firm_code: int
    update_counter: int
    firm_item_text: Any
    set_options: int
    product_code: int
    feature_map: int
    unit_counter: int
    expiration: CMTIME
    license_quantity: int
    license_quantity_flags: int
    transfer_status: int
    product_item_reference: int
    transfer_box_mask: int
    transfer_serial: int
    transfer_borrow_expiration: CMTIME
    transfer_id: Any
    _fields_ = [
        ("firm_item_ctrl", c_uint32),
        ("firm_code", c_uint32),
        ("access_counter", c_uint16),
        ("reserved_1", c_uint16),
        ("update_counter", c_uint32),
        ("precise_time", c_uint32),
        ("firm_item_text", c_uint16 * 256),
        ("reserved_2", c_uint8 * 100),
        ("native_options", c_uint32),
        ("effective_options", c_uint32),
        ("set_options", c_uint32),
        ("product_code", c_uint32),
        ("feature_map", c_uint32),
        ("maintenance_start", CMTIME),
        ("maintenance_end", CMTIME),
        ("unit_counter", c_uint32),
        ("expiration", CMTIME),
        ("activation", CMTIME),
        ("usage_period", c_uint32),
        ("usage_period_start", CMTIME),
        ("license_quantity", c_uint32),
        ("linger_time", c_uint32),
        ("minimum_runtime_version", c_uint32),
        ("license_quantity_flags", c_uint32),
        ("license_tag", c_uint32),
        ("transfer_status", c_uint32),
        ("reserved_3", c_uint8 * 32),
        ("dependencies", c_uint8 * 10),
        ("reserved_4", c_uint8 * 12),
        ("module_reference", c_uint16),
        ("product_item_reference", c_uint16),
        ("transfer_box_mask", c_uint16),
        ("transfer_serial", c_uint32),
        ("transfer_borrow_expiration", CMTIME),
        ("transfer_id", c_uint8 * 10),
        ("reserved_5", c_uint8 * 170),
    ]


class CMLTHISTORY(Structure):
    """One row of an item's transfer history."""

    index: int
    status: int
    type: int
    unit_counter: int
    license_quantity: int
    returned_quantity: int
    time: CMTIME
    borrow_expiration: CMTIME
    transfer_id: Any
    confirmed_transfer_id: Any
    serial: int
    update_counter: int
    box_mask: int
    _fields_ = [
        ("index", c_uint16),
        ("status", c_uint8),
        ("type", c_uint8),
        ("unit_counter", c_uint32),
        ("license_quantity", c_uint32),
        ("returned_quantity", c_uint32),
        ("time", CMTIME),
        ("borrow_expiration", CMTIME),
        ("transfer_id", c_uint8 * 10),
        ("confirmed_transfer_id", c_uint8 * 10),
        ("serial", c_uint32),
        ("update_counter", c_uint32),
        ("box_mask", c_uint16),
        ("reserved", c_uint8 * 26),
    ]


class CMLTTRANSFEROPTIONS(Structure):
    """One way in which the licensor lets an item be transferred."""

    flags: int
    type: int
    borrow_period_max: int
    transfer_depth: int
    _fields_ = [
        ("flags", c_uint8),
        ("type", c_uint8),
        ("target_ids_count", c_uint8),
        ("licensor_key_target_ids_count", c_uint8),
        ("target_ids", c_uint8 * 112),
        ("licensor_key_target_ids", c_uint8 * 112),
        ("borrow_period_max", c_uint32),
        ("transfer_depth", c_uint16),
        ("reserved", c_uint8 * 86),
    ]


class CMLTREQUEST(Structure):
    """For which firm code a request or a receipt is made."""

    ctrl: int
    firm_code: int
    _fields_ = [
        ("ctrl", c_uint32),
        ("firm_code", c_uint32),
        ("reserved", c_uint8 * 248),
    ]


class CMLTTRANSFER(Structure):
    """What the sending side moves."""

    ctrl: int
    units: int
    license_quantity: int
    borrow_expiration: CMTIME
    history_option_id: int
    _fields_ = [
        ("ctrl", c_uint32),
        ("units", c_uint32),
        ("license_quantity", c_uint32),
        ("borrow_expiration", CMTIME),
        ("history_option_id", c_uint16),
        ("reserved", c_uint8 * 234),
    ]


SIZES: dict[type[Structure], int] = {
    CMTIME: 16,
    CMBOXTIME: 48,
    CMBOXINFO: 144,
    CMBORROWDATA: 256,
    CMCREDENTIAL: 240,
    CMACCESS2: 704,
    CMBOXENTRY2: 1024,
    CMLTHISTORY: 104,
    CMLTTRANSFEROPTIONS: 320,
    CMLTREQUEST: 256,
    CMLTTRANSFER: 264,
}
"""Bytes of each record."""

OFFSETS = {
    "native_options": 632,
    "dependencies": 796,
    "module_reference": 818,
    "transfer_borrow_expiration": 828,
    "transfer_id": 844,
}
"""Byte offsets in CMBOXENTRY2."""


def check_layout(sizes: dict[type[Structure], int], offsets: dict[str, int]) -> None:
    """Raise ImportError where this platform lays a record out differently."""
    for record, size in sizes.items():
        if sizeof(record) != size:
            raise ImportError(f"{record.__name__} has {sizeof(record)} bytes, not {size}")
    for field, offset in offsets.items():
        found = getattr(CMBOXENTRY2, field).offset
        if found != offset:
            raise ImportError(f"CMBOXENTRY2.{field} is at {found}, not {offset}")


check_layout(SIZES, OFFSETS)
