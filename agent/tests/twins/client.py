# SPDX-License-Identifier: GPL-3.0-or-later
"""A caller of the twin's library as any program would be: its own records, its own constants."""

from __future__ import annotations

import ctypes
import time
from ctypes import byref, c_char, c_char_p, c_uint8, c_uint16, c_uint32, c_void_p
from pathlib import Path
from typing import Any

PUSH, RETURN, PULL, RENEW, INITPULL = 2, 3, 4, 5, 0x1000
COMPLETE, UNITS, LICENSES, BORROW_LOCAL, BORROW_COMPLETE = 1, 2, 3, 4, 5
FIRM = 6_000_010
BUFFER_BYTES = 65_536


class CmTime(ctypes.Structure):
    _fields_ = [
        *((name, c_uint16) for name in ("year", "month", "day", "hours", "minutes", "seconds")),
        ("since_2000", c_uint32),
    ]


class BoxInfo(ctypes.Structure):
    _fields_ = [
        ("major", c_uint8), ("minor", c_uint8), ("mask", c_uint16), ("serial", c_uint32),
        ("rest", c_uint8 * 136),
    ]  # fmt: skip


class Access(ctypes.Structure):
    _fields_ = [
        ("ctrl", c_uint32), ("firm_code", c_uint32), ("product_code", c_uint32),
        ("feature_code", c_uint32), ("version", c_uint32), ("reserved1", c_uint32),
        ("reference", c_uint32), ("reserved2", c_uint32), ("major", c_uint8),
        ("minor", c_uint8), ("mask", c_uint16), ("serial", c_uint32), ("rest", c_uint8 * 664),
    ]  # fmt: skip


class Entry(ctypes.Structure):
    _fields_ = [
        ("firm_ctrl", c_uint32), ("firm_code", c_uint32), ("access_counter", c_uint16),
        ("reserved1", c_uint16), ("update_counter", c_uint32), ("precise", c_uint32),
        ("text", c_uint16 * 256), ("reserved2", c_uint8 * 100), ("native", c_uint32),
        ("effective", c_uint32), ("set", c_uint32), ("product_code", c_uint32),
        ("feature_map", c_uint32), ("maintenance", CmTime * 2), ("units", c_uint32),
        ("expiration", CmTime), ("activation", CmTime), ("usage", c_uint32),
        ("usage_start", CmTime), ("licenses", c_uint32), ("linger", c_uint32),
        ("version", c_uint32), ("quantity_flags", c_uint32), ("tag", c_uint32),
        ("status", c_uint32), ("reserved3", c_uint8 * 32), ("dependencies", c_uint8 * 10),
        ("reserved4", c_uint8 * 12), ("module_ref", c_uint16), ("reference", c_uint16),
        ("origin_mask", c_uint16), ("origin_serial", c_uint32), ("borrow_end", CmTime),
        ("transfer_id", c_uint8 * 10), ("reserved5", c_uint8 * 170),
    ]  # fmt: skip


class History(ctypes.Structure):
    _fields_ = [
        ("index", c_uint16), ("status", c_uint8), ("type", c_uint8), ("units", c_uint32),
        ("licenses", c_uint32), ("returned", c_uint32), ("time", CmTime), ("borrow_end", CmTime),
        ("transfer_id", c_uint8 * 10), ("confirmed_id", c_uint8 * 10), ("serial", c_uint32),
        ("update_counter", c_uint32), ("mask", c_uint16), ("reserved", c_uint8 * 26),
    ]  # fmt: skip


class Options(ctypes.Structure):
    _fields_ = [
        ("flags", c_uint8), ("type", c_uint8), ("counts", c_uint8 * 2), ("ids", c_uint8 * 224),
        ("max_borrow", c_uint32), ("depth", c_uint16), ("reserved", c_uint8 * 86),
    ]  # fmt: skip


class Request(ctypes.Structure):
    _fields_ = [("ctrl", c_uint32), ("firm_code", c_uint32), ("reserved", c_uint8 * 248)]


class Transfer(ctypes.Structure):
    _fields_ = [
        ("ctrl", c_uint32), ("units", c_uint32), ("licenses", c_uint32), ("borrow_end", CmTime),
        ("option_id", c_uint16), ("reserved", c_uint8 * 234),
    ]  # fmt: skip


class VendorError(Exception):
    """A call failed with one of the vendor's numbers."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def cm_time(seconds: int) -> CmTime:
    """CMTIME of a moment in seconds since 1970."""
    return CmTime(*time.gmtime(seconds)[:6], seconds - 946_684_800)


class Client:
    """One loaded libwibucm.so; every failure raises VendorError."""

    def __init__(self, directory: Path) -> None:
        library = ctypes.CDLL(str(directory / "libwibucm.so"))
        library.CmAccess2.restype = c_void_p
        for name in ("CmGetVersion", "CmLtCreateContext", "CmLtDoTransfer", "CmLtCreateReceipt"):
            getattr(library, name).restype = c_uint32
        library.CmGetInfo.restype = c_uint32
        self.library = library

    def checked(self, result: Any) -> Any:
        """The result, or VendorError when it is a failure."""
        if not result:
            code = self.error()
            if code:
                raise VendorError(code, self.error_text())
        return result

    def error(self) -> int:
        """The last error's number."""
        return int(self.library.CmGetLastErrorCode())

    def error_text(self) -> str:
        """The last error's text."""
        text = ctypes.create_string_buffer(256)
        self.library.CmGetLastErrorText2(0x100, text, 256)
        return text.value.decode()

    def open(
        self, serial: str = "0-0", product_code: int = 0, reference: int = 0, ctrl: int = 0x100
    ) -> c_void_p:
        """A handle to the system, to a container or to a product item."""
        mask, number = (int(part) for part in serial.split("-"))
        firm_code = FIRM if product_code else 0
        access = Access(
            ctrl=ctrl, firm_code=firm_code, product_code=product_code, reference=reference,
            mask=mask, serial=number,
        )  # fmt: skip
        return c_void_p(self.checked(self.library.CmAccess2(0, byref(access))))

    def boxes(self, port: int = 0) -> list[BoxInfo]:
        """All containers."""
        handle = self.open()
        count = self.checked(self.library.CmGetBoxes(handle, port, None, 0))
        found = (BoxInfo * count)()
        self.checked(self.library.CmGetBoxes(handle, port, byref(found), ctypes.sizeof(found)))
        return list(found)

    def entries(self, serial: str, flags: int = 0) -> list[Entry]:
        """All entries of one container."""
        handle = self.open(serial)
        call = self.library.CmGetBoxContents2
        box = BoxInfo()
        count = self.checked(call(handle, flags, 0, byref(box), None, 0))
        found = (Entry * count)()
        size = ctypes.sizeof(found)
        got = self.checked(call(handle, flags, 0, byref(box), byref(found), size)) if count else 0
        assert got == count
        return list(found)

    def records(self, handle: c_void_p, what: int, kind: Any) -> list[Any]:
        """An array of records from CmGetInfo."""
        size = self.checked(self.library.CmGetInfo(handle, what, None, 0))
        if not size:
            return []
        found = (kind * (size // ctypes.sizeof(kind)))()
        self.checked(self.library.CmGetInfo(handle, what, byref(found), size))
        return list(found)

    def history(self, serial: str, product_code: int, reference: int = 0) -> list[History]:
        """The history of one product item."""
        return self.records(self.open(serial, product_code, reference), 0x38, History)

    def options(self, serial: str, product_code: int, reference: int = 0) -> list[Options]:
        """The transfer options of one product item."""
        return self.records(self.open(serial, product_code, reference), 0x39, Options)

    def request(self, handle: c_void_p, flags: int = PUSH, firm_code: int = FIRM) -> bytes:
        """CmLtCreateContext."""
        requested = Request(firm_code=firm_code)
        buffer = (c_char * BUFFER_BYTES)()
        size = self.checked(
            self.library.CmLtCreateContext(
                handle, flags, byref(requested), None, 0, buffer, BUFFER_BYTES
            )
        )
        return buffer.raw[:size]

    def transfer(
        self, handle: c_void_p, request: bytes, kind: int, flags: int = PUSH, *,
        licenses: int = 0, units: int = 0, end: int | None = None, option_id: int = 0,
        measure: bool = False,
    ) -> bytes:  # fmt: skip
        """CmLtDoTransfer; with `measure` only its size is asked."""
        wanted = Transfer(ctrl=kind, units=units, licenses=licenses, option_id=option_id)
        if end is not None:
            wanted.borrow_end = cm_time(end)
        buffer = (c_char * BUFFER_BYTES)()
        size = self.checked(
            self.library.CmLtDoTransfer(
                handle, flags, byref(wanted), c_char_p(request), len(request),
                None if measure else buffer, BUFFER_BYTES,
            )
        )  # fmt: skip
        return bytes(size) if measure else buffer.raw[:size]

    def install(self, handle: c_void_p, update: bytes) -> None:
        """CmLtImportUpdate."""
        self.checked(self.library.CmLtImportUpdate(handle, 0, c_char_p(update), len(update)))

    def receipt(self, handle: c_void_p, firm_code: int = FIRM) -> bytes:
        """CmLtCreateReceipt."""
        requested = Request(firm_code=firm_code)
        buffer = (c_char * BUFFER_BYTES)()
        size = self.checked(
            self.library.CmLtCreateReceipt(handle, 0, byref(requested), buffer, BUFFER_BYTES)
        )
        return buffer.raw[:size]

    def confirm(self, handle: c_void_p, receipt: bytes) -> None:
        """CmLtConfirmTransfer."""
        self.checked(self.library.CmLtConfirmTransfer(handle, 0, c_char_p(receipt), len(receipt)))
