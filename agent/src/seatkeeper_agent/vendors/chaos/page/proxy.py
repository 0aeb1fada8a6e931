# SPDX-License-Identifier: GPL-3.0-or-later
"""The browser's only way to the network: it lets a license server be read, and nothing else.

Chromium sends a request again when a connection breaks, and one that was held back when whoever
held it back is gone. What may have an effect must therefore have no way out of it at all.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler
from socket import socket
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import urlsplit

_CONNECTIONS_MAX = 64
_IDLE_SECONDS_MAX = 60.0
_CONNECT_SECONDS_MAX = 30.0
_END_NOTICED_SECONDS = 0.05
_PART_BYTES = 65536
# These hold between two neighbours only.
_NOT_PASSED_ON = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
# What is read is asked for without a body.
_NOT_ASKED_WITH = _NOT_PASSED_ON | {"content-length", "expect"}


def site_of(address: str) -> tuple[str, int] | None:
    """Host and port of an http address; None for any other."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme != "http" or not parts.hostname:
        return None
    return parts.hostname, 80 if port is None else port


class ReadingProxy(ThreadingTCPServer):
    """Passes GET and HEAD on to one site; every other method is answered here, with 501."""

    daemon_threads = True
    request_queue_size = _CONNECTIONS_MAX

    def __init__(self, site: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.site = site
        self.has_passed_on = False
        self._free = threading.BoundedSemaphore(_CONNECTIONS_MAX)

    @property
    def address(self) -> str:
        """Where it listens."""
        host, port = self.socket.getsockname()
        return f"http://{host}:{port}"

    def process_request(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """Take a connection, as long as there are not too many of them."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(
        self, request: socket | tuple[bytes, socket], client_address: Any
    ) -> None:
        """Serve a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()


@contextmanager
def reading_proxy(address: str) -> Iterator[ReadingProxy]:
    """A proxy for the site of an address, until the block or this process ends."""
    site = site_of(address)
    if site is None:
        raise ValueError(f"{address} is no http address")
    with ReadingProxy(site) as proxy:
        serving = threading.Thread(
            target=proxy.serve_forever, args=(_END_NOTICED_SECONDS,), daemon=True
        )
        serving.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()


class _Handler(BaseHTTPRequestHandler):
    """One connection, which ends with its answer."""

    server: ReadingProxy
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS_MAX

    def handle(self) -> None:
        """Serve the connection; the browser may leave it at any time."""
        with suppress(OSError):
            super().handle()

    def do_GET(self) -> None:
        """Pass it on. Without an answer there is none: the browser shows its own page then."""
        self.close_connection = True
        if site_of(self.path) != self.server.site:
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        self.server.has_passed_on = True
        with (
            suppress(OSError, HTTPException),
            closing(HTTPConnection(*self.server.site, timeout=_CONNECT_SECONDS_MAX)) as upstream,
        ):
            self._ask(upstream)
            self._answer(upstream.getresponse())

    def do_HEAD(self) -> None:
        """As do_GET."""
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Say nothing: standard error is nobody's."""

    def _ask(self, upstream: HTTPConnection) -> None:
        parts = urlsplit(self.path)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        upstream.connect()
        # An answer may take as long as the page waits for it; this process has its own end.
        upstream.sock.settimeout(None)
        upstream.putrequest(self.command, target, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in _NOT_ASKED_WITH:
                upstream.putheader(name, value)
        upstream.putheader("Connection", "close")
        upstream.endheaders()

    def _answer(self, answer: HTTPResponse) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _NOT_PASSED_ON:
                self.send_header(name, value)
        if answer.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        while part := answer.read1(_PART_BYTES):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if answer.chunked else part)
        # Left out where the answer broke off, so that the browser notices.
        if answer.chunked:
            self.wfile.write(b"0\r\n\r\n")
