# SPDX-License-Identifier: GPL-3.0-or-later
"""Agents and twins that are forked instead of started: the same programs, a tenth of the time.

One process has imported what they need and does nothing else; it forks for each program. What it
forked is a process as any other: with the command's words and environment, killed when its maker
ends, ended by signals, waited for by who asked for it. Where a start itself is tested, programs
are started as ever (``started_for_real``).
"""

from __future__ import annotations

import atexit
import ctypes
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

from seatkeeper_twins.lab import process

PROGRAMS = (
    "seatkeeper_agent",
    "seatkeeper_twins.aimms",
    "seatkeeper_twins.altigen",
    "seatkeeper_twins.chaos",
    "seatkeeper_twins.codemeter",
)
NEEDED = (
    "seatkeeper_agent.api.server",
    "seatkeeper_agent.cli",
    "seatkeeper_agent.settings",
    "seatkeeper_twins.aimms.commands",
    "seatkeeper_twins.aimms.listening_ports",
    "seatkeeper_twins.aimms.server_routes",
    "seatkeeper_twins.aimms.vendor",
    "seatkeeper_twins.altigen.certificate",
    "seatkeeper_twins.altigen.commands",
    "seatkeeper_twins.altigen.mailbox",
    "seatkeeper_twins.altigen.routes",
    "seatkeeper_twins.chaos.cloud_routes",
    "seatkeeper_twins.chaos.commands",
    "seatkeeper_twins.chaos.server_routes",
    "seatkeeper_twins.codemeter.engine",
    "cryptography.x509",
    "email.parser",
)
"""What they load first of all, besides what an agent loads when it is first asked."""
COMMAND_BYTES_MAX = 1 << 18
ROOM_BYTES = 1 << 15
"""For the words and the environment of what is forked."""

start = process.spawn
"""The real one."""

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LIBC = ctypes.CDLL(None)


class Forked:
    """A child of this process that was forked elsewhere; as a Popen is used."""

    def __init__(self, args: Sequence[str], pid: int) -> None:
        self.args, self.pid = args, pid
        self.returncode: int | None = None
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """How it ended, negative for a signal; None while it runs."""
        with self._lock:
            if self.returncode is None:
                ended, status = os.waitpid(self.pid, os.WNOHANG)
                if ended:
                    self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; subprocess.TimeoutExpired."""
        with self._lock:
            descriptor = None if self.returncode is not None else os.pidfd_open(self.pid)
        if descriptor is not None:
            select.select([descriptor], [], [], timeout)
            os.close(descriptor)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """To it, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)


class Forker:
    """The process that forks, from the side of who asks it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        room = {"SEATKEEPER_FORKER": "." * ROOM_BYTES}
        with theirs:
            # The room is where /proc looks for the words and the environment of what is forked.
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno()), "." * ROOM_BYTES],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**os.environ, **room, "PYTHONPATH": str(Path(__file__).parent)},
            )
        atexit.register(self.close)

    def close(self) -> None:
        """End it; what it forked are children of this process."""
        self._socket.close()
        self._process.wait()

    def spawn(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        output: IO[Any],
        errors: IO[Any],
    ) -> Forked:
        """Fork one that runs a module's command, as ``spawn`` of the lab starts one."""
        request = {"words": list(command), "folder": str(folder), "environment": dict(environment)}
        files = [output.fileno(), errors.fileno()]
        with self._lock:
            # Its parent ends at once, so that it becomes a child of this process.
            _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            try:
                socket.send_fds(self._socket, [json.dumps(request).encode()], files)
                pid = int(self._socket.recv(32))
            finally:
                _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
        return Forked(command, pid)


@cache
def forker() -> Forker:
    """The one of this process, started when it is first needed."""
    return Forker()


def spawn(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], output: int | IO[bytes]
) -> Any:
    """In the place of the lab's ``spawn``."""
    if module_of(command) is None or isinstance(output, int):
        return start(command, folder, environment, output)
    return forker().spawn(command, folder, environment, output, output)


def run(
    command: Sequence[str], environment: Mapping[str, str], seconds_max: float
) -> subprocess.CompletedProcess[str]:
    """A command of the agent, from beginning to end."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        forked = forker().spawn(command, Path.cwd(), environment, output, errors)
        try:
            code = forked.wait(seconds_max)
        except BaseException:
            forked.send_signal(signal.SIGKILL)
            forked.wait()
            raise
        for file in (output, errors):
            file.seek(0)
        return subprocess.CompletedProcess(command, code, output.read(), errors.read())


def module_of(words: Sequence[str]) -> tuple[str, list[str]] | None:
    """The module that a command runs and its arguments; None for any other program."""
    if list(words[:1]) != [sys.executable] or "-m" not in words[1:3]:
        return None
    place = words.index("-m") + 1
    name = words[place]
    return (name, list(words[place + 1 :])) if name in PROGRAMS else None


def main(descriptor: int) -> None:
    """Fork whenever asked; here nothing else ever runs. Returns in what was forked."""
    from crash.warm import warm_up

    for name in NEEDED:
        importlib.import_module(name)
    warm_up()
    asker = os.getppid()
    with socket.socket(fileno=descriptor) as commands:
        while True:
            sent, descriptors, _flags, _address = socket.recv_fds(commands, COMMAND_BYTES_MAX, 2)
            if not sent:
                os._exit(0)
            pid = fork_from_nowhere(asker)
            if pid == 0:
                break
            for each in descriptors:
                os.close(each)
            commands.send(str(pid).encode())
    become(json.loads(sent), descriptors)


def fork_from_nowhere(asker: int) -> int:
    """Fork a process whose parent is gone already; 0 in it, its id here."""
    reported, tell = os.pipe()
    awaited, go = os.pipe()
    between = os.fork()
    if between == 0:
        child = os.fork()
        if child:
            os.write(tell, str(child).encode())
            os._exit(0)
        for each in (reported, tell, go):
            os.close(each)
        os.read(awaited, 1)
        os.close(awaited)
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != asker:
            os._exit(1)
        return 0
    os.waitpid(between, 0)
    pid = int(os.read(reported, 32))
    for each in (reported, tell, awaited, go):
        os.close(each)
    return pid


def become(request: dict[str, Any], files: Sequence[int]) -> None:
    """Be the program, to its end."""
    os.setsid()
    os.chdir(request["folder"])
    for standard, file in enumerate(files, 1):
        os.dup2(file, standard)
        os.close(file)
    os.environ.clear()
    os.environ.update(request["environment"])
    show(request["words"], request["environment"])
    found = module_of(request["words"])
    assert found is not None
    sys.argv[1:] = found[1]
    sys.path[:] = [entry for entry in sys.path if entry != str(Path(__file__).parent)]
    runpy.run_module(found[0], run_name="__main__", alter_sys=True)


def show(words: Sequence[str], environment: Mapping[str, str]) -> None:
    """Have /proc tell these, where the kernel looks for them: in this process's own memory."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, words_end, environment_start, end = (int(text) for text in fields[45:49])
    assert words_end == environment_start
    _write(start, words_end, words)
    _write(environment_start, end, [f"{name}={value}" for name, value in environment.items()])


def _write(start: int, end: int, texts: Sequence[str]) -> None:
    content = b"".join(os.fsencode(text) + b"\0" for text in texts)[: end - start - 1]
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, content, len(content))


if __name__ == "__main__":
    main(int(sys.argv[1]))
