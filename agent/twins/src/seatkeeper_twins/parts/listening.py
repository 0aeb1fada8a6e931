# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a twin listens: a port of loopback, written to its folder, the same after a restart."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

from seatkeeper_twins.parts.web import Routes, WebServer

PORT_NAME = "port"
PORTS = range(20_000, 30_000)
PORT_ATTEMPTS_MAX = 100


def address(folder: Path | str) -> str | None:
    """Where a started twin listens, or did when it ended; None before its first start."""
    port = read_port(Path(folder) / PORT_NAME)
    return None if port is None else f"http://127.0.0.1:{port}"


def read_port(path: Path) -> int | None:
    """The port in a file; None when there is no file."""
    return int(path.read_text(encoding="ascii")) if path.exists() else None


def write_port(path: Path, port: int) -> None:
    """Replace a file at once by one that holds a port."""
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(f"{port}\n", encoding="ascii")
    draft.replace(path)


def listen(folder: Path, port: int, routes: Routes) -> WebServer:
    """Listen and write the port to the folder; for port 0 the one it had before, if it is free.

    So a twin that was killed comes back where its clients look for it. OSError: the port is taken.
    """
    path = folder / PORT_NAME
    before = read_port(path) or 0
    server = WebServer(port, routes) if port else _listen_anywhere(before, routes)
    write_port(path, server.port)
    return server


def serve(folder: Path, port: int, routes: Routes) -> None:
    """Listen, print "ready URL" and answer until SIGTERM; in the main thread only."""
    web = listen(folder, port, routes)
    print(f"ready {web.address}", flush=True)
    web.run()


def _listen_anywhere(preferred: int, routes: Routes) -> WebServer:
    """Not on a port that a kernel gives to clients: one might have it when the twin comes back."""
    tried = [preferred] if preferred else []
    for port in [*tried, *random.sample(PORTS, PORT_ATTEMPTS_MAX)]:
        with suppress(OSError):
            return WebServer(port, routes)
    return WebServer(0, routes)
