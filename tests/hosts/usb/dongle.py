# SPDX-License-Identifier: GPL-3.0-or-later
"""A license dongle as the USB standard sees it: its descriptors and the standard requests.

Nothing is known of what a vendor's driver says to its dongle, so there is only the control
endpoint with the requests that every USB device answers (USB 2.0, chapter 9). That is all that is
needed to be enumerated, named by serial number, claimed and taken away.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

VENDOR_SPECIFIC_CLASS = 0xFF
FROM_DEVICE = 0x80
STANDARD_REQUEST_MASK = 0x60
GET_STATUS, GET_DESCRIPTOR, GET_CONFIGURATION, SET_CONFIGURATION = 0, 6, 8, 9
DEVICE_DESCRIPTOR, CONFIGURATION_DESCRIPTOR, STRING_DESCRIPTOR = 1, 2, 3
MANUFACTURER_INDEX, PRODUCT_INDEX, SERIAL_INDEX = 1, 2, 3
LANGUAGE_ENGLISH_US = 0x0409


class Stalled(Exception):
    """The device does not know this request and says so by a stall."""


@dataclass(slots=True)
class Dongle:
    """One dongle; ``configuration`` is what the host has set last, 0 for none."""

    serial: str
    vendor_id: int = 0x064F
    product_id: int = 0x0BD8
    manufacturer: str = "WIBU-SYSTEMS AG"
    product: str = "WibuKey Box/RU"
    configuration: int = field(default=0, init=False)

    def answer(self, request_type: int, request: int, value: int, length: int) -> bytes:
        """Answer a request on the control endpoint; empty for one that only sets something."""
        if request_type & STANDARD_REQUEST_MASK:
            raise Stalled
        if request_type & FROM_DEVICE:
            return self._read(request, value)[:length]
        if request == SET_CONFIGURATION:
            self.configuration = value & 0xFF
        return b""

    def _read(self, request: int, value: int) -> bytes:
        if request == GET_DESCRIPTOR:
            return self._descriptor(kind=value >> 8, index=value & 0xFF)
        if request == GET_CONFIGURATION:
            return bytes([self.configuration])
        if request == GET_STATUS:
            return b"\0\0"
        raise Stalled

    def _descriptor(self, kind: int, index: int) -> bytes:
        if kind == DEVICE_DESCRIPTOR:
            strings = MANUFACTURER_INDEX, PRODUCT_INDEX, SERIAL_INDEX
            ids = self.vendor_id, self.product_id, 0x0100
            return struct.pack("<BBH4B3H4B", 18, kind, 0x0200, 0, 0, 0, 64, *ids, *strings, 1)
        if kind == CONFIGURATION_DESCRIPTOR:
            interface = struct.pack("<9B", 9, 4, 0, 0, 0, VENDOR_SPECIFIC_CLASS, 0, 0, 0)
            total = 9 + len(interface)
            return struct.pack("<BBH5B", 9, kind, total, 1, 1, 0, 0x80, 50) + interface
        if kind == STRING_DESCRIPTOR:
            return self._string(index)
        raise Stalled

    def _string(self, index: int) -> bytes:
        texts = {
            MANUFACTURER_INDEX: self.manufacturer,
            PRODUCT_INDEX: self.product,
            SERIAL_INDEX: self.serial,
        }
        if index == 0:
            body = struct.pack("<H", LANGUAGE_ENGLISH_US)
        elif index in texts:
            body = texts[index].encode("utf-16-le")
        else:
            raise Stalled
        return struct.pack("<BB", 2 + len(body), STRING_DESCRIPTOR) + body
