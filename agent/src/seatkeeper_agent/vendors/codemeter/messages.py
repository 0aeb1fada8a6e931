# SPDX-License-Identifier: GPL-3.0-or-later
"""What passes between the agent and the worker process, and how it is framed.

A message is a 32-bit length, little-endian, and that many bytes of JSON. Both sides use this
module, so it knows only the standard library. Times are seconds since 1970, None for no time.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any, NamedTuple

MESSAGE_BYTES_MAX = 64 * 1024 * 1024
TEXT_LENGTH_MAX = 300
_LENGTH = struct.Struct("<I")

EFFECTS = {
    "do_transfer": "CmLtDoTransfer",
    "import_update": "CmLtImportUpdate",
    "confirm_transfer": "CmLtConfirmTransfer",
}
"""Requests that move seats or close a row, with the function that has the effect."""


class Box(NamedTuple):
    """A container; ``status`` is None where the runtime gave none."""

    mask: int
    serial: int
    major: int
    minor: int
    status: int | None


class Entry(NamedTuple):
    """The used fields of a CMBOXENTRY2; ``transfer_id`` in hexadecimal, empty for none."""

    firm_code: int
    product_code: int
    reference: int
    feature_map: int
    set_options: int
    update_counter: int
    name: str
    unit_counter: int
    license_quantity: int
    quantity_flags: int
    expires_at: int | None
    status: int
    origin_mask: int
    origin_serial: int
    borrowed_until: int | None
    transfer_id: str

    @property
    def codes(self) -> tuple[int, int, int]:
        """Firm code, product code and reference: they name one item of a container."""
        return self[:3]

    @property
    def without_counter(self) -> tuple[Any, ...]:
        """All but the update counter, which moves with each programming of the firm code."""
        return self[:_COUNTER] + self[_COUNTER + 1 :]


_COUNTER = Entry._fields.index("update_counter")


class Option(NamedTuple):
    """The used fields of a CMLTTRANSFEROPTIONS; the period in seconds."""

    flags: int
    type: int
    borrow_seconds_max: int
    transfer_depth: int


class History(NamedTuple):
    """A CMLTHISTORY; ids in hexadecimal, empty for none."""

    number: int
    status: int
    type: int
    at: int | None
    unit_counter: int
    license_quantity: int
    returned_quantity: int
    borrow_expires_at: int | None
    transfer_id: str
    confirmed_transfer_id: str
    mask: int
    serial: int
    update_counter: int


def send_message(connection: socket.socket, message: Any) -> None:
    """Write one message; OSError when the other side is gone or the socket's time is up."""
    body = json.dumps(message, separators=(",", ":")).encode()
    connection.sendall(_LENGTH.pack(len(body)) + body)


def receive_message(connection: socket.socket) -> Any:
    """Read one message; EOFError when the other side is gone, OSError as for sockets."""
    (length,) = _LENGTH.unpack(receive_exactly(connection, _LENGTH.size))
    if length > MESSAGE_BYTES_MAX:
        raise EOFError(f"a message of {length} bytes is longer than any that is sent")
    return json.loads(receive_exactly(connection, length))


def receive_exactly(connection: socket.socket, length: int) -> bytes:
    """Read ``length`` bytes; EOFError when they do not come."""
    parts = bytearray()
    while len(parts) < length:
        part = connection.recv(min(length - len(parts), 1 << 20))
        if not part:
            raise EOFError("the other side is gone")
        parts += part
    return bytes(parts)


def vendor_text(text: str, number: int) -> str:
    """The vendor's text on one line, which always ends with its number."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    ending = f"Error {number}"
    line = line.removesuffix(ending)[:TEXT_LENGTH_MAX].rstrip(" ,") or "CodeMeter gave no text"
    return f"{line}, {ending}"
