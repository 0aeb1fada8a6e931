# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop and start a host's license servers from that host, as systemctl would.

The lab listens on a socket of its own; this file, run by its path, is the command that asks it:
``python services.py SOCKET stop|start HOST PRODUCT``. Standard library only.
"""

from __future__ import annotations

import socket
import socketserver
import sys
import threading
from collections.abc import Callable
from pathlib import Path

REQUEST_BYTES_MAX = 200
REQUEST_SECONDS_MAX = 60.0
POLL_SECONDS = 0.2
DONE = "done"
VERBS = ("stop", "start")


class _Handler(socketserver.StreamRequestHandler):
    timeout = REQUEST_SECONDS_MAX
    server: _Server

    def handle(self) -> None:
        words = self.rfile.readline(REQUEST_BYTES_MAX).decode(errors="replace").split()
        known = len(words) == 3 and words[0] in VERBS
        answer = self.server.perform(*words) if known else "say stop or start, a host, a product"
        self.wfile.write(f"{answer}\n".encode())


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: Path, perform: Callable[[str, str, str], str]) -> None:
        self.perform = perform
        super().__init__(str(path), _Handler)


class LabServices:
    """Listens until closed; ``perform(verb, host, product)`` answers DONE or what is wrong."""

    def __init__(self, path: Path, perform: Callable[[str, str, str], str]) -> None:
        path.unlink(missing_ok=True)
        self._path = path
        self._server = _Server(path, perform)
        path.chmod(0o600)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


def command(socket_path: Path, verb: str, host: str, product: str) -> list[str]:
    """What a host's agent is told to run."""
    program = str(Path(__file__).resolve())
    return [sys.executable, "-I", "-S", program, str(socket_path), verb, host, product]


def main(socket_path: str, verb: str, host: str, product: str) -> int:
    """Ask the lab; 0 when done, 1 with a sentence on stderr when not."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(REQUEST_SECONDS_MAX)
            connection.connect(socket_path)
            connection.sendall(f"{verb} {host} {product}\n".encode())
            with connection.makefile() as answers:
                answer = answers.readline().strip()
    except OSError as error:
        answer = f"the lab does not answer on {socket_path}: {error}"
    if answer != DONE:
        print(answer, file=sys.stderr)
    return int(answer != DONE)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
