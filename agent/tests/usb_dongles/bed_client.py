# SPDX-License-Identifier: GPL-3.0-or-later
"""The code under test in a process of its own, which umockdev's library shows a bed's devices.

Reads one JSON order per line and answers with one line; ends with its standard input.
"""

from __future__ import annotations

import json
import queue
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import usb.core
import usb.util

from seatkeeper_agent.domain.servers import Dongle, UsbUnavailable
from seatkeeper_agent.usb.inventory import UsbInventory
from seatkeeper_agent.usb.settings import UsbSettings
from seatkeeper_agent.usb.watch import Watch

Answer = dict[str, Any]


def _shown(dongle: Dongle) -> Answer:
    """All of it but the kernel's number, which nobody chose."""
    return {name: value for name, value in asdict(dongle).items() if name != "number"}


class Client:
    """What the tests order from the code under test."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._inventory = UsbInventory(UsbSettings())
        self._changes = queue.Queue[Answer]()
        self._held: usb.core.Device | None = None

    def dongles(self, _request: Answer) -> Answer:
        """The inventory, and how long it took."""
        started = time.monotonic()
        try:
            found = [_shown(dongle) for dongle in self._inventory.dongles()]
        except UsbUnavailable as error:
            return {"unavailable": str(error)}
        return {"dongles": found, "seconds": time.monotonic() - started}

    def listed(self, _request: Answer) -> Answer:
        """How many devices libusb has heard of, root hubs left out."""
        found = usb.core.find(find_all=True)
        return {"devices": sum(bool(device.port_numbers) for device in found)}

    def watch(self, request: Answer) -> Answer:
        """Watch until the end of the process."""

        def tell(added: list[Dongle], removed: list[Dongle]) -> None:
            ids = {"added": [entry.id for entry in added], "removed": [gone.id for gone in removed]}
            self._changes.put(ids | {"at": time.monotonic()})

        self._stack.enter_context(Watch(self._inventory, tell))
        return {}

    def change(self, request: Answer) -> Answer:
        """The next change that was told."""
        try:
            return self._changes.get(timeout=request["seconds"])
        except queue.Empty:
            return {"silent": True}

    def hold(self, request: Answer) -> Answer:
        """Use a device as a vendor's driver would."""
        self._held = usb.core.find(port_numbers=(request["port"],))
        usb.util.claim_interface(self._held, 0)
        return {}

    def use(self, _request: Answer) -> Answer:
        """One transfer on the device that is held."""
        assert self._held is not None
        try:
            return {"bytes": len(self._held.ctrl_transfer(0x80, 6, 0x0301, 0x0409, 255))}
        except usb.core.USBError as error:
            return {"errno": error.errno}

    def idle(self, request: Answer) -> Answer:
        """Processor seconds that this process uses in a while."""
        before = time.process_time()
        time.sleep(request["seconds"])
        return {"processor_seconds": time.process_time() - before}


def main() -> None:
    """Answer orders until there are no more."""
    with ExitStack() as stack:
        client = Client(stack)
        print(json.dumps({}), flush=True)
        for line in sys.stdin:
            request = json.loads(line)
            print(json.dumps(getattr(client, request["do"])(request)), flush=True)


if __name__ == "__main__":
    main()
