# SPDX-License-Identifier: GPL-3.0-or-later
"""The two files of an offline activation. Their form is not public, so this one is the twin's."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

_REQUEST = "SEATKEEPER TWIN REQUEST - NOT A LICENSE"
_ANSWER = "SEATKEEPER TWIN ANSWER - NOT A LICENSE"


def make_request(machine: str, nonce: str) -> bytes:
    """cert.csr: who asks, and a number that the answer repeats."""
    return _packed(_REQUEST, {"machine": machine, "nonce": nonce})


def read_request(content: bytes) -> dict[str, Any]:
    """What a request file says; ValueError when it is none or was altered."""
    return _unpacked(_REQUEST, content, "a request file")


def make_answer(nonce: str, licenses: Any) -> bytes:
    """cert.crt: the request's number and the licenses."""
    return _packed(_ANSWER, {"nonce": nonce, "licenses": licenses})


def read_answer(content: bytes) -> dict[str, Any]:
    """What an answer file says; ValueError when it is none or was altered."""
    return _unpacked(_ANSWER, content, "an answer file")


def _packed(title: str, reported: dict[str, Any]) -> bytes:
    text = json.dumps(reported, sort_keys=True)
    content = base64.b64encode(text.encode()).decode()
    return f"{title}\n{_digest(text)}\n{content}\n".encode()


def _unpacked(title: str, content: bytes, what: str) -> dict[str, Any]:
    try:
        first, digest, coded = content.decode("ascii").splitlines()
        text = base64.b64decode(coded, validate=True).decode()
        reported = json.loads(text)
    except ValueError as error:
        raise ValueError(f"this is not {what}") from error
    if first != title or digest != _digest(text) or not isinstance(reported, dict):
        raise ValueError(f"this is not {what}")
    return reported


def _digest(text: str) -> str:
    return hashlib.sha256(f"seatkeeper twin {text}".encode()).hexdigest()
