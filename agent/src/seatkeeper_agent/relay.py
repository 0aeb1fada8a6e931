# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries one request of a controller from standard input to the agent, and its answer back.

Ansible starts it on the host for each request, with whatever its connection has: so it imports the
standard library only, and little of that. A request is a head line, then ASCII JSON:

    seatkeeper-request 1 LENGTH SHA256 ID
    {"method": ..., "path": ..., "headers": {...}, "body": BASE64 or null, "seconds": ...}

The JSON is cut into lines; length and digest are those of its text without the line ends. The
answer is one line with a mark, so that nothing counts which a shell prints before or after it:

    seatkeeper-answer 1 ID LENGTH SHA256 {"status": ..., "media_type": ..., "body": BASE64}

Where no agent answers, the JSON has the problem's code and what only the host knows of it; the
controller makes a sentence of it. Either way the request is answered, and the exit status is 0.
"""

from __future__ import annotations

import binascii
import errno
import hashlib
import json
import re
import signal
import socket
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, NoReturn

FORMAT = "1"
REQUEST_MARK, ANSWER_MARK = "seatkeeper-request", "seatkeeper-answer"
HEAD_BYTES_MAX = 256
REQUEST_BYTES_MAX = 64 * 1024 * 1024
ANSWER_BYTES_MAX = 64 * 1024 * 1024
READ_SECONDS_MAX = 60
"""How long the request itself may take to arrive."""
CHUNK_BYTES = 1 << 18

_BY_NUMBER = {
    errno.ENOENT: "agent-missing",
    errno.ENOTDIR: "agent-missing",
    errno.EACCES: "agent-forbidden",
    errno.EPERM: "agent-forbidden",
    errno.ECONNREFUSED: "agent-stopped",
    errno.EAGAIN: "agent-overloaded",
    errno.ECONNRESET: "agent-lost",
    errno.EPIPE: "agent-lost",
}
_HEAD = re.compile(rf"{REQUEST_MARK} (\S+) (\d{{1,9}}) ([0-9a-f]{{64}}) ([0-9a-f]{{32}})\n")
_STATUS = re.compile(r"HTTP/1\.[01] ([1-5]\d\d)(?: |$)")
_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d{1,9})(?=\r\n|$)", re.IGNORECASE)
_PLAIN = re.compile(r"[!-~]+")


class NoAnswer(Exception):
    """Why there is none: the problem's code, and what its sentence needs besides."""

    def __init__(self, code: str, **members: str) -> None:
        super().__init__(code)
        self.document: dict[str, Any] = {"code": code, **members}


def main(socket_path: str) -> int:
    """Answer the request on standard input; 0 whatever the answer is."""
    identity, answer = "0" * 32, {}
    signal.signal(signal.SIGALRM, _late)
    signal.setitimer(signal.ITIMER_REAL, READ_SECONDS_MAX)
    try:
        length, digest, identity = _head(sys.stdin.buffer)
        request = _request(sys.stdin.buffer, length, digest)
        signal.setitimer(signal.ITIMER_REAL, request["seconds"])
        answer = _exchanged(socket_path, request)
    except NoAnswer as none:
        answer = none.document
    signal.setitimer(signal.ITIMER_REAL, 0)
    _tell(identity, answer)
    return 0


def _late(_number: int, _frame: object) -> NoReturn:
    raise NoAnswer("agent-timeout")


def _head(stream: BinaryIO) -> tuple[int, str, str]:
    line = stream.readline(HEAD_BYTES_MAX).decode("ascii", "replace")
    found = _HEAD.fullmatch(line)
    if found is None:
        raise NoAnswer("request-damaged")
    version, length, digest, identity = found.groups()
    if version != FORMAT or int(length) > REQUEST_BYTES_MAX:
        raise NoAnswer("request-unknown")
    return int(length), digest, identity


def _request(stream: BinaryIO, length: int, digest: str) -> dict[str, Any]:
    """The request once it has arrived whole; what comes after it, such as itself again, is left."""
    parts, missing = [], length
    while missing > 0 and (line := stream.readline(CHUNK_BYTES)):
        parts.append(line.rstrip(b"\r\n"))
        missing -= len(parts[-1])
    content = b"".join(parts)
    if missing or hashlib.sha256(content).hexdigest() != digest:
        raise NoAnswer("request-damaged")
    request: dict[str, Any] = json.loads(content)
    return request


def _exchanged(socket_path: str, request: dict[str, Any]) -> dict[str, Any]:
    body = None if request["body"] is None else binascii.a2b_base64(request["body"])
    message = _message(request["method"], request["path"], request["headers"], body)
    with socket.socket(socket.AF_UNIX) as connection:
        # With a limit of its own a full queue is told at once, and not waited for.
        connection.settimeout(request["seconds"])
        try:
            connection.connect(socket_path)
            connection.sendall(message)
            answer = _received(connection)
        except TimeoutError as error:
            raise NoAnswer("agent-timeout") from error
        except OSError as error:
            raise _explained(error, socket_path) from error
    return _answer(answer)


def _message(method: str, path: str, headers: dict[str, str], body: bytes | None) -> bytes:
    """The request as HTTP has it; nothing in its head can become a line of its own."""
    length = {} if body is None else {"Content-Length": str(len(body))}
    told = {"Host": "localhost", "Connection": "close", **headers, **length}
    lines = [f"{name}: {value}" for name, value in told.items()]
    if not all(map(str.isprintable, lines)) or not _PLAIN.fullmatch(method + path):
        raise NoAnswer("request-damaged")
    head = "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""])
    return head.encode("ascii") + (body or b"")


def _received(connection: socket.socket) -> bytes:
    """One answer as long as it says that it is, or else until the connection is closed."""
    received, whole = bytearray(), ANSWER_BYTES_MAX + 1
    while len(received) < whole and (content := connection.recv(CHUNK_BYTES)):
        is_head = _HEAD_END not in received
        received += content
        if is_head and _HEAD_END in received:
            head, _end, _body = received.partition(_HEAD_END)
            found = _LENGTH.search(head)
            whole = len(head) + len(_HEAD_END) + int(found[1]) if found else whole
    if len(received) > ANSWER_BYTES_MAX:
        raise NoAnswer("agent-unknown", shown=f"an answer of over {ANSWER_BYTES_MAX} bytes")
    return bytes(received)


def _answer(content: bytes) -> dict[str, Any]:
    head, end, body = content.partition(_HEAD_END)
    first, *lines = head.decode("latin-1").split("\r\n")
    found = _STATUS.match(first)
    if not content or (found and not end):
        raise NoAnswer("agent-lost")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _colon, value in pairs}
    length = headers.get("content-length", str(len(body)))
    if found is None or "transfer-encoding" in headers or not length.isdecimal():
        raise NoAnswer("agent-unknown", shown=ascii(first[:80]))
    if len(body) != int(length):
        raise NoAnswer("agent-lost")
    return {
        "status": int(found[1]),
        "media_type": headers.get("content-type", "text/plain").partition(";")[0].strip(),
        "body": binascii.b2a_base64(body, newline=False).decode("ascii"),
    }


def _explained(error: OSError, socket_path: str) -> NoAnswer:
    code = _BY_NUMBER.get(error.errno or 0)
    if code is None:
        return NoAnswer("agent-unknown", shown=f"{type(error).__name__}: {error.strerror}")
    if code != "agent-forbidden":
        return NoAnswer(code)
    # Only who is refused pays for what it takes to say so.
    from pathlib import Path

    from seatkeeper_agent.host import host

    here = host()
    user = here.user_name(here.user_id()) or str(here.user_id())
    return NoAnswer(code, user=user, group=here.group_of(Path(socket_path)))


def _tell(identity: str, answer: dict[str, Any]) -> None:
    content = json.dumps(answer)
    digest = hashlib.sha256(content.encode("ascii")).hexdigest()
    # On a line of its own also where a shell has left one unfinished.
    print(f"\n{ANSWER_MARK} {FORMAT} {identity} {len(content)} {digest} {content}", flush=True)
