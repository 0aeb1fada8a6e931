# SPDX-License-Identifier: GPL-3.0-or-later
"""Forked processes: a start costs some hundredths of a second instead of a whole one.

The process that forks has imported everything and runs one thread only.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

READY_SECONDS_MAX = 300.0
END_SECONDS_MAX = 300.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def end_with_parent(parent: int) -> None:
    """Have the kernel kill this process when the thread that started it is gone.

    ``parent`` is that one's process; the kernel tells nobody of one that is gone already.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


class ForkedProcess:
    """One agent or engine: forked again after each of its deaths.

    ``body`` gets a descriptor to write one byte to when it is ready.
    """

    def __init__(self, name: str, body: Callable[[int], None], log_path: Path) -> None:
        self.name = name
        self._body = body
        self._log_path = log_path
        self._process_id: int | None = None

    @property
    def process_id(self) -> int | None:
        """Its id; None before its first start and after its end was seen."""
        return self._process_id

    @property
    def is_alive(self) -> bool:
        """Whether it runs; a process that ended is reaped here."""
        return self._process_id is not None and not self._reap(os.WNOHANG)

    def start(self) -> bool:
        """Fork it and wait until it is ready; False when it died on the way there."""
        if self.is_alive:
            raise RuntimeError(f"{self.name} runs already")
        reading, writing = os.pipe()
        parent = os.getpid()
        process_id = os.fork()
        if process_id == 0:
            os.close(reading)
            self._run(writing, parent)
        os.close(writing)
        self._process_id = process_id
        try:
            ready, _, _ = select.select([reading], [], [], READY_SECONDS_MAX)
            if not ready:
                raise TimeoutError(f"{self.name} was not ready in {READY_SECONDS_MAX} seconds")
            if os.read(reading, 1):
                return True
        finally:
            os.close(reading)
        self.wait()
        return False

    def wait(self) -> None:
        """Wait for an end that is sure to come."""
        deadline = time.monotonic() + END_SECONDS_MAX
        while self.is_alive:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} did not end in {END_SECONDS_MAX} seconds")
            time.sleep(0.001)

    def kill(self) -> None:
        """End it as a power switch would."""
        if self.is_alive and self._process_id is not None:
            os.kill(self._process_id, signal.SIGKILL)
            self.wait()

    def _reap(self, options: int) -> bool:
        if self._process_id is None:
            return True
        ended, _status = os.waitpid(self._process_id, options)
        if ended:
            self._process_id = None
        return bool(ended)

    def _run(self, writing: int, parent: int) -> None:
        code = 1
        try:
            end_with_parent(parent)
            log = os.open(self._log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(log, sys.stdout.fileno())
            os.dup2(log, sys.stderr.fileno())
            self._body(writing)
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it is, the fork must not go on as a test
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
