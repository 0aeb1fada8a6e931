# SPDX-License-Identifier: GPL-3.0-or-later
"""A bed of USB dongles for the real libusb: umockdev's devices, whose transfers this answers.

Runs under the system's Python (python3-gi, gir1.2-umockdev-1.0) with umockdev's preload library.
Reads one JSON order per line and answers with one line; ends with its standard input, so it
cannot outlive the test that started it:

{"do": "plug", "port": 3, "number": 7, "serial": "WK-0003", ...}    {"do": "unplug", "port": 3}

Numbers of requests and the layout of a transfer are those of <linux/usbdevice_fs.h>; requests
and descriptors are those of the USB 2.0 specification, chapter 9.
"""

from __future__ import annotations

import errno
import json
import struct
import sys
import threading
from operator import itemgetter
from pathlib import Path
from typing import Any

import gi

gi.require_version("UMockdev", "1.0")
from gi.repository import GLib, UMockdev  # noqa: E402

HUB_PATH = "/devices/pci0000:00/0000:00:14.0"

URB = struct.Struct("@BBiIPiiiiiIP")
URB_STATUS, URB_BUFFER, URB_ACTUAL = 4, 16, 28
URB_SETUP_BYTES = 8
URB_TYPE_CONTROL = 2


def request(direction: int, number: int, size: int) -> int:
    """An ioctl number of usbfs; direction 0 none, 1 write, 2 read."""
    return direction << 30 | size << 16 | ord("U") << 8 | number


SUBMIT, DISCARD = request(2, 10, URB.size), request(0, 11, 0)
REAP_NO_DELAY = request(1, 13, struct.calcsize("P"))
CLAIM, RELEASE = request(2, 15, 4), request(2, 16, 4)
CAPABILITIES = request(2, 26, 4)


class Stall(Exception):
    """The device refuses a request."""


class Device:
    """What a dongle says on its control endpoint."""

    def __init__(self, wanted: dict[str, Any]) -> None:
        self.vendor_id = int(wanted.get("vendor", "064f"), 16)
        self.product_id = int(wanted.get("product", "0bd7"), 16)
        self.serial = wanted.get("serial")
        self.behaviour = wanted.get("behaviour")

    def descriptors(self) -> bytes:
        """The device descriptor and one configuration with one interface."""
        ids = (self.vendor_id, self.product_id, 0x0100)
        strings = (1, 2, 0 if self.serial is None else 3)
        device = struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x0200, 255, 0, 0, 64, *ids, *strings, 1)
        configuration = struct.pack("<BBHBBBBB", 9, 2, 18, 1, 1, 0, 0x80, 50)
        return device + configuration + struct.pack("<BBBBBBBBB", 9, 4, 0, 0, 0, 255, 0, 0, 0)

    def answer(self, setup: bytes) -> bytes:
        """The data of a control transfer from the device; Stall for what it does not know."""
        kind, what, value, _index, length = struct.unpack("<BBHHH", setup)
        if (kind, what, value >> 8) != (0x80, 6, 3) or self.behaviour == "stall":
            raise Stall
        if self.behaviour == "nonsense":
            return b"\x05\x03\x00"[:length] if value & 255 else b"\x04\x03\x09\x04"
        texts = {1: "WIBU-SYSTEMS AG", 2: "WIBU-KEY", 3: self.serial}
        if value & 255 == 0:
            body = struct.pack("<H", 0x0409)
        elif text := texts.get(value & 255):
            body = text.encode("utf-16-le")
        else:
            raise Stall
        return (struct.pack("<BB", 2 + len(body), 3) + body)[:length]


class Transfers:
    """What one client of a device submitted and has not fetched yet."""

    def __init__(self) -> None:
        self.submitted: list[tuple[Any, Any]] = []
        self.discarded: list[Any] = []

    def discard(self, address: int) -> None:
        """Take a transfer back."""
        for entry in self.submitted:
            if entry[0].client_addr == address:
                self.submitted.remove(entry)
                self.discarded.append(entry[0])
                return
        raise OSError(errno.EINVAL, "no such transfer")

    def finish(self, device: Device, gone: bool) -> Any:
        """One transfer that is over, whatever became of it."""
        if self.discarded:
            return finished(self.discarded.pop(0), -errno.ENOENT, 0)
        if not self.submitted or (device.behaviour == "silent" and not gone):
            raise OSError(errno.ENODEV if gone else errno.EAGAIN, "nothing is over")
        urb, buffer = self.submitted.pop(0)
        if gone:
            return finished(urb, -errno.ESHUTDOWN, 0)
        try:
            data = device.answer(bytes(buffer.retrieve())[:URB_SETUP_BYTES])
        except Stall:
            return finished(urb, -errno.EPIPE, 0)
        buffer.update(URB_SETUP_BYTES, data)
        return finished(urb, 0, len(data))


class Node(UMockdev.IoctlBase):
    """The usbfs node of one device."""

    def __init__(self, device: Device) -> None:
        super().__init__()
        self.device = device
        self.gone = False
        self.transfers = 0
        self._clients: dict[int, Transfers] = {}

    def do_handle_ioctl(self, client: Any) -> bool:
        """umockdev's call for every ioctl of a client."""
        transfers = self._clients.setdefault(hash(client), Transfers())
        try:
            self._handle(client.get_request(), client.get_arg(), transfers)
            client.complete(0, 0)
        except OSError as error:
            client.complete(-1, error.errno)
        return True

    def do_client_vanished(self, client: Any) -> None:
        """umockdev's call when a client has closed the node."""
        self._clients.pop(hash(client), None)

    def _handle(self, number: int, argument: Any, transfers: Transfers) -> None:
        # Transfers in flight are finished also after the device went, as the kernel does.
        if number == REAP_NO_DELAY:
            done = transfers.finish(self.device, self.gone)
            argument.resolve(0, struct.calcsize("P")).set_ptr(0, done)
        elif self.gone:
            raise OSError(errno.ENODEV, "unplugged")
        elif number == SUBMIT:
            urb = argument.resolve(0, URB.size)
            kind, length = itemgetter(0, 5)(URB.unpack(bytes(urb.retrieve())))
            if kind != URB_TYPE_CONTROL:
                raise OSError(errno.EINVAL, "only control transfers are played")
            self.transfers += 1
            transfers.submitted.append((urb, urb.resolve(URB_BUFFER, length)))
        elif number == DISCARD:
            transfers.discard(struct.unpack("@P", bytes(argument.retrieve()))[0])
        elif number == CAPABILITIES:
            argument.resolve(0, 4).update(0, struct.pack("@I", 0))
        elif number not in (CLAIM, RELEASE):
            raise OSError(errno.ENOTTY, "not played")


def finished(urb: Any, status: int, actual: int) -> Any:
    """The transfer with its outcome written into it."""
    urb.update(URB_STATUS, struct.pack("@i", status))
    urb.update(URB_ACTUAL, struct.pack("@i", actual))
    return urb


def recorded(path: str, node: str, device: Device, attributes: dict[str, Any]) -> str:
    """A device in the text form of umockdev-record."""
    bus, number = node.split("/")[-2:]
    properties = {
        "DEVTYPE": "usb_device",
        "BUSNUM": bus,
        "DEVNUM": number,
        "DEVNAME": f"/dev/{node}",
        "MAJOR": 189,
        "MINOR": int(number) - 1,
        "SUBSYSTEM": "usb",
    }
    binary = device.descriptors().hex().upper()
    lines = [f"P: {path}", f"N: {node}={binary}"]
    lines += [f"E: {name}={value}" for name, value in properties.items()]
    lines += [f"A: {name}={value}\\n" for name, value in attributes.items() if value is not None]
    return "\n".join([*lines, f"H: descriptors={binary}", "", ""])


class Bed:
    """One bus with a root hub and what is plugged into its ports."""

    def __init__(self) -> None:
        self._testbed = UMockdev.Testbed.new()
        self._plugged: dict[int, tuple[str, str, Node]] = {}
        # Ioctls are answered in the main context of the thread that attaches them.
        self._context = GLib.MainContext.new()
        self._loop = GLib.MainLoop.new(self._context, False)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        hub = Device({"vendor": "1d6b", "product": "0002"})
        attributes = {"idVendor": "1d6b", "idProduct": "0002", "busnum": 1, "devnum": 1}
        attributes |= {"speed": 480, "bConfigurationValue": 1, "bDeviceClass": "09"}
        text = recorded(f"{HUB_PATH}/usb1", "bus/usb/001/001", hub, attributes)
        self.call(
            lambda: self._testbed.add_from_string(f"{text}P: {HUB_PATH}\nE: SUBSYSTEM=pci\n\n")
        )
        self.folder = self._testbed.get_root_dir()

    def call(self, work: Any) -> None:
        """Run ``work`` in the loop's thread and wait for it."""
        done, failures = threading.Event(), []

        def run(*_: Any) -> bool:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - it is raised where it was called
                failures.append(error)
            done.set()
            return False

        source = GLib.idle_source_new()
        source.set_callback(run)
        source.attach(self._context)
        done.wait()
        if failures:
            raise failures[0]

    def plug(self, wanted: dict[str, Any]) -> None:
        """Add a device; umockdev tells it as udev does."""
        port, number, device = wanted["port"], wanted["number"], Device(wanted)
        path, node = f"{HUB_PATH}/usb1/1-{port}", f"bus/usb/001/{number:03d}"
        attributes = {
            "idVendor": f"{device.vendor_id:04x}",
            "idProduct": f"{device.product_id:04x}",
            "busnum": 1,
            "devpath": port,
            "speed": 12,
            "bConfigurationValue": 1,
            "bDeviceClass": "ff",
            "authorized": 1,
            "serial": wanted.get("kernel_serial"),
            # The last one: unlike the kernel, umockdev shows a device while it makes it.
            "devnum": number,
        }

        def add() -> None:
            handler = Node(device)
            # Before the node is there: umockdev ends whoever opens one that nobody answers.
            self._testbed.attach_ioctl(f"/dev/{node}", handler)
            self._testbed.add_from_string(recorded(path, node, device, attributes))
            Path(f"{self.folder}/dev/{node}").chmod(wanted.get("mode", 0o600))
            self._plugged[port] = (f"/sys{path}", f"/dev/{node}", handler)

        self.call(add)

    def unplug(self, wanted: dict[str, Any]) -> None:
        """Take a device away, whoever uses it, and tell it as udev does."""
        path, node, handler = self._plugged.pop(wanted["port"])

        def remove() -> None:
            # The handler stays attached, or a client in the middle of a call would wait for ever.
            handler.gone = True
            self._testbed.uevent(path, "remove")
            self._testbed.remove_device(path)
            Path(self.folder + node).unlink(missing_ok=True)

        self.call(remove)

    def transfers(self, port: int) -> int:
        """How many transfers the device in a port was asked for."""
        return self._plugged[port][2].transfers

    def close(self) -> None:
        """Take everything away with its folder."""
        for port in list(self._plugged):
            self.unplug({"port": port})
        self._loop.quit()
        self._thread.join()
        del self._testbed  # removes its folder with its last user

    def _run(self) -> None:
        self._context.push_thread_default()
        self._loop.run()


def main() -> None:
    """Answer orders until there are no more."""
    bed = Bed()
    print(json.dumps({"folder": bed.folder}), flush=True)
    for line in sys.stdin:
        wanted = json.loads(line)
        answer: dict[str, Any] = {}
        match wanted["do"]:
            case "plug":
                bed.plug(wanted)
            case "unplug":
                bed.unplug(wanted)
            case "transfers":
                answer["transfers"] = bed.transfers(wanted["port"])
        print(json.dumps(answer), flush=True)
    bed.close()


if __name__ == "__main__":
    main()
