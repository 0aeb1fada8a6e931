# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a file is the release of the agent that is meant: by its digest, by its signature.

A signature is a DSSE envelope around an in-toto statement, made with a key of the operator's own.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._trust import public_key

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:  # ansible-core itself needs it; what is not there verifies nothing
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

_CHECKSUM: t.Final = re.compile(r"sha256:([0-9a-fA-F]{64})")
_PAYLOAD_TYPE: t.Final = "application/vnd.in-toto+json"
_STATEMENT: t.Final = "https://in-toto.io/Statement/v1"
_RAW_BYTES: t.Final = 32
_NOTHING_CHANGED: t.Final = "Nothing was changed on this host."


def release_problems(
    file: dict[str, t.Any],
    checksum: str = "",
    key: str = "",
    envelope: str | None = None,
) -> list[str]:
    """Why the file cannot be installed; nothing when all that the inventory declares of it is so.

    ``file`` has its ``name``, the SHA-256 that was found as ``digest``, and what its signature has
    to be called as ``signature``; ``envelope`` is the content of that in Base64, None for no file.
    """
    try:
        if key:
            _check_signature(file, key, envelope)
        if checksum or not key:
            _check_digest(file, checksum)
    except _Refusal as problem:
        return [f"{problem} {_NOTHING_CHANGED}"]
    return []


class _Refusal(Exception):
    """Why the file is not installed, in one sentence or two."""


class _BadEnvelope(Exception):
    """What a signature is not; goes on after its file's name."""


def _check_digest(file: dict[str, t.Any], checksum: str) -> None:
    if not checksum:
        raise _Refusal(
            f"Nobody vouches for {file['name']}: set seatkeeper_agent_bundle_checksum to the"
            " sha256:DIGEST"
            " that `make bundle` printed where it was made, or seatkeeper_agent_bundle_key to the"
            " public key"
            " that it is signed with."
        )
    found = _CHECKSUM.fullmatch(str(checksum))
    if found is None:
        raise _Refusal("seatkeeper_agent_bundle_checksum is not sha256: and 64 hexadecimal digits.")
    if found[1].lower() != file["digest"]:
        raise _Refusal(
            f"{file['name']} is not the file that seatkeeper_agent_bundle_checksum declares: its"
            " SHA-256 is"
            f" {file['digest']}. Bring the declared one; if you mean this one, compare it with what"
            " `make bundle` printed where it was made before you declare it."
        )


def _check_signature(file: dict[str, t.Any], key: str, envelope: str | None) -> None:
    pem = public_key(key)
    name, signature = file["name"], file["signature"]
    if pem is None:
        raise _Refusal(
            "seatkeeper_agent_bundle_key is no Ed25519 public key in PEM, as `openssl pkey -pubout`"
            " prints it."
        )
    if envelope is None:
        raise _Refusal(
            f"{name} is not signed: {signature} cannot be read beside it, and"
            " seatkeeper_agent_bundle_key is"
            " declared. Bring it with the release, or make it with `make bundle KEY=FILE`."
        )
    if not HAS_CRYPTOGRAPHY:
        raise _Refusal(
            "The Python of Ansible has no package cryptography, so no signature can be checked."
            " Install it where you run Ansible."
        )
    try:
        subjects = _subjects(_signed_payload(_decoded(envelope), pem))
    except UnsupportedAlgorithm:
        raise _Refusal(
            "The cryptography of Ansible's Python knows no Ed25519, so no signature can be checked."
            " Install a newer one where you run Ansible."
        ) from None
    except _BadEnvelope as problem:
        raise _Refusal(
            f"{signature} {problem}. Bring the release from where it was made once more."
        ) from None
    if subjects.get(name) != file["digest"]:
        raise _Refusal(
            f"{signature} is signed by seatkeeper_agent_bundle_key, but not for {name} with the"
            " content that"
            f" it has, whose SHA-256 is {file['digest']}: one of both is of another release, or was"
            " altered. Bring both from where they were made once more."
        )


def _decoded(text: t.Any) -> bytes:
    """Base64 in either alphabet, as DSSE allows; nothing else."""
    if not isinstance(text, str):
        raise _BadEnvelope("is no DSSE envelope")
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise _BadEnvelope("is no DSSE envelope") from None


def _object(text: bytes) -> dict[str, t.Any]:
    try:
        found = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _BadEnvelope("is no DSSE envelope")
    return found


def _signed_payload(envelope: bytes, pem: str) -> bytes:
    """What the key has signed; _BadEnvelope where no signature is by that key."""
    reported = _object(envelope)
    kind, signatures = reported.get("payloadType"), reported.get("signatures")
    if not isinstance(kind, str) or not isinstance(signatures, list):
        raise _BadEnvelope("is no DSSE envelope")
    payload = _decoded(reported.get("payload"))
    signed = b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(pem.splitlines()[1])[-_RAW_BYTES:])
    if not any(_is_by(key, entry, signed) for entry in signatures):
        raise _BadEnvelope(
            "was not signed by seatkeeper_agent_bundle_key, or was altered afterwards: do not use"
            " the release"
        )
    if kind != _PAYLOAD_TYPE:
        raise _BadEnvelope("signs something else than a release")
    return payload


def _is_by(key: t.Any, entry: t.Any, signed: bytes) -> bool:
    try:
        key.verify(_decoded(entry.get("sig") if isinstance(entry, dict) else None), signed)
    except (InvalidSignature, _BadEnvelope):
        return False
    return True


def _subjects(payload: bytes) -> dict[str, str]:
    """The files that a statement is about, each with its SHA-256."""
    reported = _object(payload)
    subjects = reported.get("subject")
    if reported.get("_type") != _STATEMENT or not isinstance(subjects, list):
        raise _BadEnvelope("signs something else than a release")
    found: dict[str, str] = {}
    for subject in subjects:
        digests = subject.get("digest") if isinstance(subject, dict) else None
        if not isinstance(digests, dict) or not isinstance(subject.get("name"), str):
            raise _BadEnvelope("signs something else than a release")
        found[subject["name"]] = str(digests.get("sha256"))
    return found
