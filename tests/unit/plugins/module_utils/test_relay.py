# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's end of a relay: what it makes of all that a host may print."""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils import _wire
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem
from ansible_collections.seatkeeper.licensing.plugins.module_utils._relay import (
    Printed,
    RelayTransport,
)

BODY = '{"name": "Größe"}'.encode()
GOOD: dict[str, t.Any] = {
    "status": 200,
    "media_type": "application/json",
    "body": base64.b64encode(BODY).decode(),
}
NOISE = "Welcome to old-server!\nseatkeeper-something else\nLast login: today $ "


def line(identity: str, answer: t.Any) -> str:
    """An answer as the relay prints it."""
    content = json.dumps(answer)
    digest = hashlib.sha256(content.encode()).hexdigest()
    return f"seatkeeper-answer 1 {identity} {len(content)} {digest} {content}"


def asked(print_for: t.Callable[[str], str], code: int = 0, errors: str = "") -> t.Any:
    """What a request comes to on a host that prints this for its id."""

    def execute(_command: str, given: bytes) -> Printed:
        identity = given.split(b"\n", 1)[0].split()[-1].decode()
        return Printed(code, print_for(identity), errors)

    way = RelayTransport(execute, "/opt/agent", "/run/agent.sock")
    return way.exchange("GET", "/v1/agent", None, {}, 5.0)


def refusal(print_for: t.Callable[[str], str], code: int = 0, errors: str = "") -> LicenseProblem:
    with pytest.raises(LicenseProblem) as caught:
        asked(print_for, code, errors)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_request_is_short_lines_of_ascii_with_length_and_digest() -> None:
    body = ("€" * 200_000).encode()
    given = _wire.request_of("a" * 32, "PUT", "/v1/x", {"Prefer": "wait=1"}, body, 5.0)
    head, *lines = given.decode("ascii").splitlines()
    content = "".join(lines)
    digest = hashlib.sha256(content.encode()).hexdigest()
    assert head == f"seatkeeper-request 1 {len(content)} {digest} {'a' * 32}"
    assert max(map(len, lines)) <= 4000
    assert base64.b64decode(json.loads(content)["body"]) == body


@pytest.mark.parametrize(
    ("before", "after"),
    [("", ""), (NOISE, ""), (NOISE, "\nlogout\n"), ("\r\n", "\r\n"), ("\x1b[1m", "\x1b[0m")],
)
def test_what_a_shell_prints_around_the_answer_does_not_count(before: str, after: str) -> None:
    answer = asked(lambda identity: before + line(identity, GOOD) + after)
    assert (answer.status, answer.media_type, answer.body) == (200, "application/json", BODY)


def test_an_answer_that_comes_twice_is_one() -> None:
    assert asked(lambda identity: f"{line(identity, GOOD)}\n{line(identity, GOOD)}").status == 200


def test_the_answer_to_another_request_is_none() -> None:
    foreign = line("f" * 32, {**GOOD, "status": 500})
    assert asked(lambda identity: f"{foreign}\n{line(identity, GOOD)}").status == 200
    assert refusal(lambda _identity: foreign).code == "agent-lost"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1],
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("200", "201"),
        lambda text: text.replace(": ", ":\x07 "),
    ],
    ids=["cut", "cut in half", "changed", "with more in it"],
)
def test_an_answer_that_is_not_whole_is_lost_and_asked_for_again(
    spoil: t.Callable[[str], str],
) -> None:
    problem = refusal(lambda identity: spoil(line(identity, GOOD)))
    assert problem.code == "agent-lost"
    assert problem.document["retryable"] is True


@pytest.mark.parametrize(
    "answer", [{}, {"status": "200"}, {**GOOD, "body": "?"}, {**GOOD, "body": None}, [], None]
)
def test_an_answer_that_has_not_what_it_should_is_lost(answer: t.Any) -> None:
    assert refusal(lambda identity: line(identity, answer)).code == "agent-lost"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"code": "agent-missing"}, "There is no socket /run/agent.sock"),
        ({"code": "agent-stopped"}, "Nobody listens on the socket"),
        ({"code": "agent-overloaded"}, "takes no more connections"),
        ({"code": "agent-timeout"}, "did not answer within 5 seconds"),
        ({"code": "agent-lost"}, "broke before its answer was complete"),
        (
            {"code": "agent-forbidden", "user": "joe", "group": "seatkeeper"},
            "The user joe may not use the socket /run/agent.sock, which is for the group seatk",
        ),
        ({"code": "agent-unknown", "shown": "'220\x1b'"}, r"does not speak HTTP"),
        ({"code": "request-damaged"}, "broke before its answer was complete"),
        ({"code": "request-unknown"}, "do not understand each other"),
        ({"code": "what nobody knows"}, "does not speak HTTP"),
    ],
)
def test_what_the_relay_says_of_the_socket_is_told_in_the_same_sentences(
    answer: dict[str, t.Any], said: str
) -> None:
    problem = refusal(lambda identity: line(identity, answer))
    assert said in str(problem)
    assert "\x1b" not in str(problem)


@pytest.mark.parametrize(
    ("code", "errors", "problem", "said"),
    [
        (127, "sh: /opt/agent: not found", "agent-missing", "no command /opt/agent"),
        (126, "sh: /opt/agent: Permission denied", "agent-missing", "may run"),
        (2, "invalid choice: 'relay'", "agent-version", "of another release"),
        (1, "Traceback\n  of something", "agent-unknown", "ended with 1 and without an answer"),
        (0, "", "agent-unknown", "it printed nothing"),
    ],
)
def test_a_command_without_an_answer_is_told_apart(
    code: int, errors: str, problem: str, said: str
) -> None:
    found = refusal(lambda _identity: "", code, errors)
    assert found.code == problem
    assert said in str(found)
