# SPDX-License-Identifier: GPL-3.0-or-later
"""A release of the agent is taken by its digest or its signature, and for nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._release import release_problems

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
DIGEST = hashlib.sha256(b"the release").hexdigest()
FILE = {
    "name": "seatkeeper-agent-0.2.0.tar",
    "digest": DIGEST,
    "signature": "seatkeeper-agent-0.2.0.dsse.json",
}
TYPE = "application/vnd.in-toto+json"
STATEMENT = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [
        {"name": "seatkeeper-agent-0.2.0.cdx.json", "digest": {"sha256": "0" * 64}},
        {"name": FILE["name"], "digest": {"sha256": DIGEST}},
    ],
}


def public(key: Ed25519PrivateKey) -> str:
    """Its public half, as the inventory has it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def signed(key: Ed25519PrivateKey, payload: bytes, kind: str = TYPE) -> dict[str, t.Any]:
    """A DSSE envelope, by the text of its specification."""
    text = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    signature = base64.b64encode(key.sign(text)).decode()
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": kind,
        "signatures": [{"keyid": "any", "sig": signature}],
    }


def refused(envelope: t.Any, key: Ed25519PrivateKey = KEY, **file: str) -> str:
    """Why an envelope does not do, empty if it does."""
    text = envelope if isinstance(envelope, bytes) else json.dumps(envelope).encode()
    reported = release_problems(
        {**FILE, **file}, key=public(key), envelope=base64.b64encode(text).decode()
    )
    assert all(sentence.endswith("Nothing was changed on this host.") for sentence in reported)
    return "".join(reported)


PAYLOAD = json.dumps(STATEMENT).encode()
GOOD = signed(KEY, PAYLOAD)


def test_what_the_declared_key_has_signed_is_taken() -> None:
    assert refused(GOOD) == ""
    # DSSE lets the other alphabet of Base64 be used, and others sign as well.
    other = signed(OTHER, PAYLOAD)["signatures"]
    assert refused({**GOOD, "signatures": other + GOOD["signatures"]}) == ""
    plain = str(GOOD["signatures"][0]["sig"])
    urlsafe = plain.replace("+", "-").replace("/", "_")
    assert refused({**GOOD, "signatures": [{"sig": urlsafe}]}) == ""


def test_every_altered_byte_is_refused() -> None:
    for member in ("payload", "sig"):
        whole = base64.b64decode(GOOD["payload"] if member == "payload" else signature())
        for place in range(len(whole)):
            altered = bytearray(whole)
            altered[place] ^= 1
            text = base64.b64encode(altered).decode()
            changed = (
                {**GOOD, "payload": text}
                if member == "payload"
                else {**GOOD, "signatures": [{"sig": text}]}
            )
            assert "was not signed by seatkeeper_agent_bundle_key" in refused(changed), (
                member,
                place,
            )


def signature() -> str:
    """That of the good envelope."""
    return str(GOOD["signatures"][0]["sig"])


def test_another_key_another_file_another_release_are_refused() -> None:
    assert "was not signed by seatkeeper_agent_bundle_key" in refused(GOOD, OTHER)
    assert "was not signed by seatkeeper_agent_bundle_key" in refused(
        {**GOOD, "payloadType": "text/plain"}
    )
    assert "not for seatkeeper-agent-0.2.0.tar with the content" in refused(GOOD, digest="1" * 64)
    assert "not for seatkeeper-agent-0.1.0.tar" in refused(GOOD, name="seatkeeper-agent-0.1.0.tar")
    # An agent's document that is signed by the same key is no release.
    assert "something else" in refused(signed(KEY, PAYLOAD, "application/vnd.seatkeeper.request"))


@pytest.mark.parametrize(
    "envelope",
    [
        b"", b"\xff", b"[]", b"7", b"null", b"[" * 100_000, b"{}", {**GOOD, "payload": 7},
        {**GOOD, "payload": "no base64!"}, {**GOOD, "payload": None}, {**GOOD, "signatures": {}},
        {**GOOD, "payloadType": None},
    ],
)  # fmt: skip
def test_what_is_no_envelope_is_refused(envelope: t.Any) -> None:
    assert "is no DSSE envelope" in refused(envelope)


@pytest.mark.parametrize("signatures", [[], [7], [{}], [{"sig": 7}], [{"sig": ""}], [None]])
def test_what_is_no_signature_is_refused(signatures: list[t.Any]) -> None:
    assert "was not signed by seatkeeper_agent_bundle_key" in refused(
        {**GOOD, "signatures": signatures}
    )


@pytest.mark.parametrize(
    "statement",
    [
        [], {}, {"_type": "other", "subject": []}, {**STATEMENT, "subject": None},
        {**STATEMENT, "subject": [7]}, {**STATEMENT, "subject": [{"name": FILE["name"]}]},
        {**STATEMENT, "subject": [{"name": 7, "digest": {"sha256": DIGEST}}]},
        {**STATEMENT, "subject": [{"name": FILE["name"], "digest": {"sha512": DIGEST}}]},
        {**STATEMENT, "subject": []},
    ],
)  # fmt: skip
def test_what_is_signed_and_names_no_file_is_refused(statement: t.Any) -> None:
    assert refused(signed(KEY, json.dumps(statement).encode()))


def test_a_release_that_nobody_vouches_for_is_refused() -> None:
    (text,) = release_problems(FILE)
    assert text.startswith(
        "Nobody vouches for seatkeeper-agent-0.2.0.tar: set seatkeeper_agent_bundle_checksum"
    )


def test_the_digest_decides_where_no_key_is_declared() -> None:
    assert release_problems(FILE, f"sha256:{DIGEST}") == []
    assert release_problems(FILE, f"sha256:{DIGEST.upper()}") == []
    (text,) = release_problems(FILE, f"sha256:{'0' * 64}")
    assert "is not the file that seatkeeper_agent_bundle_checksum declares" in text
    for odd in (DIGEST, f"sha1:{DIGEST}", f"sha256:{DIGEST[:8]}", f"sha256:{DIGEST} "):
        (text,) = release_problems(FILE, odd)
        assert "is not sha256: and 64 hexadecimal digits" in text


def test_all_that_is_declared_has_to_hold() -> None:
    good = base64.b64encode(json.dumps(GOOD).encode()).decode()
    declared = [f"sha256:{DIGEST}", f"sha256:{'0' * 64}"]
    for checksum, key in ((checksum, key) for checksum in declared for key in (KEY, OTHER)):
        problems = release_problems(FILE, checksum, public(key), good)
        assert (problems == []) == (checksum == declared[0] and key is KEY)
    # A right digest does not make up for a signature that is not there.
    (text,) = release_problems(FILE, declared[0], public(KEY))
    assert "is not signed" in text
    (text,) = release_problems(FILE, declared[0], "no key", good)
    assert "seatkeeper_agent_bundle_key is no Ed25519 public key in PEM" in text
