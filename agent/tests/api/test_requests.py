# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is sent, the answer is a problem in whole sentences and nothing has changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatkeeper_agent.client import through
from seatkeeper_agent.domain.strict_json import NESTING_MAX
from seatkeeper_agent.domain.transfers import transfer_id
from seatkeeper_twins.lab.lab import Lab

from .asking import Asker, declared, described, exchange
from .contract import PROBLEM_MEDIA_TYPE, check_problem

ID = transfer_id("never")
CHANGES = (
    ("POST", f"/v1/transfers/{ID}/request"),
    ("POST", f"/v1/transfers/{ID}/issue"),
    ("POST", f"/v1/transfers/{ID}/install"),
    ("POST", f"/v1/transfers/{ID}/confirm"),
    ("POST", f"/v1/transfers/{ID}/acknowledge"),
    ("PUT", f"/v1/borrows/{ID}"),
    ("PUT", "/v1/servers/codemeter"),
    ("POST", f"/v1/operations/{ID}/attest"),
)
MEBIBYTE = 1024 * 1024


@pytest.fixture(autouse=True, scope="module")
def _nothing_changes(lab: Lab, askers: dict[str, Asker]) -> Iterator[None]:
    before = _state(lab, askers)
    yield
    assert _state(lab, askers) == before
    for host in lab.hosts.values():
        log = (host.folder / "agent.log").read_text("utf-8")
        assert "defect" not in log
        assert "Traceback" not in log


def _state(lab: Lab, askers: dict[str, Asker]) -> dict[str, Any]:
    heads = {name: asker.get("/v1/agent")["journal"] for name, asker in askers.items()}
    # A refused leg is in the audit, and only there.
    states = {name: asker.get("/v1/transfers")["transfers"] for name, asker in askers.items()}
    opened = {name: head["operations_open"] for name, head in heads.items()}
    servers = {name: asker.get("/v1/servers/codemeter") for name, asker in askers.items()}
    return {"twins": described(lab), "transfers": states, "open": opened, "servers": servers}


def leg(**values: Any) -> bytes:
    """The body of a leg with some members of its declaration replaced."""
    return json.dumps({"transfer": declared("never") | values}).encode()


def place(agent: str, container: str) -> dict[str, Any]:
    """The target of a declaration."""
    return {"target": {"agent": agent, "container": container}}


BODIES = {
    "nothing": b"",
    "no json": b"{",
    "no utf-8": b"\xff\xfe{",
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "not a number": b'{"transfer": NaN}',
    "infinite": b'{"transfer": 1e400}',
    "a giant number": b'{"transfer": ' + b"9" * 5000 + b"}",
    "too many brackets": b"[" * 100_000,
    "deep": b'{"transfer": ' + b"[" * 900 + b"]" * 900 + b"}",
    "as deep as json goes": b'{"transfer": ' + b"[" * 960 + b"]" * 960 + b"}",
    "unknown member": json.dumps({"transfer": declared("never"), "force": True}).encode(),
    "unknown member inside": leg(force=True),
    "no name": leg(name=""),
    "long name": leg(name="n" * 201),
    "half a character": leg(name="a\ud800"),
    "control character": leg(name="a\u0000b"),
    "line end": leg(item="6000010:201\n"),
    "other digits": leg(item="6000010:٢٠١"),
    "code above 32 bits": leg(item="4294967296:1"),
    "reference above 16 bits": leg(item="6000010:201@65536"),
    "no item": leg(item="seats"),
    "unknown type": leg(type="steal"),
    "unknown mode": leg(mode="pinch"),
    "negative": leg(quantity=-1),
    "half a seat": leg(quantity=1.5),
    "true": leg(quantity=True),
    "no such day": leg(until="2026-02-30T00:00:00Z"),
    "no zone": leg(until="2026-12-10T00:00:00"),
    "before time": leg(until="0001-01-01T00:00:00+14:00"),
    "after time": leg(until="9999-12-31T23:59:59-14:00"),
    "no agent's name": leg(**place("-", "130-1")),
    "path for a name": leg(**place("../../etc", "130-1")),
    "no serial": leg(**place("new-server", "130")),
    "null places": leg(source=None, target=None),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_a_problem(old: Asker, new: Asker, name: str) -> None:
    for method, path in CHANGES:
        for asker in (old, new):
            problem = asker.problem(method, path, content=BODIES[name])
            assert problem["code"] == "request-invalid", problem
            assert problem["status"] == 400


@pytest.mark.parametrize("dry_run", ["true", "false"])
@pytest.mark.parametrize(
    "values",
    [
        {"General": {"NetworkPort": "22350\nBindAddress=0.0.0.0"}},
        {"General": {"ProxyServer": "%n%n"}},
        {"General": {"": "x"}},
        {"General": {"a=b": "x"}},
        {"": {"a": "x"}},
        {"a]": {"a": "x"}},
        {"General": {"ProxyPassword": "canary"}},
        {"General": {"networkport": "1"}},
        {"General": {"NetworkPort": "\u00e9"}},
        {"General": {"NetworkPort": 22350}},
        {"General": {"k" * 101: "x"}},
        {"General": []},
    ],
    ids=str,
)
def test_bad_settings_are_refused_before_the_server_is_stopped(
    old: Asker, values: dict[str, Any], dry_run: str
) -> None:
    path = f"/v1/servers/codemeter?dry_run={dry_run}"
    problem = old.problem("PUT", path, json={"settings": values})
    assert problem["code"] == "request-invalid"
    assert "canary" not in problem["detail"]
    assert old.get("/v1/servers/codemeter")["running"] is True


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v2/agent", "route-unknown"),
        ("GET", "/v1/agent/", "route-unknown"),
        ("GET", "/docs", "route-unknown"),
        ("GET", "//v1/agent", "route-unknown"),
        ("DELETE", "/v1/agent", "method-not-allowed"),
        ("PATCH", "/v1/agent", "method-not-allowed"),
        ("OPTIONS", "/v1/agent", "method-not-allowed"),
        ("TRACE", "/v1/agent", "method-not-allowed"),
        ("PROPFIND", "/v1/agent", "method-not-allowed"),
        ("GET", "/v1/containers/130-99/items", "container-unknown"),
        ("GET", "/v1/containers/%00/items", "container-unknown"),
        ("GET", "/v1/containers/..%2f..%2fetc/items", "route-unknown"),
        ("GET", f"/v1/transfers/{ID}", "transfer-unknown"),
        ("GET", "/v1/transfers/x", "transfer-unknown"),
        ("GET", "/v1/transfers/%ED%A0%80", "transfer-unknown"),
        ("DELETE", f"/v1/transfers/{ID}", "transfer-unknown"),
        ("POST", f"/v1/transfers/{ID}/resume", "transfer-unknown"),
        ("POST", f"/v1/transfers/{ID}/steal", "request-invalid"),
        ("POST", "/v1/transfers/x/issue", "request-invalid"),
        ("PUT", "/v1/borrows/x", "request-invalid"),
        ("GET", f"/v1/borrows/{ID}", "borrow-unknown"),
        ("GET", f"/v1/operations/{ID}", "operation-unknown"),
        ("GET", f"/v1/operations/{ID}/events", "operation-unknown"),
        ("GET", "/v1/servers/chaos", "vendor-unknown"),
        ("PUT", "/v1/servers/chaos", "vendor-unknown"),
        ("GET", "/v1/containers?after=elsewhere", "request-invalid"),
        ("GET", "/v1/containers?after=-1", "request-invalid"),
        ("GET", "/v1/containers?after=%D9%A3", "request-invalid"),
        ("GET", "/v1/audit?limit=many", "request-invalid"),
        ("GET", "/v1/transfers?state=closed", "request-invalid"),
        ("GET", "/v1/containers/130-1000000001/history?item=seats", "request-invalid"),
        ("GET", "/v1/containers/130-1000000001/history?item=9999999999:1", "request-invalid"),
        ("GET", "/v1/agent?verbose=1", "request-invalid"),
        ("GET", "/livez?x=1", "request-invalid"),
        ("POST", f"/v1/transfers/{ID}/issue?dryrun=true", "request-invalid"),
        ("POST", f"/v1/transfers/{ID}/issue?dry_run=perhaps", "request-invalid"),
        ("POST", f"/v1/transfers/{ID}/issue?dry_run=true&dry_run=false", "request-invalid"),
        ("PUT", f"/v1/borrows/{ID}?dry-run=true", "request-invalid"),
        ("PUT", "/v1/servers/codemeter?check=true", "request-invalid"),
        ("POST", "/v1/resume?dry_run=true", "request-invalid"),
    ],
)
def test_what_is_not_there_is_told(old: Asker, method: str, path: str, code: str) -> None:
    assert old.problem(method, path)["code"] == code


def test_sizes_have_bounds(old: Asker) -> None:
    path = f"/v1/transfers/{ID}/issue"
    assert old.problem("POST", path, content=b" " * (9 * MEBIBYTE))["status"] == 413
    assert old.problem("POST", path, content=iter([b"{}"]))["status"] == 413
    padded = json.dumps({"transfer": declared("never", item="6000010:999")}).encode()
    assert old.problem("POST", path, content=padded + b" " * (7 * MEBIBYTE))["status"] != 413
    nested: Any = "x"
    for _level in range(NESTING_MAX + 1):
        nested = [nested]
    assert "nested deeper" in old.problem("POST", path, json=nested)["detail"]
    page = old.get("/v1/audit", limit=10**9)
    assert len(page["entries"]) <= 1000


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://localhost"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "example.org"}, 403),
        ({"Host": "localhost.example.org"}, 403),
        ({"Host": ""}, 403),
        ({"Host": "localhost:22350"}, 200),
        ({"Host": "seatkeeper"}, 200),
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/v1/agent", "/livez", "/", "/openapi.json"])
def test_browsers_and_unknown_hosts_are_refused(
    lab: Lab, headers: dict[str, str], status: int, path: str
) -> None:
    transport = through(lab["old-server"].socket_path)
    with httpx.Client(transport=transport, base_url="http://localhost") as client:
        answer = client.get(path, headers=headers)
    assert answer.status_code == status
    if status != 200:
        check_problem(answer)


@pytest.mark.parametrize(
    ("request_line", "headers", "reported"),
    [
        ("POST /v1/resume HTTP/1.1", ("Transfer-Encoding: chunked",), b"413"),
        ("POST /v1/resume HTTP/1.1", ("Content-Length: 99999999",), b"413"),
        ("GET /v1/agent HTTP/1.1", ("Transfer-Encoding: chunked",), b"413"),
        ("GET /v1/agent HTTP/1.0", (), b"403"),
    ],
)
def test_bodies_of_unknown_or_great_size_are_refused_unread(
    lab: Lab, request_line: str, headers: tuple[str, ...], reported: bytes
) -> None:
    lines = (request_line, *(() if reported == b"403" else ("Host: localhost",)), *headers)
    request = "\r\n".join((*lines, "Connection: close", "", "")).encode()
    answer = exchange(lab["old-server"].socket_path, request)
    assert answer.split()[1] == reported
    assert PROBLEM_MEDIA_TYPE.encode() in answer


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"GET /v1/agent HTTP/1.1\r\n\r\n",
        b"GET /v1/agent HTTP/1.1\r\nHost: localhost\r\nHost: example.org\r\n\r\n",
        b"GET /v1/agent HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    ],
    ids=lambda value: str(value[:30]),
)
def test_what_is_no_http_ends_the_connection_only(
    lab: Lab, old: Asker, request_bytes: bytes
) -> None:
    answer = exchange(lab["old-server"].socket_path, request_bytes, end=True)
    assert answer == b"" or answer.split()[1] in (b"400", b"404")
    assert len(answer) < 1000
    assert old.get("/livez") == {"status": "alive"}


def test_a_client_that_goes_away_leaves_no_trace(lab: Lab, old: Asker) -> None:
    head = f"PUT /v1/borrows/{ID} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"
    assert exchange(lab["old-server"].socket_path, head.encode() + b"abc", end=True) == b""
    assert old.get("/livez") == {"status": "alive"}


PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["6000010:201", "130-1000000001", "old-server", "2036-12-10T00:00:00Z"]),
)
ANYTHING = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def _replaced(document: Any, path: tuple[str, ...], value: Any) -> Any:
    """The document with the member at the path replaced, or dropped for Ellipsis."""
    if not path:
        return value
    copy = dict(document)
    if len(path) == 1 and value is ...:
        copy.pop(path[0])
    else:
        copy[path[0]] = _replaced(copy[path[0]], path[1:], value)
    return copy


MEMBERS = [
    ("transfer",),
    *(("transfer", name) for name in ("name", "item", "type", "mode", "source", "target")),
    *(("transfer", "source", name) for name in ("agent", "container")),
    *(("transfer", "target", name) for name in ("agent", "container")),
    ("transfer", "quantity"),
    ("document",),
    ("facts",),
    ("decision",),
    ("update_counter",),
]
ENVELOPE = {
    "payload": "e30=",
    "payloadType": "application/vnd.seatkeeper.request+json;version=1",
    "signatures": [{"keyid": "a", "sig": "b"}],
}


@settings(
    max_examples=150,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    operation=st.sampled_from(CHANGES[:5]),
    path=st.sampled_from(MEMBERS),
    value=st.one_of(ANYTHING, st.just(...)),
    dry_run=st.booleans(),
)
def test_a_leg_with_any_one_member_wrong_is_answered_and_changes_nothing(
    old: Asker, operation: tuple[str, str], path: tuple[str, ...], value: Any, dry_run: bool
) -> None:
    # The old server is the source of the declaration, so no leg of it can run to its end here:
    # those of the target belong to another host and those of the source get a forged document.
    body = {
        "transfer": declared("never", item="6000010:999"),
        "document": ENVELOPE,
        "facts": {},
        "decision": "install",
        "update_counter": 1,
    }
    content = json.dumps(_replaced(body, path, value)).encode()
    answer = old.ask(operation[0], operation[1], params={"dry_run": str(dry_run)}, content=content)
    assert answer.status_code < 500 or answer.json()["code"] == "runtime-refused"


@settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(operation=st.sampled_from(CHANGES), body=ANYTHING)
def test_any_body_is_a_problem(old: Asker, operation: tuple[str, str], body: Any) -> None:
    problem = old.problem(*operation, content=json.dumps(body).encode())
    assert problem["status"] == 400
