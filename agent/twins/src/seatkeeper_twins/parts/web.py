# SPDX-License-Identifier: GPL-3.0-or-later
"""A small HTTP server on loopback: exact paths, one thread for each connection, bounded reads."""

from __future__ import annotations

import json
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

BODY_BYTES_MAX = 4 << 20
IDLE_SECONDS_MAX = 30
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"


class Refusal(Exception):
    """The answer is an error status with a text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class LostAnswer(Exception):
    """The connection is to be closed without an answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks; ``query`` and forms hold the last value of a name."""

    query: Mapping[str, str]
    cookies: str
    content_type: str
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; ValueError when it is none."""
        value = json.loads(self.body or b"{}")
        if not isinstance(value, dict):
            raise ValueError("the body must be a JSON object")
        return value

    def form(self) -> dict[str, str]:
        """The body as the fields of a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def parts(self) -> dict[str, bytes]:
        """The body as the fields and files of a multipart form."""
        from email.parser import BytesParser
        from email.policy import HTTP

        head = f"Content-Type: {self.content_type}\r\n\r\n".encode()
        message = BytesParser(policy=HTTP).parsebytes(head + self.body)
        found = {}
        for part in message.iter_parts():
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                found[str(name)] = content
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client gets."""

    body: bytes = b""
    status: int = 200
    content_type: str = TEXT
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, value: Any) -> Answer:
        """A JSON document."""
        return cls(json.dumps(value).encode() + b"\n", content_type="application/json")

    @classmethod
    def of_html(cls, text: str) -> Answer:
        """A page that no one is to keep."""
        return cls(text.encode(), content_type=HTML, headers={"Cache-Control": "no-store"})

    @classmethod
    def see(cls, path: str) -> Answer:
        """Send a browser on to another page, after a form."""
        return cls(status=303, headers={"Location": path})


Handler = Callable[[Request], Answer]
Routes = Mapping[tuple[str, str], Handler]


def answering(question: Callable[..., Any]) -> Handler:
    """Call a function with the body's members; the answer is what it gives, {} for nothing."""
    return lambda request: Answer.of_json(question(**request.json()) or {})


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS_MAX
    # One packet for each answer; else a client waits for the rest of a half-sent one.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: WebServer

    def _serve(self) -> None:
        path = urlsplit(self.path).path
        try:
            answer = self._answer(path)
        except LostAnswer:
            self.close_connection = True
            answer = None
        self._note(path, answer)
        if answer is not None:
            self._send(answer)

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the names that http.server looks for

    def _answer(self, path: str) -> Answer:
        try:
            request = self._request()
            handler = self.server.routes.get((self.command, path))
            if handler is None:
                return Answer(b"Not found\n", 404)
            return handler(request)
        except Refusal as refusal:
            return Answer(refusal.text.encode(), refusal.status)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            traceback.print_exc()
            return Answer(f"Bad request: {type(error).__name__}: {error}\n".encode(), 400)

    def _request(self) -> Request:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= BODY_BYTES_MAX:
            self.close_connection = True
            raise Refusal(413, f"At most {BODY_BYTES_MAX} bytes are taken\n")
        return Request(
            query=dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True)),
            cookies=self.headers.get("Cookie") or "",
            content_type=self.headers.get("Content-Type") or "",
            body=self.rfile.read(length),
        )

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        headers = {
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.body)),
            **answer.headers,
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def _note(self, path: str, answer: Answer | None) -> None:
        # Paths only: bodies hold passwords.
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        print(moment, self.command, path, answer.status if answer else "lost", file=sys.stderr)

    def log_message(self, *_words: object) -> None:
        """Say nothing: every answer is noted above, and a broken connection needs no line."""


class WebServer(ThreadingHTTPServer):
    """Listens on loopback from its making on; answers within `run`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, routes: Routes) -> None:
        self.routes = routes
        super().__init__(("127.0.0.1", port), _Connection)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        """Its URL, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def run(self) -> None:
        """Answer until SIGTERM or SIGINT; in the main thread only."""

        def end(_number: int, _frame: FrameType | None) -> None:
            raise SystemExit(0)

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        try:
            self.serve_forever()
        except SystemExit:
            self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is none of the server's troubles."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)
