# SPDX-License-Identifier: GPL-3.0-or-later
"""Serving on a unix socket: systemd's, or one made here with mode 0660.

uvicorn's own option for unix sockets makes them world-writable, so the socket is made here
and handed over open.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from seatkeeper_agent.api.bounds import BoundedProtocol
from seatkeeper_agent.api.deferred_app import DeferredApp
from seatkeeper_agent.confinement import confine
from seatkeeper_agent.settings import Settings, SettingsError
from seatkeeper_agent.state import State, open_state

if TYPE_CHECKING:
    from fastapi import FastAPI

SOCKET_MODE = 0o660
SOCKET_PATH_BYTES_MAX = 107
BACKLOG = 512
"""So many may wait to be let in, and as many are at once before those too many are closed."""
_FIRST_PASSED_DESCRIPTOR = 3


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then SystemExit. SettingsError if it cannot begin."""
    _end_in_order()
    _confine()
    listener, made = _listener(settings.socket)
    try:
        state = open_state(settings)
        try:
            _serve(settings, state, listener)
        finally:
            state.close()
    finally:
        listener.close()
        if made:
            settings.socket.unlink(missing_ok=True)


def _serve(settings: Settings, state: State, listener: socket.socket) -> None:
    def make() -> FastAPI:
        # What an idle agent does without, see Door.
        from seatkeeper_agent.agent import build
        from seatkeeper_agent.api.app import create_app

        app = create_app(build(settings, state), settings.roles)
        app.state.is_ending = lambda: server.should_exit
        return app

    config = uvicorn.Config(
        DeferredApp(make, state.has_open_work),
        http=BoundedProtocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=30,
    )
    server = uvicorn.Server(config)
    asyncio.run(server.serve(sockets=[listener]))


def _confine() -> None:
    try:
        confine()
    except OSError as error:
        raise SettingsError(
            "The agent cannot keep its capabilities from what it starts:"
            f" {error.strerror}. Let its service use the system calls prctl and capset."
        ) from error


def _end_in_order() -> None:
    # uvicorn raises the signal once more when it has ended: without these the process would be
    # gone before it had closed its files and removed its socket.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    signal.signal(signal.SIGINT, lambda _number, _frame: sys.exit(128 + signal.SIGINT))


def _listener(path: Path) -> tuple[socket.socket, bool]:
    passed = os.environ.get("LISTEN_FDS")
    if passed and os.environ.get("LISTEN_PID") == str(os.getpid()):
        if passed != "1":
            raise SettingsError(f"systemd passed {passed} sockets, one is expected.")
        return _passed(), False
    return _bind(path), True


def _passed() -> socket.socket:
    try:
        listener = socket.socket(fileno=_FIRST_PASSED_DESCRIPTOR)
    except OSError as error:
        raise SettingsError(f"What systemd passed is no socket: {error.strerror}.") from error
    if (listener.family, listener.type) != (socket.AF_UNIX, socket.SOCK_STREAM):
        listener.close()
        raise SettingsError(
            "systemd passed a socket that is no unix stream socket. Set ListenStream to a path."
        )
    return listener


def _bind(path: Path) -> socket.socket:
    if len(os.fsencode(path)) > SOCKET_PATH_BYTES_MAX:
        raise SettingsError(
            f"The socket path {path} is longer than {SOCKET_PATH_BYTES_MAX} bytes."
            " Set agent.socket to a shorter one."
        )
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o777 & ~SOCKET_MODE)
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"The socket {path} cannot be made: {error.strerror}."
            " Set agent.socket to a place in a folder that the agent's user may write."
        ) from error
    finally:
        os.umask(before)
    listener.listen(BACKLOG)
    return listener


def _remove_stale(path: Path) -> None:
    """Remove what a killed agent left; refuse a socket that somebody answers, or a file."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise SettingsError(f"The socket {path} cannot be used: {error.strerror}.") from error
    if not stat.S_ISSOCK(mode):
        raise SettingsError(f"{path} is no socket. Move it away or set agent.socket.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise SettingsError(f"Another agent answers at {path}. Stop it first.")
