# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of the USB/IP protocol 1.1.1 on loopback: its dongles can be attached by Linux.

The protocol is the one of the kernel's documentation, usb/usbip_protocol. One connection belongs
to one attached dongle; closing it is what pulling the dongle is to the other side.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import threading
from types import TracebackType
from typing import Self

from .dongle import Dongle, Stalled

VERSION = 0x0111
IMPORT_REQUEST, IMPORT_REPLY = 0x8003, 0x0003
SUBMIT, UNLINK, SUBMIT_REPLY, UNLINK_REPLY = 1, 2, 3, 4
DIRECTION_IN = 1
CONTROL_ENDPOINT = 0
FULL_SPEED = 2
HEADER_BYTES = 48
BUS_ID_BYTES = 32
LINK_SECONDS_MAX = 1800.0
JOIN_SECONDS_MAX = 60.0


class UsbIpServer:
    """Exports dongles under bus ids of the caller's choice, such as ``1-1``; a context manager."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._dongles: dict[str, Dongle] = {}
        self._links: dict[str, socket.socket] = {}
        self._threads = [threading.Thread(target=self._accept, name="usbip-server")]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for bus_id in list(self._dongles):
            self.unplug(bus_id)
        for thread in self._threads:
            thread.join(JOIN_SECONDS_MAX)

    def plug(self, bus_id: str, dongle: Dongle) -> None:
        """Offer a dongle; it is on a machine's bus when that machine attaches it."""
        with self._lock:
            self._dongles[bus_id] = dongle

    def unplug(self, bus_id: str) -> None:
        """Pull a dongle: the machine that attached it loses it without a word."""
        with self._lock:
            self._dongles.pop(bus_id, None)
            link = self._links.pop(bus_id, None)
            if link is not None:
                with contextlib.suppress(OSError):
                    link.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(link,), name="usbip-link")
            self._threads.append(thread)
            thread.start()

    def _serve(self, link: socket.socket) -> None:
        link.settimeout(LINK_SECONDS_MAX)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with link, contextlib.suppress(EOFError, OSError):
            version, code, _ = struct.unpack(">HHI", _receive(link, 8))
            if (version, code) != (VERSION, IMPORT_REQUEST):
                return
            bus_id = _receive(link, BUS_ID_BYTES).rstrip(b"\0").decode()
            dongle = self._claim(bus_id, link)
            status = 0 if dongle else errno.ENODEV
            link.sendall(struct.pack(">HHI", VERSION, IMPORT_REPLY, status))
            if dongle is None:
                return
            try:
                link.sendall(_description(bus_id, dongle))
                while True:
                    link.sendall(_reply(dongle, link))
            finally:
                with self._lock:
                    if self._links.get(bus_id) is link:
                        del self._links[bus_id]

    def _claim(self, bus_id: str, link: socket.socket) -> Dongle | None:
        with self._lock:
            if bus_id in self._links or bus_id not in self._dongles:
                return None
            self._links[bus_id] = link
            return self._dongles[bus_id]


def _receive(link: socket.socket, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = link.recv(length - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def _description(bus_id: str, dongle: Dongle) -> bytes:
    """The record of an exported device; its bus and device number only need to be unique."""
    path = f"/sys/devices/dongles/{bus_id}".encode()
    number = int(bus_id.rpartition("-")[2])
    ids = dongle.vendor_id, dongle.product_id, 0x0100
    device_class = subclass = protocol = 0
    shape = device_class, subclass, protocol, dongle.configuration, 1, 1
    return struct.pack(
        ">256s32s3I3H6B", path, bus_id.encode(), 1, number + 1, FULL_SPEED, *ids, *shape
    )


def _reply(dongle: Dongle, link: socket.socket) -> bytes:
    """Read one command and return its answer."""
    header = _receive(link, HEADER_BYTES)
    command, sequence, _, direction, endpoint = struct.unpack(">5I", header[:20])
    if command == UNLINK:
        # Every request is answered at once, so there is never one left to take back.
        return struct.pack(">5Ii24x", UNLINK_REPLY, sequence, 0, 0, 0, 0)
    if command != SUBMIT:
        raise EOFError
    _, length, _, _, _ = struct.unpack(">5I", header[20:40])
    if direction != DIRECTION_IN:
        _receive(link, length)
    status, data = _answer(dongle, endpoint, header[40:])
    actual = len(data) if direction == DIRECTION_IN else length
    return struct.pack(">5IiI20x", SUBMIT_REPLY, sequence, 0, 0, 0, status, actual) + data


def _answer(dongle: Dongle, endpoint: int, setup: bytes) -> tuple[int, bytes]:
    """The dongle's answer with Linux' status of the transfer: 0, or the one of a stall."""
    request_type, request, value, _, length = struct.unpack("<BBHHH", setup)
    if endpoint == CONTROL_ENDPOINT:
        with contextlib.suppress(Stalled):
            return 0, dongle.answer(request_type, request, value, length)
    return -errno.EPIPE, b""
