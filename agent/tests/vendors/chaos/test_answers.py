# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the server answers, or does not: a result or one of the driver's errors, in time."""

from __future__ import annotations

import gzip
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seatkeeper_agent.domain.servers import ProductSeats, ServerStatus
from seatkeeper_agent.operations.ports import (
    DriverError,
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
)
from seatkeeper_agent.vendors.chaos.http_calls import ANSWER_BYTES_MAX
from seatkeeper_agent.vendors.chaos.wire import parse_object, status_of

from .conftest import driver_of
from .odd_server import OddServer, Reply, drip, json_reply, reply, reset, silence

FULL = {
    "version": "5.5.5",
    "uptime": 12,
    "online": {
        "available": True,
        "licenses": [
            {"product": {"productLabel": "V-Ray", "productId": 7, "1": 5, "2": 10, "hint": 3}},
            {"product": {"productLabel": "Phoenix", "4": 2, "8": 1}, "expires": "2030"},
            {"product": {"productLabel": "V-Ray", "2": 4}},
        ],
    },
    "offline": {
        "sessions": {"a": {"1": 1, "productId": 7, "ip": "192.0.2.1"}},
        "licenses": [{"productId": 7, "productLabel": "V-Ray"}],
    },
    "dongle": {"enabled": True, "available": False, "dongles": {"3-2": {}, "3-1": None}},
}


def test_a_full_status_is_read(odd: OddServer) -> None:
    odd.replies["GET", "/status"] = json_reply(FULL)
    assert driver_of(odd).status() == ServerStatus(
        version="5.5.5",
        activated=True,
        licenses=(
            ProductSeats("V-Ray", {"interface": 5, "render": 14}),
            ProductSeats("Phoenix", {"network": 2, "8": 1}),
        ),
        offline_products=("V-Ray",),
        dongle_service=True,
        dongle_available=False,
        dongle_keys=("3-1", "3-2"),
    )


def test_what_is_absent_stays_unknown(odd: OddServer) -> None:
    nothing = ServerStatus(None, None, (), (), None, None, ())
    for document in ({}, {"online": None, "dongle": {}, "offline": {"licenses": None}}):
        odd.replies["GET", "/status"] = json_reply(document)
        assert driver_of(odd).status() == nothing
    odd.replies["GET", "/status"] = json_reply({"online": {"available": "yes"}, "version": 5.5})
    assert driver_of(odd).status() == nothing


@pytest.mark.parametrize(
    "document",
    [
        {"dongle": {"dongles": ["3-1"]}},
        {"online": {"licenses": {"product": {}}}},
        {"online": {"licenses": ["V-Ray"]}},
        {"online": {"licenses": [{"product": "V-Ray"}]}},
        {"online": {"licenses": [{"product": {"productLabel": "V-Ray", "1": "many"}}]}},
        {"online": {"licenses": [{"product": {"productLabel": "V-Ray", "1": -1}}]}},
        {"offline": {"licenses": [None]}},
        {"dongle": 1},
    ],
)
def test_a_known_member_in_another_form_is_refused(odd: OddServer, document: Any) -> None:
    odd.replies["GET", "/status"] = json_reply(document)
    with pytest.raises(DriverRefused):
        driver_of(odd).status()


@pytest.mark.parametrize(
    ("number", "reported"),
    [
        ("1e400", "has a number beyond"),
        (str(10**30), "has a number beyond"),
        ("-Infinity", "has Infinity or NaN"),
        ("NaN", "has Infinity or NaN"),
        ("9" * 5000, "has a number beyond"),
        ('1, "1": 2', "has the same member twice"),
        ("-1", "something else than a number of seats"),
        ("0.5", "something else than a number of seats"),
    ],
)
def test_an_odd_number_is_a_refusal_that_names_it(
    odd: OddServer, number: str, reported: str
) -> None:
    content = '{"online": {"licenses": [{"product": {"productLabel": "V-Ray", "1": ' + number
    odd.replies["GET", "/status"] = reply(200, f"{content}}}}}]}}}}".encode())
    with pytest.raises(DriverRefused, match=reported):
        driver_of(odd).status()


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=4) | st.sampled_from(["1", "2", "4"]), inner, max_size=4)
    ),
    max_leaves=12,
)
PRODUCTS = st.fixed_dictionaries(
    {},
    optional={
        "productLabel": st.text() | DOCUMENTS,
        "productId": DOCUMENTS,
        "1": st.integers() | DOCUMENTS,
        "2": DOCUMENTS,
    },
)
STATUSES = st.fixed_dictionaries(
    {},
    optional={
        "version": st.text() | DOCUMENTS,
        "online": DOCUMENTS
        | st.fixed_dictionaries(
            {},
            optional={
                "available": DOCUMENTS,
                "licenses": DOCUMENTS | st.lists(st.fixed_dictionaries({"product": PRODUCTS})),
            },
        ),
        "offline": DOCUMENTS
        | st.fixed_dictionaries({}, optional={"licenses": DOCUMENTS | st.lists(PRODUCTS)}),
        "dongle": DOCUMENTS
        | st.fixed_dictionaries(
            {},
            optional={
                "enabled": DOCUMENTS,
                "available": DOCUMENTS,
                "dongles": DOCUMENTS | st.dictionaries(st.text(), DOCUMENTS),
            },
        ),
    },
)


@given(STATUSES)
@example({"version": "\ud800", "dongle": {"dongles": {"\udfff": 1}}})
def test_any_json_gives_a_status_or_a_refusal(document: dict[str, Any]) -> None:
    try:
        content = json.dumps(document, allow_nan=False).encode()
    except ValueError:
        content = json.dumps(document).encode()
    try:
        status = status_of(parse_object(content, "/status"))
    except DriverRefused:
        return
    texts = [status.version or "", *status.offline_products, *status.dongle_keys]
    for entry in status.licenses:
        texts += [entry.product, *entry.seats]
        assert entry.product
        assert all(type(number) is int and number >= 0 for number in entry.seats.values())
    for text in texts:
        text.encode("utf-8")
    dongles = document.get("dongle") or {}
    shown = dongles.get("dongles") if isinstance(dongles, dict) else None
    assert len(status.dongle_keys) == len(shown or {})


@given(st.binary() | st.text().map(str.encode))
@example(b"[" * 200_000)
@example(b'{"a":' * 200_000)
@example(b'{"a":' + b"9" * 10_000 + b"}")
@example(b'{"online":{"licenses":[{"product":{"1":' + b"[" * 900 + b"]" * 900 + b"}}]}}")
@example(b'\xef\xbb\xbf{"version":"6.0.1"}')
def test_any_bytes_give_a_status_or_a_refusal(content: bytes) -> None:
    with suppress(DriverRefused):
        status_of(parse_object(content, "/status"))


REFUSED_READS: list[tuple[Reply, type[DriverError]]] = [
    (reply(200, b"<html>"), DriverRefused),
    (reply(200, b"[]"), DriverRefused),
    (reply(200, b""), DriverRefused),
    (reply(200, b"{}" + b" " * ANSWER_BYTES_MAX), DriverRefused),
    (reply(200, gzip.compress(b"{}"), Content_Encoding="gzip"), DriverRefused),
    (reply(302, Location="/elsewhere"), DriverRefused),
    (reply(302, Location="http://192.0.2.1/"), DriverRefused),
    (reply(403, b"forbidden", "text/plain"), DriverRefused),
    (reply(404), DriverRefused),
    (reply(503, b"starting", "text/plain"), DriverUnavailable),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", DriverUnavailable),
    (b"SSH-2.0-OpenSSH\r\n\r\n", DriverUnavailable),
    (b"", DriverUnavailable),
    (reset, DriverUnavailable),
]


@pytest.mark.parametrize(("reported", "kind"), REFUSED_READS)
def test_a_read_that_gives_nothing_useful_says_so(
    odd: OddServer, reported: Reply, kind: type[DriverError]
) -> None:
    odd.replies["GET", "/status"] = reported
    with pytest.raises(kind) as caught:
        driver_of(odd).status()
    assert str(caught.value).endswith(".")
    assert len(odd.requested) == 1


EFFECTS: list[tuple[Reply, type[DriverError] | None]] = [
    (reply(200), None),
    (reply(204), None),
    (reply(200, b"x" * (ANSWER_BYTES_MAX + 1)), None),
    (reply(409, b"already", "text/plain"), DriverRefused),
    (reply(403), DriverRefused),
    (reply(302, Location="/"), DriverUnfinished),
    (reply(500), DriverUnfinished),
    (b"", DriverUnfinished),
    (reset, DriverUnfinished),
]


@pytest.mark.parametrize(("reported", "kind"), EFFECTS)
def test_an_effect_is_asked_once_and_a_lost_answer_is_a_doubt(
    odd: OddServer, reported: Reply, kind: type[DriverError] | None
) -> None:
    odd.replies["POST", "/dongle/enable"] = reported
    driver = driver_of(odd)
    if kind is None:
        driver.set_dongle_service(True)
    else:
        with pytest.raises(kind):
            driver.set_dongle_service(True)
    assert [(requested.method, requested.path, requested.body) for requested in odd.requested] == [
        ("POST", "/dongle/enable", b"")
    ]


def test_a_refusal_keeps_the_servers_number_and_words(odd: OddServer) -> None:
    odd.replies["POST", "/deactivate"] = reply(409, b"not  active\n\x1b[2J", "text/plain")
    with pytest.raises(
        DriverRefused, match=r"POST /deactivate with 409: not active \[2J"
    ) as caught:
        driver_of(odd).deactivate()
    assert caught.value.number == 409


@pytest.mark.parametrize("slow", [silence, drip(b"HTTP/1.1 200 OK\r\nX: ")])
def test_a_slow_server_is_left_in_time(odd: OddServer, slow: Reply) -> None:
    odd.default = slow
    driver = driver_of(odd, call_seconds_max=0.4)
    began = time.monotonic()
    with pytest.raises(DriverUnfinished, match=r"did not answer GET /status within 0\.4 seconds"):
        driver.status()
    with pytest.raises(DriverUnfinished, match="did not answer POST /dongle/disable"):
        driver.set_dongle_service(False)
    assert time.monotonic() - began < 30


def test_no_server_at_all_is_unavailable(odd: OddServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        odd.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    driver = driver_of(odd)
    for call in (driver.status, driver.deactivate, driver.activation_request):
        with pytest.raises(DriverUnavailable, match="No license server can be reached at"):
            call()
    description = driver.describe()
    assert (description.running, description.version) == (False, None)
    assert description.capabilities[0].grade == "refused"


def test_the_proxies_of_the_environment_are_not_asked(
    odd: OddServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    odd.replies["GET", "/status"] = json_reply(FULL)
    assert driver_of(odd).status().version == "5.5.5"


def test_the_request_file_is_taken_as_it_is(odd: OddServer) -> None:
    content = bytes(range(256))
    odd.replies["GET", "/csr"] = reply(200, content, "application/octet-stream")
    assert driver_of(odd).activation_request() == content
    for reported in (reply(200, b""), reply(200, b"<html>", "text/html; charset=utf-8")):
        odd.replies["GET", "/csr"] = reported
        with pytest.raises(DriverRefused):
            driver_of(odd).activation_request()


@pytest.mark.parametrize("status", [200, 302])
def test_the_answer_file_is_sent_as_it_is(odd: OddServer, status: int) -> None:
    content = bytes(range(256))
    odd.replies["POST", "/crt"] = reply(status, Location="/")
    driver_of(odd).activate_offline(content)
    (requested,) = odd.requested
    assert requested.body == content
    with pytest.raises(DriverRefused, match="must have 1 to"):
        driver_of(odd).activate_offline(b"")
    assert len(odd.requested) == 1


def test_one_driver_serves_several_threads(odd: OddServer) -> None:
    odd.replies["GET", "/status"] = json_reply(FULL)
    driver = driver_of(odd)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: driver.status().version, range(40)))
    assert found == ["5.5.5"] * 40
