# SPDX-License-Identifier: GPL-3.0-or-later
"""The product's two ports: open while it runs. What is spoken there is not public: nothing is."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

TICK_SECONDS = 0.02
BACKLOG = 64


class ListeningPorts:
    """Listens on the ports as long as ``is_open`` says so; a port that is taken is tried again."""

    def __init__(self, ports: Sequence[int], is_open: Callable[[], bool]) -> None:
        self._ports = list(ports)
        self._is_open = is_open
        self._listening: list[socket.socket] = []

    def start(self) -> None:
        """Open at once where that is to be, then follow in a thread."""
        self._follow()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            self._follow()
            with selectors.DefaultSelector() as selector:
                for door in self._listening:
                    selector.register(door, selectors.EVENT_READ)
                for key, _ in selector.select(TICK_SECONDS):
                    with suppress(OSError):
                        key.fileobj.accept()[0].close()  # type: ignore[union-attr]

    def _follow(self) -> None:
        wanted = self._is_open()
        if wanted and not self._listening:
            self._open()
        elif not wanted and self._listening:
            for door in self._listening:
                door.close()
            self._listening = []

    def _open(self) -> None:
        opened: list[socket.socket] = []
        try:
            for port in self._ports:
                door = socket.socket()
                opened.append(door)
                door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                door.bind(("127.0.0.1", port))
                door.listen(BACKLOG)
                door.setblocking(False)
        except OSError:
            for door in opened:
                door.close()
            return
        self._listening = opened
