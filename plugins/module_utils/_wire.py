# SPDX-License-Identifier: GPL-3.0-or-later
"""The form in which requests and answers travel through a connection of Ansible.

What is between may print before and after, cut, repeat or lose: a banner, a profile, a terminal. So
both ways have a mark, a length, a digest and the id of the request, and ASCII only, in lines that
every terminal takes. ``seatkeeper_agent.relay`` is the other end and says how it looks.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._strict_json import (
    JsonFault,
    read_json,
)

FORMAT: t.Final = "1"
REQUEST_MARK: t.Final = "seatkeeper-request"
ANSWER_MARK: t.Final = "seatkeeper-answer"
LINE_MAX: t.Final = 4000
"""Below what a terminal takes as a line, which is the least of all that can be between."""
CONTENT_BYTES_MAX: t.Final = 64 * 1024 * 1024
_ANSWER: t.Final = re.compile(
    rf"{ANSWER_MARK} {FORMAT} ([0-9a-f]{{32}}) (\d{{1,9}}) ([0-9a-f]{{64}}) "
)
NOBODY: t.Final = "0" * 32
"""The id under which a request is answered whose head did not arrive."""


class NoAnswerSeen(Exception):
    """There is no answer in what was printed."""


class AnswerDamaged(Exception):
    """There is the beginning of an answer, but not the whole of it."""


def request_of(
    identity: str,
    method: str,
    path: str,
    headers: t.Mapping[str, str],
    body: bytes | None,
    seconds: float,
) -> bytes:
    """One HTTP request as it is written to the relay's standard input."""
    encoded = None if body is None else base64.b64encode(body).decode("ascii")
    members = {"method": method, "path": path, "headers": dict(headers), "body": encoded}
    content = json.dumps({**members, "seconds": seconds})
    digest = hashlib.sha256(content.encode("ascii")).hexdigest()
    head = f"{REQUEST_MARK} {FORMAT} {len(content)} {digest} {identity}"
    lines = [content[at : at + LINE_MAX] for at in range(0, len(content), LINE_MAX)]
    return "\n".join([head, *lines, ""]).encode("ascii")


def answer_in(printed: str, identity: str) -> dict[str, t.Any]:
    """The answer to the request, out of all that came; one of the two exceptions if it is not."""
    began = False
    for found in _ANSWER.finditer(printed):
        theirs, length, digest = found.groups()
        if theirs not in (identity, NOBODY):
            continue
        began = True
        content = printed[found.end() : found.end() + int(length)]
        if hashlib.sha256(content.encode("utf-8", "replace")).hexdigest() == digest:
            return _document(content)
    raise AnswerDamaged if began or ANSWER_MARK in printed else NoAnswerSeen


def body_of(answer: t.Mapping[str, t.Any]) -> bytes:
    """The body of an answer; AnswerDamaged if it is none."""
    try:
        return base64.b64decode(answer["body"], validate=True)
    except (KeyError, TypeError, ValueError) as error:
        raise AnswerDamaged from error


def _document(content: str) -> dict[str, t.Any]:
    try:
        document = read_json(content.encode("ascii"))
    except (JsonFault, UnicodeEncodeError) as error:
        raise AnswerDamaged from error
    if not isinstance(document, dict):
        raise AnswerDamaged
    return document
