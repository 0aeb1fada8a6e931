# SPDX-License-Identifier: GPL-3.0-or-later
"""The runtime's functions by their number in shim.c: unpack the arguments, act, pack the answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from seatkeeper_twins.codemeter import artefacts, constants, issue, receive, records, view
from seatkeeper_twins.codemeter.constants import Error, Refusal
from seatkeeper_twins.codemeter.runtime import Runtime, access
from seatkeeper_twins.codemeter.wire import Reply


class Arguments(NamedTuple):
    """The arguments of one call in their order; a wrong size is an invalid parameter."""

    fields: list[bytes | None]

    def number(self, position: int) -> int:
        """An integer of any width."""
        return int.from_bytes(self.record(position), "little")

    def record(self, position: int) -> bytes:
        """Bytes that must be there."""
        field = self.optional(position)
        if field is None:
            raise Refusal(Error.INVALID_PARAMETER, f"argument {position + 1} is a null pointer")
        return field

    def optional(self, position: int) -> bytes | None:
        """Bytes, or None for a null pointer."""
        if position >= len(self.fields):
            raise Refusal(Error.INVALID_PARAMETER, f"argument {position + 1} is missing")
        return self.fields[position]

    def capacity(self, position: int) -> int | None:
        """Bytes the caller's buffer holds, None when it only asks for the size."""
        return None if self.optional(position) is None else self.number(position)


def _sized(data: bytes, capacity: int | None) -> Reply:
    """An answer of functions that return a size."""
    if capacity is None:
        return Reply(len(data))
    if capacity < len(data):
        raise Refusal(Error.INVALID_PARAMETER, f"the buffer needs {len(data)} bytes")
    return Reply(len(data), data)


def _counted(found: list[bytes], capacity: int | None) -> Reply:
    """An answer of functions that return a number of records, as many as the buffer holds."""
    if capacity is None or not found:
        return Reply(len(found))
    fitting = found[: capacity // len(found[0])]
    return Reply(len(fitting), b"".join(fitting))


def _get_version(runtime: Runtime, arguments: Arguments) -> Reply:
    runtime.session(arguments.number(0))
    return Reply(constants.version_number(runtime.profile))


def _get_servers(_runtime: Runtime, arguments: Arguments) -> Reply:
    reply = _sized(b"localhost\0\0", arguments.capacity(1))
    return Reply(reply.result, reply.data, extra=1)


def _access2(runtime: Runtime, arguments: Arguments) -> Reply:
    wanted = records.unpack_access(arguments.record(1))
    return Reply(access(runtime, arguments.number(0), wanted, arguments.number(2)))


def _release(runtime: Runtime, arguments: Arguments) -> Reply:
    handle = arguments.number(0)
    runtime.session(handle)
    del runtime.sessions[handle]
    return Reply(1)


def _get_boxes(runtime: Runtime, arguments: Arguments) -> Reply:
    runtime.session(arguments.number(0))
    return _counted(view.boxes(runtime, arguments.number(1)), arguments.capacity(2))


def _get_box_contents2(runtime: Runtime, arguments: Arguments) -> Reply:
    session = runtime.session(arguments.number(0))
    flags, firm_code = arguments.number(1), arguments.number(2)
    found = view.entries(runtime, session, flags, firm_code, arguments.optional(3))
    return _counted(found, arguments.capacity(4))


def _get_info(runtime: Runtime, arguments: Arguments) -> Reply:
    session = runtime.session(arguments.number(0))
    return _sized(view.info(runtime, session, arguments.number(1)), arguments.capacity(2))


def _get_remote_context(runtime: Runtime, arguments: Arguments) -> Reply:
    container = runtime.container(runtime.session(arguments.number(0)))
    codes = arguments.record(2)
    content = {
        "box": [container["mask"], container["serial"]],
        "firm_codes": [
            int.from_bytes(codes[start : start + 4], "little") for start in range(0, len(codes), 4)
        ],
        "time": runtime.box_time(),
    }
    reply = _sized(artefacts.seal("remote-context", content), arguments.capacity(3))
    return Reply(1, reply.data, extra=reply.result)


def _create_context(runtime: Runtime, arguments: Arguments) -> Reply:
    session, capacity = runtime.session(arguments.number(0)), arguments.capacity(4)
    control, firm_code = records.unpack_request(arguments.record(2))
    if control or arguments.optional(3):
        raise Refusal(Error.INVALID_PARAMETER, "request control bits and pull contexts are unused")
    measure_only = capacity is None or capacity < artefacts.SIZES["request"]
    request = issue.create_request(runtime, session, arguments.number(1), firm_code, measure_only)
    return _sized(request, capacity)


def _do_transfer(runtime: Runtime, arguments: Arguments) -> Reply:
    session, capacity = runtime.session(arguments.number(0)), arguments.capacity(4)
    transfer = records.unpack_transfer(arguments.record(2))
    update = issue.do_transfer(
        runtime, session, arguments.number(1), transfer, arguments.optional(3), capacity
    )
    return Reply(update) if isinstance(update, int) else _sized(update, capacity)


def _import_update(runtime: Runtime, arguments: Arguments) -> Reply:
    session = runtime.session(arguments.number(0))
    receive.import_update(runtime, session, arguments.optional(2))
    return Reply(1)


def _create_receipt(runtime: Runtime, arguments: Arguments) -> Reply:
    session, capacity = runtime.session(arguments.number(0)), arguments.capacity(3)
    _, firm_code = records.unpack_request(arguments.record(2))
    measure_only = capacity is None or capacity < artefacts.SIZES["receipt"]
    return _sized(receive.create_receipt(runtime, session, firm_code, measure_only), capacity)


def _confirm_transfer(runtime: Runtime, arguments: Arguments) -> Reply:
    session = runtime.session(arguments.number(0))
    receive.confirm(runtime, session, arguments.optional(2))
    return Reply(1)


def _cleanup(runtime: Runtime, arguments: Arguments) -> Reply:
    receive.clean_up(runtime, runtime.session(arguments.number(0)), arguments.number(1))
    return Reply(1)


def _live_transfer(_runtime: Runtime, _arguments: Arguments) -> Reply:
    raise Refusal(Error.INVALID_PARAMETER, "the twin has no live transfer: twins do not meet")


def _certified_time(_runtime: Runtime, _arguments: Arguments) -> Reply:
    raise Refusal(Error.NETWORK_FAULT, "the twin reaches no time server")


Handler = Callable[[Runtime, Arguments], Reply]
RELEASE = 4
"""It shows nothing and changes nothing, and each item that is read is released."""

CALLS: dict[int, tuple[str, Handler]] = {
    1: ("CmGetVersion", _get_version),
    2: ("CmGetServers", _get_servers),
    3: ("CmAccess2", _access2),
    RELEASE: ("CmRelease", _release),
    5: ("CmGetBoxes", _get_boxes),
    6: ("CmGetBoxContents2", _get_box_contents2),
    7: ("CmGetInfo", _get_info),
    8: ("CmGetRemoteContextBuffer", _get_remote_context),
    # Transfers travel as ordinary update files too, so this import takes them as well.
    9: ("CmSetRemoteUpdateBuffer", _import_update),
    10: ("CmLtCreateContext", _create_context),
    11: ("CmLtDoTransfer", _do_transfer),
    12: ("CmLtImportUpdate", _import_update),
    13: ("CmLtCreateReceipt", _create_receipt),
    14: ("CmLtConfirmTransfer", _confirm_transfer),
    15: ("CmLtCleanup", _cleanup),
    16: ("CmLtLiveTransfer", _live_transfer),
    17: ("CmSetCertifiedTimeUpdate", _certified_time),
}
_FIRST_CHANGING_CALL = 10


def call_key(runtime: Runtime, function: int, arguments: Arguments) -> str | None:
    """What makes a retry recognisable: the call and its arguments, its object for the handle."""
    if function < _FIRST_CHANGING_CALL:
        return None
    session = runtime.session(arguments.number(0))
    target = (session.container, session.firm_code, session.item)
    content = repr((function, target, arguments.fields[1:])).encode()
    return hashlib.sha256(content).hexdigest()
