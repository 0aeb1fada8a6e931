# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual machine by software emulation, spoken to through QEMU's own guest agent.

The guest agent runs commands over a serial port of the machine, so no network, address or key is
needed for that. The network has only one purpose: the guest reaches this machine's loopback
interface at 10.0.2.2, and with it a USB/IP server. Nothing outside can reach the guest.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import shlex
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from seatkeeper_twins.lab.process import spawn

MEMORY_MEGABYTES = 384
BOOT_SECONDS_MAX = 1800.0
ANSWER_SECONDS_MAX = 600.0
STOP_SECONDS_MAX = 300.0
AGENT_ATTEMPT_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.02
ASK_GUEST_AGAIN_SECONDS = 0.1
"""Not shorter: answering costs the guest time that the command then lacks."""
FILE_BYTES_MAX = 1 << 20
HOST_LOOPBACK = "10.0.2.2"
QEMU = "qemu-system-x86_64"
KERNEL_LINE = "root=/dev/vda rw console=ttyS0 quiet mitigations=off"


class MachineError(Exception):
    """The virtual machine does not do what it should; the text is one sentence or two."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command in the guest ended: its exit status and what it printed."""

    status: int
    output: str
    errors: str


class _JsonSocket:
    """One JSON object per line, one answer per request; what QEMU tells unasked is passed over."""

    def __init__(self, path: Path, seconds_max: float) -> None:
        with contextlib.ExitStack() as opened:
            self._socket = opened.enter_context(socket.socket(socket.AF_UNIX))
            self._socket.settimeout(seconds_max)
            self._socket.connect(str(path))
            self._lines = opened.enter_context(self._socket.makefile("rb"))
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._opened.close()

    def set_seconds_max(self, seconds_max: float) -> None:
        self._socket.settimeout(seconds_max)

    def read(self) -> dict[str, Any]:
        line = self._lines.readline()
        if not line:
            raise MachineError("The virtual machine has ended its connection.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, execute: str, **arguments: object) -> Any:
        request = {"execute": execute, "arguments": arguments}
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = self.read()
            if "error" in answer:
                raise MachineError(f"{execute}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]


class Machine:
    """A running guest; a context manager that ends it.

    ``disk`` is written to. With ``state`` the guest goes on where that file was made, else it
    boots; in both cases it can run commands when this returns.
    """

    def __init__(self, folder: Path, image: Path, disk: Path, state: Path | None = None) -> None:
        self.folder = folder
        command = qemu_command(folder, image, disk)
        if state is not None:
            command += ["-incoming", f"exec:cat {shlex.quote(str(state))}"]
        with contextlib.ExitStack() as opened:
            log = opened.enter_context((folder / "qemu.log").open("wb"))
            self._process = spawn(command, folder, os.environ, log)
            opened.callback(self._end)
            deadline = time.monotonic() + STOP_SECONDS_MAX
            self._monitor = opened.enter_context(self._connect(folder / "monitor", deadline))
            self._monitor.read()
            self._monitor.ask("qmp_capabilities")
            self._agent = opened.enter_context(self._reach_agent())
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.close()

    def _end(self) -> None:
        """End the guest at once, as pulling the power cord would."""
        self._process.kill()
        self._process.wait(STOP_SECONDS_MAX)

    def run(
        self, *command: str, given: bytes = b"", seconds_max: float = ANSWER_SECONDS_MAX
    ) -> Finished:
        """Run a command in the guest as root and wait for its end."""
        process_id = self.start(*command, given=given)
        deadline = time.monotonic() + seconds_max
        while time.monotonic() < deadline:
            status = self._agent.ask("guest-exec-status", pid=process_id)
            if status["exited"]:
                return Finished(
                    status=status.get("exitcode", -status.get("signal", 0)),
                    output=base64.b64decode(status.get("out-data", "")).decode(),
                    errors=base64.b64decode(status.get("err-data", "")).decode(),
                )
            time.sleep(ASK_GUEST_AGAIN_SECONDS)
        raise MachineError(f"In the guest, {shlex.join(command)} ran for over {seconds_max} s.")

    def start(self, *command: str, given: bytes = b"") -> int:
        """Start a command in the guest as root and return its process id there."""
        started = self._agent.ask(
            "guest-exec",
            **{
                "path": command[0],
                "arg": list(command[1:]),
                "input-data": base64.b64encode(given).decode(),
                "capture-output": True,
            },
        )
        return int(started["pid"])

    def read(self, path: str) -> str:
        """Read a file of the guest, which no program has to be started for."""
        handle = self._agent.ask("guest-file-open", path=path)
        try:
            content = self._agent.ask("guest-file-read", handle=handle, count=FILE_BYTES_MAX)
        finally:
            self._agent.ask("guest-file-close", handle=handle)
        return base64.b64decode(content["buf-b64"]).decode()

    def shell(self, script: str, seconds_max: float = ANSWER_SECONDS_MAX) -> str:
        """Run lines of shell in the guest, return what they print, refuse any failure."""
        finished = self.run("/bin/sh", "-euc", script, seconds_max=seconds_max)
        if finished.status:
            raise MachineError(f"In the guest, {script!r} failed: {finished.errors}")
        return finished.output

    def save(self, state: Path) -> None:
        """Write the guest's memory and devices to a file and end it; its disk belongs to that."""
        self._monitor.ask("migrate-set-parameters", **{"max-bandwidth": 1 << 33})
        self._monitor.ask("migrate", uri=f"exec:cat > {shlex.quote(str(state))}")
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        while (status := self._monitor.ask("query-migrate").get("status")) != "completed":
            if status == "failed" or time.monotonic() > deadline:
                raise MachineError(f"The guest's state was not written: {status}.")
            time.sleep(LOOK_AGAIN_SECONDS)
        self._monitor.ask("quit")
        self._process.wait(STOP_SECONDS_MAX)

    def _connect(self, path: Path, deadline: float) -> _JsonSocket:
        while True:
            if self._process.poll() is not None:
                log = (self.folder / "qemu.log").read_text(errors="replace")
                raise MachineError(f"QEMU ended with status {self._process.returncode}: {log}")
            try:
                return _JsonSocket(path, ANSWER_SECONDS_MAX)
            except (FileNotFoundError, ConnectionRefusedError) as error:
                if time.monotonic() > deadline:
                    raise MachineError("QEMU does not open its sockets.") from error
            time.sleep(LOOK_AGAIN_SECONDS)

    def _reach_agent(self) -> _JsonSocket:
        """Ask until the guest's agent answers; what was asked before it ran may be lost."""
        deadline = time.monotonic() + BOOT_SECONDS_MAX
        for number in itertools.count(1):
            agent = self._connect(self.folder / "agent", deadline)
            if _is_in_step(agent, number):
                return agent
            agent.close()
            if time.monotonic() > deadline:
                break
        console = (self.folder / "console").read_text(errors="replace")[-2000:]
        raise MachineError(f"The guest did not start; its console ends with: {console}")


def _is_in_step(agent: _JsonSocket, number: int) -> bool:
    """Whether the guest's agent answers this attempt; answers to earlier ones are passed over."""
    agent.set_seconds_max(AGENT_ATTEMPT_SECONDS)
    try:
        answer = agent.ask("guest-sync", id=number)
        while answer != number:
            answer = agent.read().get("return")
    except (TimeoutError, MachineError):
        return False
    agent.set_seconds_max(ANSWER_SECONDS_MAX)
    return True


def qemu_command(folder: Path, image: Path, disk: Path) -> list[str]:
    """The guest as QEMU is told of it; its sockets and its console are made in ``folder``."""
    return [
        QEMU,
        *("-machine", "pc", "-accel", "tcg,tb-size=128", "-cpu", "qemu64", "-smp", "1"),
        *("-m", str(MEMORY_MEGABYTES), "-nodefaults", "-display", "none", "-no-reboot"),
        *("-kernel", str(image / "vmlinuz"), "-initrd", str(image / "initrd.img")),
        *("-append", KERNEL_LINE),
        *("-drive", f"file={disk},format=qcow2,if=virtio,cache=unsafe"),
        *("-device", "virtio-rng-pci"),
        *("-netdev", "user,id=wire", "-device", "virtio-net-pci,netdev=wire,romfile="),
        *("-serial", f"file:{folder / 'console'}"),
        *("-qmp", f"unix:{folder / 'monitor'},server=on,wait=off"),
        *("-chardev", f"socket,id=agent,path={folder / 'agent'},server=on,wait=off"),
        *("-device", "virtio-serial-pci"),
        *("-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"),
    ]


def make_disk(path: Path, backing: Path, backing_format: str) -> None:
    """Make a disk that begins as ``backing`` and keeps what is written to itself."""
    command = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(backing)]
    subprocess.run([*command, "-F", backing_format, str(path)], check=True, timeout=60)
