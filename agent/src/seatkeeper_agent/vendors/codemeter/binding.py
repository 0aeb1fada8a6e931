# SPDX-License-Identifier: GPL-3.0-or-later
"""The functions of the runtime's C API that the driver uses (grade H), called through ctypes.

Only the worker process imports this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from ctypes import (
    CDLL,
    POINTER,
    Structure,
    byref,
    c_char_p,
    c_int32,
    c_uint32,
    c_void_p,
    create_string_buffer,
    sizeof,
)
from typing import Any, TypeVar

from seatkeeper_agent.vendors.codemeter import constants as cm
from seatkeeper_agent.vendors.codemeter.records import (
    CMACCESS2,
    CMBOXENTRY2,
    CMBOXINFO,
    CMLTREQUEST,
    CMLTTRANSFER,
)

INFO_BYTES = 64 * 1024
TEXT_BYTES = 1024
LISTING_ROWS = 64
LISTING_ROWS_SPARE = 64
LISTING_ROWS_MAX = 200_000
LISTING_ATTEMPTS = 4

Record = TypeVar("Record", bound=Structure)

_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "CmGetVersion": (c_uint32, (c_void_p,)),
    "CmAccess2": (c_void_p, (c_uint32, POINTER(CMACCESS2))),
    "CmRelease": (c_int32, (c_void_p,)),
    "CmGetBoxes": (c_int32, (c_void_p, c_uint32, POINTER(CMBOXINFO), c_uint32)),
    "CmGetBoxContents2": (
        c_int32,
        (c_void_p, c_uint32, c_uint32, POINTER(CMBOXINFO), POINTER(CMBOXENTRY2), c_uint32),
    ),
    "CmGetInfo": (c_uint32, (c_void_p, c_uint32, c_void_p, c_uint32)),
    "CmLtCreateContext": (
        c_uint32,
        (c_void_p, c_uint32, POINTER(CMLTREQUEST), c_void_p, c_uint32, c_void_p, c_uint32),
    ),
    "CmLtDoTransfer": (
        c_uint32,
        (c_void_p, c_uint32, POINTER(CMLTTRANSFER), c_void_p, c_uint32, c_void_p, c_uint32),
    ),
    "CmLtImportUpdate": (c_int32, (c_void_p, c_uint32, c_void_p, c_uint32)),
    "CmLtCreateReceipt": (
        c_uint32,
        (c_void_p, c_uint32, POINTER(CMLTREQUEST), c_void_p, c_uint32),
    ),
    "CmLtConfirmTransfer": (c_int32, (c_void_p, c_uint32, c_void_p, c_uint32)),
    "CmGetLastErrorCode": (c_int32, ()),
    "CmGetLastErrorText2": (c_int32, (c_uint32, c_char_p, c_uint32)),
}


class CallFailedError(Exception):
    """A function of the runtime said no; ``number`` is the vendor's, 0 where it gave none."""

    def __init__(self, function: str, number: int, text: str) -> None:
        super().__init__(text)
        self.function = function
        self.number = number
        self.text = text


class FunctionMissingError(Exception):
    """The installed runtime is too old to have the function."""


class Runtime:
    """The loaded library; OSError when it cannot be loaded."""

    def __init__(self, path: str) -> None:
        self._library = CDLL(path)
        self._functions: dict[str, Any] = {}
        self._info = create_string_buffer(INFO_BYTES)
        self._rows_before: dict[tuple[str | int, ...], int] = {}

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a function of the API; FunctionMissingError where the library lacks it."""
        function = self._functions.get(name)
        if function is None:
            function = self._functions[name] = self._bind(name)
        return function(*arguments)

    def _bind(self, name: str) -> Any:
        try:
            function = getattr(self._library, name)
        except AttributeError as error:
            raise FunctionMissingError(name) from error
        function.restype, function.argtypes = _SIGNATURES[name]
        return function

    def failure(self, function: str) -> CallFailedError:
        """Why the last call on this thread failed, in the vendor's words."""
        number = self.call("CmGetLastErrorCode")
        text = create_string_buffer(TEXT_BYTES)
        self.call("CmGetLastErrorText2", cm.ERROR_TEXT_UTF8, text, TEXT_BYTES - 1)
        return CallFailedError(function, number, text.value.decode("utf-8", "replace"))

    def checked(self, name: str, *arguments: Any) -> int:
        """Call a function that returns 0 on failure; CallFailedError then."""
        result: int = self.call(name, *arguments)
        if result <= 0:
            raise self.failure(name)
        return result

    @contextmanager
    def access(self, **fields: int) -> Iterator[int]:
        """A handle to a container or an item on this host that takes no seat."""
        handle = self._opened(CMACCESS2(ctrl=cm.ACCESS_NO_USER_LIMIT, **fields))
        try:
            yield handle
        finally:
            self.call("CmRelease", handle)

    def _opened(self, request: CMACCESS2) -> int:
        handle: int | None = self.call("CmAccess2", cm.ACCESS_LOCAL, byref(request))
        if not handle:
            raise self.failure("CmAccess2")
        return handle

    def listing(
        self, record: type[Record], of: tuple[int, ...], name: str, *arguments: Any
    ) -> list[Record]:
        """All rows of a function whose last two arguments are a buffer and its bytes.

        The buffer is the largest that sufficed for such a listing, which ``of`` tells from the
        function's others; where it is full or refused, the number is asked for (a null buffer, as
        public callers do, grade T) and the rows are read again.
        """
        rows = self._rows_before.get((name, *of), LISTING_ROWS)
        for _ in range(LISTING_ATTEMPTS):
            buffer = (record * rows)()
            number: int = self.call(name, *arguments, buffer, sizeof(buffer))
            if 0 < number < rows or (number == 0 and not self._is_failure()):
                self._rows_before[name, *of] = max(rows, number + LISTING_ROWS_SPARE)
                return list(buffer[:number])
            counted = self.checked(name, *arguments, None, 0)
            rows = max(number, counted) + LISTING_ROWS_SPARE
            if rows > LISTING_ROWS_MAX:
                break
        raise ValueError(f"{name} listed {number} rows and did not come to an end")

    def info(self, handle: int, what: int, record: type[Record]) -> list[Record]:
        """The records that CmGetInfo gives, none where the runtime has no such entry.

        The size query is spared where the answer is smaller than the standing buffer.
        """
        buffer: Any = self._info
        size = self.call("CmGetInfo", handle, what, buffer, INFO_BYTES)
        if size >= INFO_BYTES or (size == 0 and self._is_failure()):
            room = self.call("CmGetInfo", handle, what, None, 0)
            if room == 0 and self._is_failure():
                raise self.failure("CmGetInfo")
            buffer = create_string_buffer(max(1, room))
            size = min(room, self.call("CmGetInfo", handle, what, buffer, room))
        if size % sizeof(record):
            raise ValueError(
                f"CmGetInfo({what:#x}) gave {size} bytes, not a multiple of {sizeof(record)}"
            )
        return list((record * (size // sizeof(record))).from_buffer_copy(buffer))

    def item_infos(
        self, box: tuple[int, int], items: Iterable[Sequence[int]], what: int, record: type[Record]
    ) -> Iterator[list[Record] | None]:
        """What CmGetInfo gives of each item, by its codes and reference; None for no such item.

        One request serves them all, as there may be thousands.
        """
        mask, serial = box
        request = CMACCESS2(ctrl=cm.ACCESS_NO_USER_LIMIT, box_mask=mask, serial=serial)
        for firm_code, product_code, reference in items:
            request.firm_code = firm_code
            request.product_code = product_code
            request.product_item_reference = reference
            try:
                handle = self._opened(request)
            except CallFailedError as error:
                if error.number != cm.ERROR_ENTRY_NOT_FOUND:
                    raise
                yield None
                continue
            try:
                rows = self.info(handle, what, record)
            finally:
                self.call("CmRelease", handle)
            yield rows

    def _is_failure(self) -> bool:
        # An empty answer is only told from a failed one by the error number.
        return self.call("CmGetLastErrorCode") not in (0, cm.ERROR_ENTRY_NOT_FOUND)
