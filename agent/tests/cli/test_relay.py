# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay at its two ends: what a controller writes to it, and what it makes of a socket."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_twins.lab.lab import Lab

from .conftest import COMMAND_SECONDS_MAX, SEED, environment

IDENTITY = "0123456789abcdef0123456789abcdef"
NOBODY_ID = "0" * 32
NOBODY = 65534
RELAY = ("-m", "seatkeeper_agent", "relay", "--socket")
# The interpreter of the tests may be where only root can read, so all is loaded before.
AS_NOBODY = """
import os, pathlib, sys
from seatkeeper_agent import relay
from seatkeeper_agent.host import linux  # before nobody may read it any more
os.setgroups([]); os.setgid({nobody}); os.setuid({nobody})
sys.exit(relay.main({path!r}))
"""
LOADED = """
import sys
before = set(sys.modules)
sys.argv[1:] = ["relay", "--socket", "/nonexistent"]
from seatkeeper_agent.cli import main
code = main()
print(*sorted(set(sys.modules) - before), file=sys.stderr)
sys.exit(code)
"""
# What the interpreter brings by itself differs with its version and its environment.
OWN = {"seatkeeper_agent", "seatkeeper_agent.cli", "seatkeeper_agent.relay"}
TOO_HEAVY = {
    "argparse", "asyncio", "email", "http", "http.client", "pathlib", "ssl", "subprocess",
    "tempfile", "typing", "urllib", "urllib.parse", "uuid",
}  # fmt: skip
STANDARD_MAX = 60
"""Of Python 3.13; each of the heavy ones would bring more than it is below that."""


def asked(path: str = "/v1/agent", body: bytes | None = None, **members: Any) -> bytes:
    """A request as a controller writes it, cut into short lines."""
    encoded = None if body is None else base64.b64encode(body).decode()
    request = {"method": "GET", "path": path, "headers": {}, "body": encoded, "seconds": 30.0}
    content = json.dumps(request | members)
    digest = hashlib.sha256(content.encode()).hexdigest()
    lines = [content[at : at + 1000] for at in range(0, len(content), 1000)]
    head = f"seatkeeper-request 1 {len(content)} {digest} {IDENTITY}"
    return "\n".join([head, *lines, ""]).encode()


def relayed(socket_path: Path | str, given: bytes, *program: str) -> dict[str, Any]:
    """The answer, once all that the form promises of it was looked at."""
    done = subprocess.run(
        [sys.executable, "-P", *(program or (*RELAY, str(socket_path)))],
        input=given, capture_output=True, env=environment(), timeout=COMMAND_SECONDS_MAX,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()
    line = r"\nseatkeeper-answer 1 ([0-9a-f]{32}) (\d+) ([0-9a-f]{64}) (\{.*\})\n"
    found = re.fullmatch(line, done.stdout.decode())
    assert found is not None, done.stdout
    identity, length, digest, content = found.groups()
    assert (int(length), digest) == (len(content), hashlib.sha256(content.encode()).hexdigest())
    answer: dict[str, Any] = json.loads(content)
    assert identity == (NOBODY_ID if answer.get("code", "").startswith("request") else IDENTITY)
    return answer


@contextmanager
def answering(*parts: bytes) -> Iterator[tuple[Path, list[bytes]]]:
    """A socket on which every request is answered with these bytes; and the requests."""
    seen: list[bytes] = []
    with (
        tempfile.TemporaryDirectory(prefix="relay-") as folder,
        socket.socket(socket.AF_UNIX) as listener,
    ):
        path = Path(folder, "agent.sock")
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                while not is_whole(seen) and (content := connection.recv(1 << 20)):
                    seen.append(content)
                for part in parts:
                    connection.sendall(part)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield path, seen


def is_whole(seen: list[bytes]) -> bool:
    """Whether what was received is a request with all of its body."""
    head, end, body = b"".join(seen).partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


def test_the_agent_answers_through_it(tmp_path: Path) -> None:
    with Lab.create({"old-server": SEED}, tmp_path / "lab") as lab:
        path = lab["old-server"].socket_path
        answer = relayed(path, asked())
        assert (answer["status"], answer["media_type"]) == (200, "application/json")
        document = json.loads(base64.b64decode(answer["body"]))
        assert document["agent"]["name"] == "old-server"
        unknown = relayed(path, asked("/v1/nothing"))
        assert (unknown["status"], unknown["media_type"]) == (404, "application/problem+json")


def test_it_loads_little_and_nothing_but_the_standard_library() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", LOADED],
        input=asked(), capture_output=True, env=environment(), timeout=COMMAND_SECONDS_MAX,
        check=True,
    )  # fmt: skip
    loaded = set(done.stderr.decode().split())
    assert {name for name in loaded if name.startswith("seatkeeper")} == OWN
    assert loaded & TOO_HEAVY == set()
    standard = loaded - OWN
    assert {name.partition(".")[0] for name in standard} <= sys.stdlib_module_names
    assert len(standard) <= STANDARD_MAX, sorted(standard)


@pytest.mark.parametrize("size", [300_000, 5_000_000])
def test_a_large_request_and_a_large_answer_arrive_whole(size: int) -> None:
    text = "Größe€".encode() * (size // 9)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    with answering(head % len(text), text) as (path, seen):
        answer = relayed(path, asked(body=text, method="PUT"))
    assert base64.b64decode(answer["body"]) == text
    assert b"".join(seen).endswith(text)


def test_nothing_in_a_head_becomes_a_line_of_its_own() -> None:
    with answering(b"HTTP/1.1 200 OK\r\n\r\n") as (path, seen):
        for members in (
            {"headers": {"Prefer": "wait=1\r\nHost: elsewhere"}},
            {"path": "/v1/agent HTTP/1.1\r\nHost: elsewhere"},
            {"method": "GET /x"},
        ):
            assert relayed_damaged(path, asked(**members)) == {"code": "request-damaged"}
    assert seen == []


def relayed_damaged(path: Path, given: bytes) -> dict[str, Any]:
    """The answer to what arrived whole, but cannot be meant."""
    done = subprocess.run(
        [sys.executable, "-P", *RELAY, str(path)],
        input=given, capture_output=True, env=environment(), timeout=COMMAND_SECONDS_MAX,
        check=True,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(done.stdout.decode().strip().split(" ", 5)[5])
    return answer


def test_a_request_that_arrives_twice_is_sent_once() -> None:
    with answering(b"HTTP/1.1 204 No Content\r\n\r\n") as (path, seen):
        assert relayed(path, asked() * 2)["status"] == 204
    assert b"".join(seen).count(b"GET /v1/agent") == 1


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (asked()[:-20], "request-damaged"),
        (asked().replace(b"agent", b"other"), "request-damaged"),
        (b"", "request-damaged"),
        (b"Password: \n" + asked(), "request-damaged"),
        (asked().replace(b"request 1 ", b"request 2 "), "request-unknown"),
    ],
    ids=["cut", "changed", "nothing", "something before it", "another form"],
)
def test_a_request_that_is_not_whole_is_never_sent(given: bytes, code: str) -> None:
    with answering(b"HTTP/1.1 200 OK\r\n\r\n") as (path, seen):
        assert relayed_damaged(path, given) == {"code": code}
    assert seen == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "agent-lost"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "agent-lost"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "agent-lost"),
        (b"220 mail.example ESMTP\r\n", "agent-unknown"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "agent-unknown"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}", "agent-unknown"),
    ],
    ids=["nothing", "half a body", "half a head", "another protocol", "chunks", "odd length"],
)
def test_what_is_no_answer_of_an_agent_is_answered_as_such(answer: bytes, code: str) -> None:
    with answering(answer) as (path, _seen):
        assert relayed(path, asked())["code"] == code


def test_an_agent_that_is_silent_is_given_up(short: Path) -> None:
    path = short / "agent.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        assert relayed(path, asked(seconds=0.2)) == {"code": "agent-timeout"}


def test_a_socket_that_nobody_answers_at_is_answered_for(short: Path) -> None:
    assert relayed(short / "missing", asked()) == {"code": "agent-missing"}
    path = short / "agent.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        assert relayed(path, asked()) == {"code": "agent-stopped"}
        listener.listen(0)
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(str(path))
            assert relayed(path, asked(seconds=1.0))["code"] in (
                "agent-overloaded",
                "agent-timeout",
            )
    assert relayed(short / ("x" * 120), asked())["code"] == "agent-unknown"


@pytest.mark.skipif(os.geteuid() != 0, reason="asks as another user")
def test_who_may_not_use_the_socket_is_told_user_and_group(short: Path) -> None:
    path = short / "agent.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        path.chmod(0)
        short.chmod(0o755)
        program = AS_NOBODY.format(nobody=NOBODY, path=str(path))
        answer = relayed(path, asked(), "-c", program)
    assert answer == {"code": "agent-forbidden", "user": "nobody", "group": "root"}


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for a unix socket's name."""
    with tempfile.TemporaryDirectory(prefix="relay-") as folder:
        yield Path(folder)
