# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests, updates and receipts: opaque to whoever carries them, unmistakably a twin's.

An artefact is a marker, its kind, a checksum and padded JSON. The key of the checksum is public:
it finds alteration and protects nothing, because a twin's artefact is worth nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from seatkeeper_twins.codemeter.constants import Error, Refusal

MARKER = b"SEATKEEPER TWIN ARTEFACT - NOT A LICENSE\n"
SIZES = {"request": 2048, "update": 16384, "receipt": 16384, "remote-context": 32768}
"""Bytes of each kind, fixed so that the size is known before there is any effect."""
_KEY = b"integrity only: a twin keeps no secret"
_HEADER_BYTES = len(MARKER) + 16 + 64


def seal(kind: str, content: dict[str, Any]) -> bytes:
    """The artefact for `content`; always SIZES[kind] bytes."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    room = SIZES[kind] - _HEADER_BYTES
    if len(body) > room:
        raise Refusal(Error.INVALID_PARAMETER, f"{kind} of {len(body)} bytes exceeds {room}")
    name = kind.encode().ljust(16)
    body = body.ljust(room)
    return MARKER + name + _checksum(name + body) + body


def unseal(kind: str, artefact: bytes | None) -> dict[str, Any]:
    """The content of an unaltered artefact of this kind; Refusal 211 otherwise."""
    if artefact is None or kind_of(artefact) != kind or len(artefact) != SIZES[kind]:
        raise Refusal(Error.VALIDATION_FAILED, f"not a {kind}")
    start = len(MARKER)
    name, checksum = artefact[start : start + 16], artefact[start + 16 : start + 80]
    body = artefact[_HEADER_BYTES:]
    if not hmac.compare_digest(checksum, _checksum(name + body)):
        raise Refusal(Error.VALIDATION_FAILED, f"the {kind} was altered")
    content: dict[str, Any] = json.loads(body)
    return content


def kind_of(artefact: bytes) -> str | None:
    """The kind an artefact says it is, None when it does not begin with the marker."""
    if not artefact.startswith(MARKER):
        return None
    return artefact[len(MARKER) : len(MARKER) + 16].decode("ascii", "replace").strip()


def _checksum(content: bytes) -> bytes:
    return hmac.new(_KEY, content, hashlib.sha256).hexdigest().encode()
