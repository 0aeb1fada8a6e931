# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest with the agent's USB package in it, and dongles to plug into it."""

from __future__ import annotations

import io
import json
import tarfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .dongle import Dongle
from .machine import HOST_LOOPBACK, Finished, Machine
from .usbip_server import UsbIpServer

GUEST_FOLDER = "/opt/seatkeeper"
GUEST_PYTHON = ("/usr/bin/env", f"PYTHONPATH={GUEST_FOLDER}", "/usr/bin/python3")
GUEST_PROGRAM = f"{GUEST_FOLDER}/guest.py"
# Nothing else of the agent: its USB package needs no more, and these tests would show if it did.
PACKAGES = (
    *(
        "seatkeeper_agent",
        "seatkeeper_agent.domain",
        "seatkeeper_agent.host",
        "seatkeeper_agent.usb",
    ),
    *("usb", "usb.backend"),
)
NOBODY = ("/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
LINES_SECONDS_MAX = 600.0
LOOK_AGAIN_SECONDS = 0.2


def serial_of(port: int) -> str:
    """The serial number of the dongle that is plugged into a port."""
    return f"8-{1000000 + port}"


def path_of(port: int) -> str:
    """The kernel's name of a port of the guest's first virtual controller."""
    return f"1-{port}"


class Running:
    """A verb of guest.py that goes on in the guest and prints JSON lines."""

    def __init__(self, machine: Machine, verb: str, arguments: tuple[str, ...]) -> None:
        self._machine = machine
        self._output = f"/run/{verb}.output"
        command = ('exec "$@" >"$0" 2>&1', self._output, *GUEST_PYTHON, GUEST_PROGRAM)
        machine.shell(f": >{self._output}")
        self.process_id = machine.start("/bin/sh", "-c", *command, verb, *arguments)

    def lines(self, count: int) -> list[dict[str, Any]]:
        """What it has printed, as soon as that is so many lines."""
        deadline = time.monotonic() + LINES_SECONDS_MAX
        while True:
            output = self._machine.read(self._output)
            if output.count("\n") >= count or time.monotonic() > deadline:
                break
            time.sleep(LOOK_AGAIN_SECONDS)
        try:
            lines: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines()]
        except ValueError:
            raise AssertionError(f"the guest printed: {output}") from None
        assert len(lines) >= count, f"{count} lines were expected: {output}"
        return lines

    def kill(self) -> None:
        """End it with SIGKILL: it has no chance to tidy up."""
        self._machine.shell(f"kill -9 {self.process_id}")
        self._machine.shell(f"while kill -0 {self.process_id} 2>/dev/null; do sleep 0.1; done")


class Bed:
    """What a test sees: dongles are plugged into ports by number, verbs run in the guest."""

    def __init__(self, machine: Machine, server: UsbIpServer) -> None:
        self.machine = machine
        self._server = server
        finished = machine.run("/bin/tar", "-x", "-C", "/opt", given=_archive())
        assert finished.status == 0, finished.errors

    def plug(self, *ports: int) -> None:
        """Plug dongles in; they are enumerated when this returns."""
        for port in ports:
            self._server.plug(path_of(port), Dongle(serial_of(port)))
        finished = self.run(
            "attach", HOST_LOOPBACK, str(self._server.port), *(str(port) for port in ports)
        )
        assert finished.status == 0, finished.errors

    def unplug(self, port: int) -> None:
        """Pull a dongle out; the kernel notices when it does."""
        self._server.unplug(path_of(port))

    def run(self, verb: str, *arguments: str, prefix: tuple[str, ...] = ()) -> Finished:
        """Run a verb of guest.py to its end, as root or behind ``prefix``."""
        return self.machine.run(*prefix, *GUEST_PYTHON, GUEST_PROGRAM, verb, *arguments)

    def ask(self, verb: str, *arguments: str, prefix: tuple[str, ...] = ()) -> Any:
        """Run a verb that must end well; what it printed."""
        finished = self.run(verb, *arguments, prefix=prefix)
        assert finished.status == 0, finished.errors
        return json.loads(finished.output)

    def begin(self, verb: str, *arguments: str) -> Running:
        """Start a verb that goes on until it is killed or the test ends."""
        return Running(self.machine, verb, arguments)

    def authorized(self) -> dict[str, bool]:
        """The kernel's attribute of every dongle by path, read without the agent's package."""
        lines = self.machine.shell("cd /sys/bus/usb/devices; grep . 1-[0-9]/authorized")
        rows = (line.split("/authorized:") for line in lines.splitlines())
        return {path: value == "1" for path, value in rows}


def _archive() -> bytes:
    """The agent's USB package, the pyusb that the agent runs with, and the guest's program."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for package in PACKAGES:
            found = find_spec(package)
            assert found is not None
            assert found.origin is not None
            folder = Path(found.origin).parent
            for path in sorted((*folder.glob("*.py"), *folder.glob("*.json"))):
                archive.add(path, f"seatkeeper/{package.replace('.', '/')}/{path.name}")
        archive.add(Path(__file__).with_name("guest.py"), "seatkeeper/guest.py")
    return packed.getvalue()
