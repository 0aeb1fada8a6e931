# SPDX-License-Identifier: GPL-3.0-or-later
"""Serving on the socket that this host gives.

uvicorn's own option for unix sockets makes them world-writable, so the socket is handed over open.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

import uvicorn

from seatkeeper_agent.api.bounds import BoundedProtocol
from seatkeeper_agent.api.deferred_app import DeferredApp
from seatkeeper_agent.host import HostRefused, host
from seatkeeper_agent.settings import Settings, SettingsError
from seatkeeper_agent.state import State, open_state

if TYPE_CHECKING:
    import socket

    from fastapi import FastAPI

BACKLOG = 512
"""So many may wait to be let in, and as many are at once before those too many are closed."""


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then SystemExit. SettingsError if it cannot begin."""
    _end_in_order()
    _confine()
    listener, made = _listener(settings)
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
        DeferredApp(make, state.has_work),
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
        host().confine()
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


def _listener(settings: Settings) -> tuple[socket.socket, bool]:
    try:
        return host().listener(settings.socket, BACKLOG)
    except HostRefused as error:
        raise SettingsError(str(error)) from error
