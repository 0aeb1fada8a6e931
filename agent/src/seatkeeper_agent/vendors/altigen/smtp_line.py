# SPDX-License-Identifier: GPL-3.0-or-later
"""The standard library's SMTP client with one deadline for the whole talk, and whole answers only.

Its own time limit is for each read, which never ends with a server that drips; and it takes the
beginning of an answer for all of it when the connection ends there.
"""

from __future__ import annotations

import os
import smtplib
import socket
import threading
from contextlib import suppress
from typing import BinaryIO


class _WholeLines:
    """Lines of a connection; one that was cut off counts as none."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readline(self, size: int) -> bytes:
        """The next line, of at most ``size`` bytes; empty at the end of the connection."""
        line = self._file.readline(size)
        return line if line.endswith(b"\n") or len(line) == size else b""

    def close(self) -> None:
        """Read no more."""
        self._file.close()


class SmtpLine(smtplib.SMTP):
    """A connection that is cut ``seconds_max`` after it was made; OSErrors tell of it."""

    def __init__(self, host: str, port: int, seconds_max: float) -> None:
        self._deadline = threading.Timer(seconds_max, self._cut)
        self._deadline.daemon = True
        self._twin: socket.socket | None = None
        name = socket.gethostname()
        known_as = name if "." in name and name.isascii() else "[127.0.0.1]"
        try:
            super().__init__(host, port, known_as, seconds_max)
        except BaseException:
            # It leaves a connection open that was made and never greeted.
            self.close()
            raise

    def getreply(self) -> tuple[int, bytes]:
        """Wait for what the server says; the clock starts with the first wait, its greeting."""
        if self._twin is None and self.sock is not None:
            # Of its own, since TLS takes the other one over.
            self._twin = socket.socket(fileno=os.dup(self.sock.fileno()))
            self._deadline.start()
        if self.file is None and self.sock is not None:
            self.file = _WholeLines(self.sock.makefile("rb"))
        return super().getreply()

    def __exit__(self, *_about_an_error: object) -> None:
        """Take leave; whether the server answers it says nothing about the mail."""
        with suppress(OSError):
            self.quit()
        self.close()

    def close(self) -> None:
        """End the connection and its deadline."""
        self._deadline.cancel()
        if self._twin is not None:
            self._twin.close()
        super().close()

    def _cut(self) -> None:
        if self._twin is not None:
            with suppress(OSError):
                self._twin.shutdown(socket.SHUT_RDWR)
