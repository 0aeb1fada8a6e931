# SPDX-License-Identifier: GPL-3.0-or-later
"""What the USB tests do inside the guest: ``guest.py VERB ARGUMENT...``; results are JSON lines.

A refusal of the agent's package is printed as it is and ends with status 3.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any

import usb.core
import usb.util

from seatkeeper_agent.domain.servers import Dongle, IsolationError
from seatkeeper_agent.usb.inventory import UsbInventory
from seatkeeper_agent.usb.isolation import Isolation
from seatkeeper_agent.usb.settings import UsbSettings
from seatkeeper_agent.usb.sysfs import path_of
from seatkeeper_agent.usb.watch import Watch

DEVICES = Path("/sys/bus/usb/devices")
CONTROLLER = Path("/sys/devices/platform/vhci_hcd.0")
WIBU_VENDOR_ID = 0x064F
REFUSED = 3
APPEAR_SECONDS_MAX = 500.0
HOLD_SECONDS_MAX = 1800.0
FULL_SPEED = 2
INTERFACE_STATUS = 0x81, 0
KERNEL_EVENTS_PROTOCOL, KERNEL_EVENTS_GROUP = 15, 1


def attach(host: str, server_port: str, *ports: str) -> None:
    """Attach the server's dongles 1-N to the virtual controller's ports N, as usbip does."""
    deadline = time.monotonic() + APPEAR_SECONDS_MAX
    for port in ports:
        link = socket.create_connection((host, int(server_port)))
        link.sendall(struct.pack(">HHI32s", 0x0111, 0x8003, 0, f"1-{port}".encode()))
        answer = link.recv(320, socket.MSG_WAITALL)
        if len(answer) != 320:
            raise SystemExit(f"the server has no dongle 1-{port}")
        bus, number = struct.unpack(">II", answer[296:304])
        row = f"{int(port) - 1} {link.fileno()} {bus << 16 | number} {FULL_SPEED}"
        while not _attached(row):  # the port's last device may still be on its way out
            if time.monotonic() > deadline:
                raise SystemExit(f"port {port} of the virtual controller is not free")
            time.sleep(0.01)
    for port in ports:
        while not (DEVICES / f"1-{port}:1.0").is_dir():
            if time.monotonic() > deadline:
                raise SystemExit(f"the kernel does not show the dongle at 1-{port}")
            time.sleep(0.01)


def _attached(row: str) -> bool:
    try:
        (CONTROLLER / "attach").write_text(row)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        return False
    return True


def inventory() -> None:
    """What the agent tells of the dongles."""
    say([_record(dongle) for dongle in UsbInventory(UsbSettings()).dongles()])


def drivers_view() -> None:
    """What a driver in user space finds through libusb, and whether it can have it."""
    found: dict[str, dict[str, Any]] = {}
    for device in usb.core.find(find_all=True, idVendor=WIBU_VENDOR_ID):
        row = found.setdefault(path_of(device.bus, device.port_numbers), {})
        row["ids"] = f"{device.idVendor:04x}:{device.idProduct:04x}"
        try:
            usb.util.claim_interface(device, 0)
            row["claimed"] = True
        except usb.core.USBError:
            row["claimed"] = False
        usb.util.dispose_resources(device)
    say(found)


def hold(path: str) -> None:
    """Be a driver that uses a dongle: claim it, ask it again and again, tell when it is lost."""
    devices = usb.core.find(find_all=True, idVendor=WIBU_VENDOR_ID)
    (device,) = (each for each in devices if path_of(each.bus, each.port_numbers) == path)
    usb.util.claim_interface(device, 0)
    say({"held": path})
    deadline = time.monotonic() + HOLD_SECONDS_MAX
    while time.monotonic() < deadline:
        try:
            device.ctrl_transfer(*INTERFACE_STATUS, 0, 0, 2)
        except usb.core.USBError as error:
            say({"lost": str(error)})
            return
        time.sleep(0.02)


def hide(*paths: str) -> None:
    """Hide dongles and go on running, as an agent would that waits for the vendor."""
    Isolation(DEVICES).hide(paths)
    say({"hidden": paths})
    time.sleep(HOLD_SECONDS_MAX)


def give_back(*paths: str) -> None:
    Isolation(DEVICES).give_back(paths)
    say({"given_back": paths})


def watch(changes: str) -> None:
    """Tell the given number of changes, and when the kernel itself told of each."""
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, KERNEL_EVENTS_PROTOCOL)
    kernel.bind((0, KERNEL_EVENTS_GROUP))

    def on_change(added: list[Dongle], removed: list[Dongle]) -> None:
        for action, dongles in (("add", added), ("remove", removed)):
            for dongle in dongles:
                tell("agent", action, dongle.path, dongle=_record(dongle))

    def tell(source: str, action: str, path: str, **more: object) -> None:
        say({"source": source, "action": action, "path": path, "at": time.monotonic(), **more})

    with Watch(UsbInventory(UsbSettings()), on_change):
        say({"source": "agent", "action": "watching"})
        wanted = int(changes)
        while wanted:
            header, *fields = kernel.recv(65536).decode(errors="replace").split("\0")
            action, _, device = header.partition("@")
            if action in {"add", "remove"} and "DEVTYPE=usb_device" in fields:
                tell("kernel", action, device.rpartition("/")[2])
                wanted -= 1
        time.sleep(HOLD_SECONDS_MAX)


def _record(dongle: Dongle) -> dict[str, Any]:
    return dataclasses.asdict(dongle)


def say(what: object) -> None:
    print(json.dumps(what), flush=True)


VERBS = {
    verb.__name__: verb for verb in (attach, inventory, drivers_view, hold, hide, give_back, watch)
}

if __name__ == "__main__":
    try:
        VERBS[sys.argv[1]](*sys.argv[2:])
    except IsolationError as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(REFUSED)
