# SPDX-License-Identifier: GPL-3.0-or-later
"""What answers before anything is loaded.

Most agents of a fleet are idle most of the time. Until the first request that needs the
API, only the journal is open: drivers, operations and the web framework wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Receive, Scope, Send

_ALIVE = b'{"status":"alive"}'


class DeferredApp:
    """An ASGI application that makes the real one when it is first needed.

    ``make`` may take its time and runs in a thread; ``is_needed`` tells at the start whether
    there is work before anybody asks.
    """

    def __init__(self, make: Callable[[], FastAPI], is_needed: Callable[[], bool]) -> None:
        self._make = make
        self._is_needed = is_needed
        self._app: ASGIApp | None = None
        self._loading = asyncio.Lock()
        self._running = AsyncExitStack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer that the process lives, or pass the request on."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._app is None and scope["path"] == "/livez" and scope["method"] == "GET":
            await _answer(send, _ALIVE)
        else:
            app = await self._loaded()
            await app(scope, receive, send)

    async def _loaded(self) -> ASGIApp:
        async with self._loading:
            if self._app is None:
                app = await asyncio.to_thread(self._make)
                await self._running.enter_async_context(app.router.lifespan_context(app))
                self._app = app
        return self._app

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        if self._is_needed():
            await self._loaded()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._running.aclose()
        await send({"type": "lifespan.shutdown.complete"})


async def _answer(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
