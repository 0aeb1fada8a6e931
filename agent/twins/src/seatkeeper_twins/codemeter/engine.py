# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine: one process per twin directory that answers the shim, `cmu` and control clients."""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import socket
import sqlite3
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from seatkeeper_twins.codemeter import calls, lots, operations, server_ini, wire
from seatkeeper_twins.codemeter.constants import Error, Refusal
from seatkeeper_twins.codemeter.faults import LostAnswer
from seatkeeper_twins.codemeter.runtime import Runtime
from seatkeeper_twins.codemeter.wire import Reply

CONNECTIONS_MAX = 1024
CONNECTION_SECONDS_MAX = 300
_CONNECTION_TIME_MAX = struct.pack("@ll", CONNECTION_SECONDS_MAX, 0)
LOG_BYTES_MAX = 1 << 20


class EngineRunning(RuntimeError):
    """Another engine serves this directory."""


class Engine:
    """Answers calls, one at a time; whatever it answered is durable."""

    def __init__(self, directory: Path, log: TextIO) -> None:
        self.directory = directory
        self.runtime = Runtime(directory)
        self._log = log
        self._lock = threading.Lock()
        self._closed = False
        self._noted_at = (0, "")
        self._places = threading.BoundedSemaphore(CONNECTIONS_MAX)

    def accept(self, listener: socket.socket) -> None:
        """Serve one connection in a thread of its own; waits while there are too many."""
        connection, _ = listener.accept()
        # By the socket itself: a limit of Python's costs one more system call for each of these.
        for direction in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            connection.setsockopt(socket.SOL_SOCKET, direction, _CONNECTION_TIME_MAX)
        self._places.acquire()
        threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """End in order: no call is in progress and the store is closed."""
        with self._lock:
            self._closed = True
            self.runtime.keep_box_time()
            self.runtime.store.close()

    def answer(self, function: int, fields: list[bytes | None]) -> Reply | None:
        """The answer to one call, None when the connection is to be closed without one."""
        with self._lock:
            if self._closed:
                return None
            try:
                if function == wire.OPERATION:
                    return self._operate(fields)
                return self._call(function, calls.Arguments(fields))
            except LostAnswer:
                self._note("the answer is lost, by a fault")
                return None
            except (struct.error, ValueError, KeyError, TypeError) as error:
                self._note(f"function {function}: {type(error).__name__}: {error}")
                return Reply(error=Error.INVALID_PARAMETER)
            except sqlite3.Error as error:
                self._note(f"function {function}: rolled back: {error}")
                return Reply(error=Error.UPDATE_ABORTED)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as incoming:
                while (call := wire.receive_call(connection, incoming)) is not None:
                    reply = self.answer(*call)
                    if reply is None:
                        break
                    connection.sendall(reply.packed())
        except (OSError, ValueError, struct.error) as error:
            self._note(f"connection: {error}")
        finally:
            self._places.release()

    def _call(self, function: int, arguments: calls.Arguments) -> Reply:
        if function not in calls.CALLS:
            raise ValueError(f"there is no function {function}")
        name, handler = calls.CALLS[function]
        faults = self.runtime.faults
        faults.deferred.clear()
        try:
            if function != calls.RELEASE:
                lots.expire(self.runtime)
            key = calls.call_key(self.runtime, function, arguments)
            held = None if key is None else self._held(key)
            reply = held or handler(self.runtime, arguments)
        except Refusal as refusal:
            self._note(f"{name}: {refusal}")
            return Reply(error=refusal.code)
        self._note(f"{name}: {reply.result}")
        return self._after(key, reply)

    def _after(self, key: str | None, reply: Reply) -> Reply:
        """What faults after a durable change do to its answer."""
        for action, value in self.runtime.faults.deferred:
            if action == "slow":
                time.sleep(value / 1000)
            elif action == "lose":
                raise LostAnswer
            elif key is not None:
                self.runtime.store.write(
                    "INSERT OR REPLACE INTO pending VALUES (?, ?, ?)",
                    key, value - 1, reply.packed(),
                )  # fmt: skip
                return Reply(error=Error.COMMAND_PENDING)
        return reply

    def _held(self, key: str) -> Reply | None:
        """The answer that a fault holds back for this call, once it is free."""
        store = self.runtime.store
        held = store.row("SELECT * FROM pending WHERE call = ?", key)
        if held is None:
            return None
        if held["remaining"] > 0:
            store.write("UPDATE pending SET remaining = remaining - 1 WHERE call = ?", key)
            raise Refusal(Error.COMMAND_PENDING, "pending, by a fault")
        store.write("DELETE FROM pending WHERE call = ?", key)
        return wire.unpack_reply(held["reply"])

    def _operate(self, fields: list[bytes | None]) -> Reply:
        request = json.loads(fields[0] or b"{}")
        self.runtime.faults.deferred.clear()
        lots.expire(self.runtime)
        try:
            answer, data = operations.perform(self.runtime, request, fields[1:])
        except Refusal as refusal:
            answer, data = {"error": refusal.code, "reason": refusal.reason}, None
        except ValueError as error:
            answer, data = {"error": int(Error.INVALID_PARAMETER), "reason": str(error)}, None
        body = json.dumps(answer).encode()
        return Reply(len(body), body + (data or b""))

    def _note(self, text: str) -> None:
        second = int(time.time())
        if second != self._noted_at[0]:
            self._noted_at = (second, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second)))
        self._log.write(f"{self._noted_at[1]} {text}\n")
        self._log.flush()


def main(directory: Path | str, announce: Callable[[str], None] | None = None) -> int:
    """Serve a twin directory until SIGTERM or SIGINT; must run in a process's main thread.

    `announce` gets one line when calls are answered. FileNotFoundError: no twin there.
    EngineRunning: it is served already.
    """
    directory = Path(directory).resolve()
    with (directory / "engine.pid").open("a+") as pid_file:
        _claim(directory, pid_file)
        settings = server_ini.read(directory)
        with _open_log(directory) as log, _listen(directory) as listener:
            engine = Engine(directory, log)
            wake = _wake_on_signals()
            if announce is not None:
                announce(f"ready {directory}")
            _serve_until(wake, listener, engine)
            (directory / wire.SOCKET_NAME).unlink(missing_ok=True)
            engine.close()
        # As documented of the product: an edit made while it ran is lost now.
        server_ini.write(directory, settings)
        pid_file.truncate(0)
    return 0


def say(line: str) -> None:
    """Print a line at once; the ready line of a foreground engine."""
    print(line, flush=True)


def _claim(directory: Path, pid_file: TextIO) -> None:
    try:
        fcntl.flock(pid_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise EngineRunning(f"an engine serves {directory} already") from error
    pid_file.truncate(0)
    pid_file.write(f"{os.getpid()}\n")
    pid_file.flush()


def _open_log(directory: Path) -> TextIO:
    path = directory / "engine.log"
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        path.unlink()
    return path.open("a", encoding="utf-8")


def _listen(directory: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    (directory / wire.SOCKET_NAME).unlink(missing_ok=True)
    with wire.socket_address(directory) as address:
        listener.bind(address)
    (directory / wire.SOCKET_NAME).chmod(0o600)
    listener.listen(CONNECTIONS_MAX)
    return listener


def _wake_on_signals() -> int:
    """A descriptor that becomes readable on SIGTERM or SIGINT.

    The interpreter writes to it at once. A handler would run only when ``select`` has returned,
    which it never does for a signal that comes just before it.
    """
    wake, trigger = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(trigger, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    return wake


def _serve_until(wake: int, listener: socket.socket, engine: Engine) -> None:
    while True:
        ready, _, _ = select.select([wake, listener.fileno()], [], [])
        if wake in ready:
            return
        engine.accept(listener)
