# SPDX-License-Identifier: GPL-3.0-or-later
"""sign.py KEY RELEASE.tar: sign a release of the agent, beside it as RELEASE.dsse.json.

KEY is a private Ed25519 key in PEM, as ``openssl genpkey -algorithm ed25519`` makes it. What is
signed is an in-toto statement in a DSSE envelope: the release's files with the SHA-256 of each,
which are the bundle, the list of packages and what is in it (CycloneDX). The role ``agent`` checks
it by ``seatkeeper_agent_bundle_key``.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner, SSlibKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/release/v0.1"
FILES = (".tar", ".txt", ".cdx.json")
ENDING = ".dsse.json"


class SigningError(Exception):
    """Why nothing was signed, in one sentence with what to do."""


def signer(path: Path) -> CryptoSigner:
    """The key of a file; SigningError where it is none or others can read it."""
    if path.stat().st_mode & 0o077:
        raise SigningError(f"The key {path} is open to others: run chmod 600 on it.")
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise SigningError(f"{path} is no private key in PEM without a password.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningError(f"The key {path} is no Ed25519 key.")
    return CryptoSigner(key, SSlibKey.from_crypto(key.public_key()))


def statement(release: Path) -> bytes:
    """What is signed: every file of the release with its content."""
    stem = release.name.removesuffix(".tar")
    files = [release.with_name(f"{stem}{ending}") for ending in FILES]
    reported = {
        "_type": STATEMENT,
        "subject": [{"name": file.name, "digest": {"sha256": _digest(file)}} for file in files],
        "predicateType": PREDICATE,
        "predicate": {"purl": f"pkg:generic/{stem.replace('agent-', 'agent@', 1)}"},
    }
    return json.dumps(reported, separators=(",", ":")).encode()


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def main() -> int:
    """Sign; 1 with a sentence where that cannot be."""
    key, release = map(Path, sys.argv[1:])
    signature = release.with_name(f"{release.name.removesuffix('.tar')}{ENDING}")
    try:
        envelope = Envelope(statement(release), PAYLOAD_TYPE, {})
        envelope.sign(signer(key))
        # Whole or not at all: half of one would be taken for a forged one.
        made = signature.with_suffix(".new")
        made.write_text(f"{json.dumps(envelope.to_dict(), indent=2)}\n", encoding="utf-8")
        made.replace(signature)
    except OSError as error:
        problem = f"{error.filename} cannot be used: {error.strerror}."
    except SigningError as error:
        problem = str(error)
    else:
        print(f"signed: {signature}")
        return 0
    print(f"sign: {problem} Nothing was signed.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
