# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames between the shim (or a control client) and the engine; shim.c is the other half.

Call: u32 length of what follows, u32 function, then per argument u32 length and its bytes, where
length 0xffffffff is a null pointer. Answer: i32 error, u64 result, u32 extra, u32 length, bytes.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

SOCKET_NAME = "engine.sock"
FRAME_BYTES_MAX = 16 << 20
AWAKE_SECONDS = 0.000_15
OPERATION = 100
"""Function number of a JSON operation of `cmu` or of the twin's own control."""
_NULL_FIELD = 0xFFFFFFFF
_ANSWER = struct.Struct("<iQII")
_LENGTH = struct.Struct("<I")
_SUN_PATH_BYTES_MAX = 107


class Reply(NamedTuple):
    """What a call answers; `data` goes into the caller's buffer."""

    result: int = 0
    data: bytes = b""
    extra: int = 0
    error: int = 0

    def packed(self) -> bytes:
        """The frame of this answer."""
        return _ANSWER.pack(self.error, self.result, self.extra, len(self.data)) + self.data


def unpack_reply(frame: bytes) -> Reply:
    """The answer in a whole frame."""
    error, result, extra, _ = _ANSWER.unpack_from(frame)
    return Reply(result, frame[_ANSWER.size :], extra, error)


def send_call(connection: socket.socket, function: int, fields: list[bytes | None]) -> None:
    """Send one call."""
    body = struct.pack("<I", function)
    for field in fields:
        size = _NULL_FIELD if field is None else len(field)
        body += struct.pack("<I", size) + (field or b"")
    connection.sendall(struct.pack("<I", len(body)) + body)


def receive_call(
    connection: socket.socket, incoming: BinaryIO
) -> tuple[int, list[bytes | None]] | None:
    """Function and arguments of one call, None at the end or where nobody asked for long.

    ValueError when the frame is broken.
    """
    _look(connection)
    head = incoming.read(_LENGTH.size)
    if not head:
        return None
    length = _LENGTH.unpack(_whole(head, _LENGTH.size))[0]
    if not 4 <= length <= FRAME_BYTES_MAX:
        raise ValueError(f"a frame of {length} bytes")
    body = _whole(incoming.read(length) or b"", length)
    function: int = struct.unpack_from("<I", body)[0]
    fields: list[bytes | None] = []
    position = 4
    while position < length:
        if position + 4 > length:
            raise ValueError("a frame that ends within an argument's length")
        (size,) = struct.unpack_from("<I", body, position)
        position += 4
        if size == _NULL_FIELD:
            fields.append(None)
            continue
        if position + size > length:
            raise ValueError("a frame that ends within an argument")
        fields.append(body[position : position + size])
        position += size
    return function, fields


def receive_reply(connection: socket.socket) -> Reply:
    """One answer; ConnectionError when the engine went away before it was complete."""
    header = _receive(connection, _ANSWER.size)
    error, result, extra, length = _ANSWER.unpack(header)
    if length > FRAME_BYTES_MAX:
        raise ValueError(f"an answer of {length} bytes")
    return Reply(result, _receive(connection, length), extra, error)


@contextmanager
def socket_address(directory: Path) -> Iterator[str]:
    """A path of the engine's socket that fits into a socket address, however deep the folder."""
    path = str(directory / SOCKET_NAME)
    if len(os.fsencode(path)) <= _SUN_PATH_BYTES_MAX:
        yield path
        return
    folder = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET_NAME}"
    finally:
        os.close(folder)


def _look(connection: socket.socket) -> None:
    """Wait a moment for the next call without sleep: to be woken costs more than most calls do."""
    end = time.monotonic() + AWAKE_SECONDS
    while time.monotonic() < end:
        try:
            connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            os.sched_yield()
        else:
            return


def _whole(part: bytes, length: int) -> bytes:
    if len(part) < length:
        raise ConnectionError("the connection ended within a frame")
    return part


def _receive(connection: socket.socket, length: int) -> bytes:
    parts: list[bytes] = []
    while length > 0:
        part = connection.recv(min(length, 1 << 20))
        if not part:
            raise ConnectionError("the connection ended within a frame")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
