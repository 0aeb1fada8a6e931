# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's own key and the public keys of the agents whose documents it accepts.

The private key is made on first use as ``agent.key`` in the state folder, readable by the
agent alone. A trusted agent is a file ``NAME.pem`` in the trust folder: trust is a list
that the operator writes, never something learnt from a document.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from seatkeeper_agent.host import host

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, SSlibKey

AGENT_NAME_PATTERN = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")
KEY_BYTES_MAX = 8_192


class IdentityError(Exception):
    """A key file that cannot be read or is not what it should be."""


@dataclass
class Identity:
    """Who this agent is and whom it trusts; keys are loaded when first needed."""

    name: str
    key_path: Path
    trust_folder: Path

    @cached_property
    def signer(self) -> CryptoSigner:
        """The private key, made on first use. IdentityError if the file is unusable."""
        from securesystemslib.signer import CryptoSigner, SSlibKey

        if not self.key_path.exists():
            self._make_key()
        try:
            from cryptography.hazmat.primitives.serialization import load_pem_private_key

            private_key = load_pem_private_key(self.key_path.read_bytes(), None)
            public_key = SSlibKey.from_crypto(private_key.public_key())
            return CryptoSigner(private_key, public_key)
        except (OSError, ValueError, TypeError) as error:
            raise IdentityError(
                f"The agent's key {self.key_path} cannot be used: {error}."
            ) from error

    def _make_key(self) -> None:
        from securesystemslib.signer import CryptoSigner

        pem = CryptoSigner.generate_ed25519().private_bytes
        temporary = self.key_path.with_suffix(f".{os.getpid()}.new")
        descriptor = host().private_file(temporary)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(pem)
                file.flush()
                os.fsync(file.fileno())
            # A link fails where another process was quicker: its key then counts.
            os.link(temporary, self.key_path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink(missing_ok=True)

    @property
    def public_pem(self) -> str:
        """The public key, to be put into other agents' trust folders."""
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            PublicFormat,
            load_pem_private_key,
        )

        public_key = load_pem_private_key(self.signer.private_bytes, None).public_key()
        return public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def fingerprint(self) -> str:
        """The public key in short, as an inventory declares it."""
        return _fingerprint(self.signer.public_key)

    @property
    def key_id(self) -> str:
        """The name of the key in signatures."""
        return str(self.signer.public_key.keyid)

    def trusted(self, name: str) -> SSlibKey | None:
        """The key of an agent, None if this host does not accept its documents."""
        if name == self.name:
            return self.signer.public_key
        if not AGENT_NAME_PATTERN.fullmatch(name):
            return None
        path = self.trust_folder / f"{name}.pem"
        try:
            pem = path.read_bytes()[:KEY_BYTES_MAX]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise IdentityError(f"The trusted key {path} cannot be read: {error}.") from error
        return _public_key(path, pem)

    def trusts(self) -> list[str]:
        """The names of all trusted agents."""
        if not self.trust_folder.is_dir():
            return []
        names = (path.stem for path in self.trust_folder.glob("*.pem"))
        return sorted(name for name in names if AGENT_NAME_PATTERN.fullmatch(name))

    def sharing(self) -> list[list[str]]:
        """Names that have one key, so that a document of one counts as each other's.

        IdentityError if a key cannot be read.
        """
        names: dict[str, list[str]] = {}
        # A key of its own is not made by looking.
        own = [self.name] if self.key_path.exists() else []
        for name in dict.fromkeys([*self.trusts(), *own]):
            key = self.trusted(name)
            if key is not None:
                names.setdefault(_fingerprint(key), []).append(name)
        return [shared for shared in names.values() if len(shared) > 1]


def _fingerprint(key: SSlibKey) -> str:
    """SHA-256 over the key's DER form: it does not depend on how a PEM is written."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    raw = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.keyval["public"]))
    der = raw.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


def _public_key(path: Path, pem: bytes) -> SSlibKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    try:
        key = load_pem_public_key(pem)
    except ValueError as error:
        raise IdentityError(f"The trusted key {path} is not a public key in PEM.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise IdentityError(f"The trusted key {path} is not an Ed25519 key.")
    return SSlibKey.from_crypto(key)
