# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's side of the worker process: one call at a time, each within its time limit."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from seatkeeper_agent.operations.ports import (
    DriverPending,
    DriverUnavailable,
    DriverUnfinished,
)
from seatkeeper_agent.vendors.codemeter.errors import error_of
from seatkeeper_agent.vendors.codemeter.messages import EFFECTS, receive_message, send_message

END_SECONDS_MAX = 5.0
PENDING_PAUSE_SECONDS = 0.05
PENDING_PAUSE_SECONDS_MAX = 1.0
_SOURCE_ROOT = Path(__file__).resolve().parents[3]
_BOOT = (
    "import sys; sys.path.append(sys.argv[1]);"
    " from seatkeeper_agent.vendors.codemeter.worker import main; main(*sys.argv[2:])"
)


class _WorkerGoneError(Exception):
    """The worker process ended in the middle of a call."""


class _Worker:
    """One worker process; its keeper thread closes and reaps it, whatever way it ends."""

    def __init__(self, library: str, environment: Mapping[str, str]) -> None:
        self.connection, remote = socket.socketpair()
        self.last_used = time.monotonic()
        arguments = [str(_SOURCE_ROOT), str(remote.fileno()), str(os.getpid()), library]
        with remote:
            # Constant program and an argument list without a shell; the library's path is
            # the operator's setting.
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", "-c", _BOOT, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=dict(environment),
                pass_fds=[remote.fileno()],
            )

    def exchange(self, message: Any, seconds_max: float) -> Any:
        """Send ``message`` unless it is None and give the answer.

        TimeoutError when the answer does not come in time, _WorkerGoneError when the
        process ended.
        """
        deadline = time.monotonic() + seconds_max
        self.connection.settimeout(seconds_max)
        try:
            if message is not None:
                send_message(self.connection, message)
            self.connection.settimeout(max(0.001, deadline - time.monotonic()))
            return receive_message(self.connection)
        except TimeoutError:
            raise
        except (OSError, EOFError, ValueError) as error:
            raise _WorkerGoneError from error
        finally:
            self.last_used = time.monotonic()

    def end(self) -> None:
        """Kill the process and wake the keeper; the descriptor stays open until it did its work."""
        self.process.kill()
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(END_SECONDS_MAX)

    def wait_for_end(self, seconds_max: float) -> bool:
        """Whether the process ended, or was ended, within the time."""
        poll = select.poll()
        poll.register(self.connection, 0)
        return bool(poll.poll(max(0, int(seconds_max * 1000))))


class Library:
    """Calls into the runtime library, in a worker process that starts when it is needed.

    Safe to use from several threads. The worker ends after ``idle_seconds_max`` without a
    call, to give its memory back.
    """

    def __init__(
        self,
        path: str,
        environment: Mapping[str, str],
        call_seconds_max: float,
        idle_seconds_max: float,
    ) -> None:
        self.path = path
        self._environment = dict(environment)
        self._call_seconds_max = call_seconds_max
        self._idle_seconds_max = idle_seconds_max
        self._lock = threading.Lock()
        self._worker: _Worker | None = None

    def read(self, name: str, **arguments: Any) -> Any:
        """A call that moves no seat; repeated while the product says that it is busy (235).

        The repetition is bounded by the time limit of a call; DriverPending after it.
        """
        deadline = time.monotonic() + self._call_seconds_max
        pause = PENDING_PAUSE_SECONDS
        while True:
            try:
                return self._call(name, arguments, attempts=2)
            except DriverPending:
                if time.monotonic() + pause > deadline:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, PENDING_PAUSE_SECONDS_MAX)

    def effect(self, name: str, **arguments: Any) -> Any:
        """A call that moves seats or closes a row: made once, never repeated here."""
        return self._call(name, arguments, attempts=1)

    def close(self) -> None:
        """End the worker; the next call starts another."""
        if self._lock.acquire(timeout=self._call_seconds_max):
            try:
                self._drop_worker()
            finally:
                self._lock.release()

    def _call(self, name: str, arguments: dict[str, Any], attempts: int) -> Any:
        if not self._lock.acquire(timeout=self._call_seconds_max):
            raise DriverUnavailable(
                "Another call to CodeMeter has not ended within"
                f" {self._call_seconds_max:g} seconds; nothing was asked."
            )
        try:
            for _ in range(attempts):
                worker = self._running_worker()
                try:
                    answer = worker.exchange(
                        {"name": name, "arguments": arguments}, self._call_seconds_max
                    )
                except TimeoutError:
                    self._drop_worker()
                    raise DriverUnfinished(
                        f"CodeMeter did not answer {name} within"
                        f" {self._call_seconds_max:g} seconds."
                    ) from None
                except _WorkerGoneError:
                    self._drop_worker()
                    continue
                if "value" in answer:
                    return answer["value"]
                raise error_of(answer, name)
        finally:
            self._lock.release()
        sentence = f"The CodeMeter library ended its process during {name}."
        raise DriverUnfinished(sentence) if name in EFFECTS else DriverUnavailable(sentence)

    def _running_worker(self) -> _Worker:
        if self._worker is not None and self._worker.process.poll() is not None:
            self._drop_worker()
        if self._worker is None:
            self._worker = self._started_worker()
        return self._worker

    def _started_worker(self) -> _Worker:
        try:
            worker = _Worker(self.path, self._environment)
        except OSError as error:
            raise DriverUnavailable(
                f"The process for the CodeMeter library could not be started: {error}."
            ) from error
        threading.Thread(
            target=self._keep, args=(worker,), name="codemeter-worker-keeper", daemon=True
        ).start()
        try:
            greeting = worker.exchange(None, self._call_seconds_max)
        except (TimeoutError, _WorkerGoneError) as error:
            worker.end()
            raise DriverUnavailable(
                f"The CodeMeter library {self.path} could not be loaded: its process"
                f" {'did not start in time' if isinstance(error, TimeoutError) else 'ended'}."
            ) from error
        if "unavailable" in greeting:
            worker.end()
            raise DriverUnavailable(
                f"The CodeMeter library {self.path} could not be loaded"
                f" ({greeting['unavailable']}): install the CodeMeter runtime or correct the"
                " setting library of codemeter."
            )
        return worker

    def _drop_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.end()

    def _keep(self, worker: _Worker) -> None:
        # Ends an idle worker, and reaps every worker, so that none is left as a zombie.
        while True:
            idle_left = worker.last_used + self._idle_seconds_max - time.monotonic()
            if worker.wait_for_end(max(0.05, idle_left)):
                break
            if self._lock.acquire(blocking=False):
                try:
                    if time.monotonic() - worker.last_used >= self._idle_seconds_max:
                        worker.end()
                finally:
                    self._lock.release()
        worker.process.kill()
        worker.process.wait()
        # A call may still be reading from the descriptor, whose number could be given out again.
        with self._lock:
            worker.connection.close()
