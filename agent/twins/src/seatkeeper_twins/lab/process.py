# SPDX-License-Identifier: GPL-3.0-or-later
"""One process of a lab: started, asked whether it is ready, ended or killed, never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

READY_SECONDS_MAX = 120.0
STOP_SECONDS_MAX = 30.0
ASK_AGAIN_SECONDS = 0.01
LOG_TAIL_BYTES = 2_000

# Asks the kernel for SIGKILL at the starter's end, then becomes the real program. It runs in the
# new process after its exec, so unlike a preexec_fn it cannot meet a lock held by another thread.
_DIE_WITH_PARENT = (
    "import ctypes, os, sys\n"
    "ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)\n"
    "if os.getppid() == int(sys.argv[1]):\n"
    "    os.execvp(sys.argv[2], sys.argv[2:])\n"
)

# The kernel sends that signal when the *thread* ends that started the process. Short-lived
# threads therefore hand the start to one that lives as long as this process.
_STARTER = ThreadPoolExecutor(1, "lab-starter")


class LabError(Exception):
    """The lab cannot do what was asked; the text is one sentence or two."""


def spawn(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], output: int | IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own that is killed when this process ends."""

    def start() -> subprocess.Popen[bytes]:
        wrapper = [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid())]
        return subprocess.Popen(  # noqa: S603 - the lab's own programs
            [*wrapper, *command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C at a terminal is for the lab, which then ends them in order.
            start_new_session=True,
        )

    if threading.current_thread() is threading.main_thread():
        return start()
    return _STARTER.submit(start).result()


class LabProcess:
    """A program that runs in a folder and writes to a log; usable from several threads.

    ``is_ready`` is asked until it says yes, within READY_SECONDS_MAX.
    """

    def __init__(
        self,
        title: str,
        command: Sequence[str],
        folder: Path,
        log_path: Path,
        environment: Mapping[str, str],
        is_ready: Callable[[], bool],
    ) -> None:
        self.title = title
        self.command = list(command)
        self.folder = folder
        self.log_path = log_path
        self._environment = dict(environment)
        self._is_ready = is_ready
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; None while it runs or before its first start."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start and return when it is ready; LabError when it ends instead or takes too long."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start without waiting; LabError when it runs already."""
        with self._lock:
            if self.pid is not None:
                raise LabError(f"{self.title} runs already, as process {self.pid}.")
            with self.log_path.open("ab") as log:
                self._process = spawn(self.command, self.folder, self._environment, log)

    def wait_ready(self) -> None:
        """Return when it is ready; LabError when it ends instead or takes too long."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self._is_ready():
            if self.pid is None:
                raise LabError(
                    f"{self.title} ended before it was ready, exit code {self.exit_code}."
                    f" {self._output_tail()}"
                )
            if time.monotonic() > deadline:
                raise LabError(
                    f"{self.title} was not ready within {READY_SECONDS_MAX:g} seconds."
                    f" {self._output_tail()}"
                )
            time.sleep(ASK_AGAIN_SECONDS)

    def stop(self) -> int | None:
        """End it as a service manager would, killing it when it does not; its exit code."""
        with self._lock:
            self.ask_to_end()
            try:
                return self.wait()
            except LabError:
                return self.kill()

    def ask_to_end(self) -> None:
        """Send SIGTERM if it runs."""
        self._signal(signal.SIGTERM)

    def kill(self) -> int | None:
        """End it with SIGKILL if it runs; its exit code."""
        self._signal(signal.SIGKILL)
        return self.wait()

    def wait(self) -> int | None:
        """Wait for its end, STOP_SECONDS_MAX at most; its exit code. LabError when it runs on."""
        if self._process is None:
            return None
        try:
            return self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired as error:
            raise LabError(
                f"{self.title} did not end within {STOP_SECONDS_MAX:g} seconds."
            ) from error

    def _signal(self, number: signal.Signals) -> None:
        with self._lock:
            if self._process is not None:
                self._process.send_signal(number)

    def _output_tail(self) -> str:
        try:
            with self.log_path.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
                lines = log.read().decode(errors="replace").split("\n")
        except OSError:
            lines = []
        said = [line.strip() for line in lines if line.strip()]
        return f"The last line of {self.log_path} is: {said[-1]}" if said else "It said nothing."


def marked_processes(variable: str, value: str) -> list[int]:
    """Ids of all running processes, this one left out, whose environment has variable=value.

    Whatever a lab starts inherits its mark, so this finds also what its processes started.
    """
    mark = f"{variable}={value}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue  # ended meanwhile, or somebody else's
        if mark in environment.split(b"\0"):
            found.append(int(entry.name))
    return sorted(found)
