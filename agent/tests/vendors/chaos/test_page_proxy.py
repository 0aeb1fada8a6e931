# SPDX-License-Identifier: GPL-3.0-or-later
"""The browser's way to the network lets one site be read, and nothing else."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected
from urllib.parse import urlsplit

import pytest

from seatkeeper_agent.vendors.chaos.page import proxy as page_proxy
from seatkeeper_agent.vendors.chaos.page.proxy import ReadingProxy, reading_proxy, site_of

from .odd_server import OddServer, reply, reset

CHUNKED = b"HTTP/1.1 200 Told\r\nTransfer-Encoding: chunked\r\nX-Kept: yes\r\n\r\n5\r\nfirst\r\n"
ODD_METHODS = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BORROW", "get")


@pytest.fixture
def proxy(odd: OddServer) -> Iterator[ReadingProxy]:
    """One that lets the odd server be read."""
    with reading_proxy(odd.address) as made:
        yield made


@pytest.fixture
def asked(proxy: ReadingProxy) -> Iterator[HTTPConnection]:
    """A connection to it."""
    connection = connected(proxy)
    yield connection
    connection.close()


def connected(proxy: ReadingProxy) -> HTTPConnection:
    """A connection of its own."""
    return HTTPConnection(urlsplit(proxy.address).netloc, timeout=60)


def status_of(proxy: ReadingProxy, odd: OddServer) -> int | None:
    """What the page is answered with; None where the connection is not taken."""
    connection = connected(proxy)
    try:
        connection.request("GET", f"{odd.address}/")
        return connection.getresponse().status
    except ConnectionError:
        return None
    finally:
        connection.close()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_read_is_passed_on_as_it_was_asked(
    odd: OddServer, proxy: ReadingProxy, asked: HTTPConnection, method: str
) -> None:
    odd.replies[method, "/status?of=all"] = reply(200, b"", X_Kept="yes", Keep_Alive="timeout=9")
    headers = {"Cookie": "a=b", "Host": urlsplit(odd.address).netloc, "Proxy-Connection": "close"}
    assert not proxy.has_passed_on
    asked.request(method, f"{odd.address}/status?of=all#part", headers=headers)
    answer = asked.getresponse()
    assert (answer.status, answer.getheader("X-Kept")) == (200, "yes")
    assert (answer.getheader("Keep-Alive"), answer.getheader("Connection")) == (None, "close")
    (requested,) = odd.requested
    assert (requested.method, requested.path) == (method, "/status?of=all")
    assert requested.headers["cookie"] == "a=b"
    assert requested.headers["host"] == urlsplit(odd.address).netloc
    assert requested.headers["connection"] == "close"
    assert "proxy-connection" not in requested.headers
    assert proxy.has_passed_on


@pytest.mark.parametrize("method", ODD_METHODS)
def test_nothing_else_is_passed_on(odd: OddServer, asked: HTTPConnection, method: str) -> None:
    asked.request(method, f"{odd.address}/go")
    answer = asked.getresponse()
    assert (answer.status, answer.getheader("Connection")) == (501, "close")
    assert odd.requested == []


def test_there_is_no_tunnel(odd: OddServer, asked: HTTPConnection) -> None:
    parts = urlsplit(odd.address)
    assert parts.hostname is not None
    asked.set_tunnel(parts.hostname, parts.port)
    with pytest.raises(OSError, match="Tunnel connection failed: 501"):
        asked.request("GET", "/")
    assert odd.requested == []


def test_a_body_is_not_passed_on(odd: OddServer, asked: HTTPConnection) -> None:
    odd.replies["GET", "/"] = reply(200, b"read")
    asked.request("GET", f"{odd.address}/", b"POST /go HTTP/1.1\r\n\r\n")
    assert asked.getresponse().read() == b"read"
    (requested,) = odd.requested
    assert "content-length" not in requested.headers
    assert requested.body == b""


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:{port}/",
        "http://127.0.0.1:1/",
        "http://127.0.0.1:{port}0/",
        "http://127.0.0.1:{port}@elsewhere/",
        "https://127.0.0.1:{port}/",
        "ftp://127.0.0.1:{port}/",
        "/",
        "*",
    ],
)
def test_no_other_site_can_be_read(odd: OddServer, asked: HTTPConnection, address: str) -> None:
    asked.request("GET", address.format(port=urlsplit(odd.address).port))
    assert asked.getresponse().status == 403
    assert odd.requested == []


def test_one_connection_asks_once(odd: OddServer, proxy: ReadingProxy) -> None:
    odd.replies["GET", "/"] = reply(204)
    line = f"GET {odd.address}/ HTTP/1.1\r\n\r\n".encode()
    with socket.create_connection(proxy.socket.getsockname(), 60) as connection:
        connection.sendall(line + line)
        with connection.makefile("rb") as answers:
            assert answers.read().count(b"HTTP/1.1 204") == 1
    assert len(odd.requested) == 1


def test_parts_of_an_answer_come_through(odd: OddServer, asked: HTTPConnection) -> None:
    odd.replies["GET", "/"] = CHUNKED + b"6\r\nsecond\r\n0\r\n\r\n"
    asked.request("GET", f"{odd.address}/")
    answer = asked.getresponse()
    assert (answer.getheader("X-Kept"), answer.read()) == ("yes", b"firstsecond")


@pytest.mark.parametrize(
    "broken", [CHUNKED, b"HTTP/1.1 200 Told\r\nContent-Length: 9\r\n\r\nfirst"]
)
def test_a_broken_answer_is_not_taken_for_a_whole_one(
    odd: OddServer, asked: HTTPConnection, broken: bytes
) -> None:
    odd.replies["GET", "/"] = broken
    asked.request("GET", f"{odd.address}/")
    with pytest.raises(IncompleteRead):
        asked.getresponse().read()


def test_where_no_answer_comes_there_is_none(odd: OddServer, asked: HTTPConnection) -> None:
    odd.replies["GET", "/"] = reset
    asked.request("GET", f"{odd.address}/")
    with pytest.raises(RemoteDisconnected):
        asked.getresponse()
    assert len(odd.requested) == 1


def test_too_many_connections_are_not_taken(odd: OddServer, proxy: ReadingProxy) -> None:
    held = [
        socket.create_connection(proxy.socket.getsockname(), 60)
        for _ in range(page_proxy._CONNECTIONS_MAX)
    ]
    with socket.create_connection(proxy.socket.getsockname(), 60) as one_more:
        assert one_more.recv(1) == b""
    for connection in held:
        connection.close()
    odd.replies["GET", "/"] = reply(204)
    # A place is free as soon as the proxy has noticed that the browser has gone.
    deadline = time.monotonic() + 60
    while (status := status_of(proxy, odd)) is None:
        assert time.monotonic() < deadline
    assert status == 204


def test_it_listens_on_loopback_and_ends_with_its_block(odd: OddServer) -> None:
    with reading_proxy(odd.address) as proxy:
        host, port = proxy.socket.getsockname()
        assert host == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, port), 60)


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("http://127.0.0.1:30304", ("127.0.0.1", 30304)),
        ("http://LICENSES/page", ("licenses", 80)),
        ("http://[::1]:30304/", ("::1", 30304)),
        ("https://licenses", None),
        ("http://licenses:port", None),
        ("http://", None),
        ("chrome-error://chromewebdata/", None),
    ],
)
def test_a_site_is_a_host_and_a_port(address: str, site: tuple[str, int] | None) -> None:
    assert site_of(address) == site
