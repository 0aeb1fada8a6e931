# SPDX-License-Identifier: GPL-3.0-or-later
"""HEAD and methods that a path lacks, as HTTP wants them: at every route there is."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatkeeper_agent.client import through

from .asking import Asker, carry, declared
from .contract import Contract, check_problem

OTHERS = ("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND")


@pytest.fixture(scope="module")
def client(askers: dict[str, Asker]) -> Iterator[httpx.Client]:
    """Somebody who asks with any method."""
    transport = through(askers["old-server"].socket_path)
    with httpx.Client(transport=transport, base_url="http://localhost", timeout=120) as made:
        yield made


def filled(path: str) -> str:
    """A path whose parameters name nothing."""
    leg = path.replace("{leg}", "release" if path.startswith("/v1/moves") else "issue")
    for name in ("serial", "vendor", "dongle", "profile", "name"):
        leg = leg.replace(f"{{{name}}}", "none")
    while "{" in leg:
        before, _, rest = leg.partition("{")
        leg = f"{before}00000000-0000-5000-8000-000000000000{rest.partition('}')[2]}"
    return leg


def test_head_is_get_without_its_body(client: httpx.Client, contract: Contract) -> None:
    """The same status and the same headers, also of a refusal."""
    requested = 0
    for method, path in sorted(contract.operations()):
        if method != "GET":
            continue
        target = filled(path)
        shown, reported = client.get(target), client.head(target)
        assert reported.status_code == shown.status_code, path
        assert reported.content == b""
        kept = {"content-type", "content-security-policy", "location", "retry-after"}
        if path not in ("/", "/metrics", "/v1/agent"):
            # These tell how long ago something was.
            kept.add("content-length")
        for name in kept:
            assert reported.headers.get(name) == shown.headers.get(name), (path, name)
        requested += 1
    assert requested > 20


def test_head_of_a_stream_is_answered(client: httpx.Client, askers: dict[str, Asker]) -> None:
    carry(askers, declared("head"), until="issue")
    operation = askers["old-server"].get("/v1/operations")["operations"][0]["id"]
    answer = client.head(f"/v1/operations/{operation}/events")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_a_method_that_a_path_lacks_is_405_with_those_it_has(
    client: httpx.Client, contract: Contract
) -> None:
    there: dict[str, set[str]] = {}
    for method, path in contract.operations():
        there.setdefault(filled(path), set()).update({method, "HEAD"})
    for path, methods in sorted(there.items()):
        has = methods if "GET" in methods else methods - {"HEAD"}
        for method in OTHERS:
            if method in has:
                continue
            answer = client.request(method, path)
            assert answer.status_code == 405, (method, path, answer.text)
            check_problem(answer)
            assert {name.strip() for name in answer.headers["allow"].split(",")} == has, path


def test_a_path_that_is_not_there_is_404_with_any_method(client: httpx.Client) -> None:
    for method in OTHERS:
        answer = client.request(method, "/v9/agent")
        assert answer.status_code == 404
        check_problem(answer)


@settings(
    max_examples=30,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(method=st.from_regex(r"[A-Z]{1,20}", fullmatch=True))
def test_any_word_for_a_method_is_a_problem(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/v1/agent")
    assert answer.status_code in ((200,) if method in ("GET", "HEAD") else (405,))
