# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents that travel between hosts: signed DSSE envelopes around opaque vendor artefacts."""

from __future__ import annotations

import base64
import copy
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from seatkeeper_agent.domain.licenses import Measure
from seatkeeper_agent.domain.planned_steps import canonical, digest
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import DocumentKind, Envelope, MoveDocument, Past
from seatkeeper_agent.domain.strict_json import JsonFault, read_document
from seatkeeper_agent.domain.transfers import Declaration, Side
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations import payloads

PAYLOAD_TYPE = "application/vnd.seatkeeper.{kind}+json;version=1"
ARTEFACT_BYTES_MAX = 1_048_576

SENDERS = {
    DocumentKind.REQUEST: Side.TARGET,
    DocumentKind.TRANSFER: Side.SOURCE,
    DocumentKind.RECEIPT: Side.TARGET,
    DocumentKind.ACKNOWLEDGEMENT: Side.SOURCE,
}


@dataclass(frozen=True, slots=True)
class Document:
    """What an envelope says, after its signature and its address were checked."""

    kind: DocumentKind
    payload: dict[str, Any]

    @property
    def artefact(self) -> bytes:
        """The vendor's artefact; empty where the document carries none."""
        return base64.b64decode(self.payload["artefact"]["data"])

    @property
    def facts(self) -> dict[str, Any]:
        """What the sender told besides."""
        return dict(self.payload["facts"])

    @property
    def answers(self) -> str | None:
        """The hash of the document that this one answers."""
        value = self.payload["answers"]
        return None if value is None else str(value)

    @property
    def sender(self) -> str:
        """The agent that signed it."""
        return str(self.payload["sender"])

    @property
    def past(self) -> Past:
        """The sender's own audit when it made the document."""
        return past_in(self.payload)

    @property
    def quoted(self) -> Past | None:
        """What the sender had heard of its addressee's audit; None where it had heard nothing."""
        return quoted_in(self.payload)


def seal(
    identity: Identity,
    kind: DocumentKind,
    declaration: Declaration,
    artefact: bytes,
    answers: Envelope | None,
    facts: dict[str, Any],
    past: Past,
    quoted: Past | None,
) -> Envelope:
    """Sign a document; deterministic for the same input, so that it may be made twice.

    ``past`` is this agent's audit, ``quoted`` the newest that the addressee has signed of its own.
    """
    payload = {
        "kind": kind.value,
        "transfer": declaration.as_document(),
        "sender": identity.name,
        "artefact": {
            "data": base64.b64encode(artefact).decode(),
            "sha256": hashlib.sha256(artefact).hexdigest(),
        },
        "answers": None if answers is None else digest(answers),
        "facts": facts,
        "audit": past.as_document(),
        "peer": None if quoted is None else quoted.as_document(),
    }
    return sign(identity, kind, payload)


def seal_in(
    unit: Unit,
    identity: Identity,
    kind: DocumentKind,
    declaration: Declaration,
    artefact: bytes,
    answers: Envelope | None,
    facts: dict[str, Any],
) -> Envelope:
    """Seal a document with what this unit of work knows of both agents' pasts."""
    is_to_source = SENDERS[kind] is Side.TARGET
    addressee = declaration.source if is_to_source else declaration.target
    newest = unit.peers.newest(addressee.agent)
    quoted = None if newest is None else newest.past
    past = Past(*unit.audit.head())
    return seal(identity, kind, declaration, artefact, answers, facts, past, quoted)


def sign(identity: Identity, kind: StrEnum, payload: dict[str, Any]) -> Envelope:
    """A payload in a signed envelope; the same bytes for the same input."""
    from securesystemslib.dsse import Envelope as DsseEnvelope

    envelope = DsseEnvelope(canonical(payload), PAYLOAD_TYPE.format(kind=kind.value), {})
    envelope.sign(identity.signer)
    return dict(envelope.to_dict())


def unseal(
    identity: Identity,
    kind: DocumentKind,
    declaration: Declaration,
    envelope: Envelope,
) -> Document:
    """Check who signed, for whom, and for which transfer; a Problem for anything else."""
    payload = _payload(kind, envelope)
    sender_side = SENDERS[kind]
    sender = declaration.source if sender_side is Side.SOURCE else declaration.target
    claimed = payload["sender"]
    what = f"{kind.value} of transfer {declaration.name!r}"
    require_signature(identity, envelope, claimed, what)
    addressed = payload["transfer"]
    if claimed != sender.agent or addressed != declaration.as_document():
        raise Problem(
            ProblemCode.DOCUMENT_MISADDRESSED,
            f"The {kind.value} is of transfer {addressed['name']!r} by {claimed!r}, not of"
            f" transfer {declaration.name!r} by {sender.agent!r} as declared here.",
            "Bring the document that belongs to this transfer.",
        )
    document = Document(kind, payload)
    if hashlib.sha256(document.artefact).hexdigest() != payload["artefact"]["sha256"]:
        raise _altered(what)
    return document


def own_past(identity: Identity, envelope: Envelope) -> Past:
    """How far this agent's audit had come when it signed this envelope; Problem if it did not."""
    kind = _kind_of(envelope)
    payload = payload_of(kind, envelope)
    what = f"{kind.value} that shall be this agent's own"
    if payload["sender"] != identity.name:
        raise malformed(kind, f"it is of {payload['sender']!r}, not of {identity.name!r}")
    require_signature(identity, envelope, identity.name, what)
    return past_in(payload)


def _kind_of(envelope: Envelope) -> StrEnum:
    declared = str(envelope.get("payloadType"))
    kinds: tuple[StrEnum, ...] = (*DocumentKind, *MoveDocument)
    for kind in kinds:
        if declared == PAYLOAD_TYPE.format(kind=kind.value):
            return kind
    raise malformed(DocumentKind.TRANSFER, f"its type is {declared!r}")


def check_answers(
    document: Document,
    declaration: Declaration,
    requested: Envelope | None,
    superseded: set[str] | frozenset[str] = frozenset(),
) -> None:
    """Refuse a document that answers none of ours; ``superseded`` are digests of older ones."""
    expected = set(superseded) if requested is None else {digest(requested), *superseded}
    if document.answers in expected:
        return
    raise Problem(
        ProblemCode.DOCUMENT_REPLAYED,
        f"The {document.kind.value} of transfer {declaration.name!r} answers another document"
        " than the one this host sent.",
        "Run the playbook again so that the current documents are carried.",
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """What a transfer document brings."""

    amounts: dict[Measure, int]
    vendor_transfer_id: str
    vendor_update_counter: int


def sent_in(document: Document, declaration: Declaration) -> Sent:
    """Read what was sent; Problem if that is not what was declared."""
    facts = document.facts
    amounts = {Measure(name): amount for name, amount in facts["amounts"].items()}
    declared = declaration.quantity
    if declared is not None and list(amounts.values()) != [declared]:
        brings = " and ".join(f"{amount} {name}" for name, amount in facts["amounts"].items())
        raise malformed(document.kind, f"it brings {brings or 'nothing'}, {declared} were declared")
    return Sent(amounts, facts["vendor_transfer_id"], facts["vendor_update_counter"])


def is_refusal(receipt: Document) -> bool:
    """Whether the target refused."""
    return bool(receipt.facts["decision"] == "refused")


def past_in(payload: dict[str, Any]) -> Past:
    """How far the sender's audit had come when it made the document."""
    audit = payload["audit"]
    return Past(audit["sequence"], audit["head"])


def quoted_in(payload: dict[str, Any]) -> Past | None:
    """What a payload quotes of its addressee's audit; documents of version 0.1.0 quote nothing."""
    quoted = payload.get("peer")
    return None if quoted is None else Past(quoted["sequence"], quoted["head"])


def quoted_by(envelope: Envelope) -> Past | None:
    """What a document of our own quoted of its addressee's audit."""
    return quoted_in(read_document(base64.b64decode(envelope["payload"])))


def payload_of(kind: StrEnum, envelope: Envelope) -> dict[str, Any]:
    """What an envelope of this kind holds, not yet verified; Problem for one that is none."""
    try:
        declared_type = envelope["payloadType"]
        payload = read_document(base64.b64decode(envelope["payload"], validate=True))
    except JsonFault as error:
        raise malformed(kind, f"it {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise malformed(kind, "it cannot be read") from error
    if declared_type != PAYLOAD_TYPE.format(kind=kind.value):
        raise malformed(kind, f"its type is {str(declared_type)[:200]!r}")
    fault = payloads.fault(kind, payload)
    if fault is not None:
        raise malformed(kind, fault)
    return dict(payload)


def require_signature(identity: Identity, envelope: Envelope, sender: str, what: str) -> None:
    """Problem unless the agent ``sender`` is trusted here and has signed this very envelope."""
    from securesystemslib.dsse import Envelope as DsseEnvelope
    from securesystemslib.exceptions import FormatError, VerificationError

    key = identity.trusted(sender)
    if key is None:
        raise Problem(
            ProblemCode.DOCUMENT_FOREIGN,
            f"The {what} is signed by the agent {sender!r}, which this host does not trust.",
            f"Put its public key into the trust folder as {sender}.pem if it shall be trusted.",
        )
    # What is no text where the library wants one shows as an AttributeError.
    unreadable = (FormatError, LookupError, ValueError, TypeError, AttributeError)
    try:
        DsseEnvelope.from_dict(copy.deepcopy(envelope)).verify([key], 1)
    except (VerificationError, *unreadable) as error:
        raise _altered(what) from error


def malformed(kind: StrEnum, why: str) -> Problem:
    """An envelope that is not what it should be."""
    return Problem(
        ProblemCode.DOCUMENT_INVALID,
        f"The document is not a {kind.value} that this agent understands: {why}.",
        "Pass the envelope exactly as the other host's leg returned it.",
    )


def _payload(kind: DocumentKind, envelope: Envelope) -> dict[str, Any]:
    payload = payload_of(kind, envelope)
    try:
        artefact = base64.b64decode(payload["artefact"]["data"], validate=True)
    except ValueError as error:
        raise malformed(kind, "its artefact cannot be read") from error
    if len(artefact) > ARTEFACT_BYTES_MAX:
        raise malformed(kind, f"its artefact is larger than {ARTEFACT_BYTES_MAX} bytes")
    return payload


def _altered(what: str) -> Problem:
    return Problem(
        ProblemCode.DOCUMENT_ALTERED,
        f"The {what} does not carry a valid signature of its sender: it was altered or damaged on"
        " the way.",
        "Fetch it again from the host that made it.",
    )
