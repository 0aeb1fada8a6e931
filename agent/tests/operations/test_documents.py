# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents that are foreign, altered, misaddressed, malformed or too large, and who says so."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatkeeper_agent.domain.licenses import ItemKey, TransferType
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import DocumentKind, Envelope, Past
from seatkeeper_agent.domain.transfers import Declaration, Mode, Place, transfer_id
from seatkeeper_agent.identity import Identity, IdentityError
from seatkeeper_agent.operations.documents import (
    ARTEFACT_BYTES_MAX,
    check_answers,
    seal,
    sent_in,
    unseal,
)

ARTEFACT = b"\x00\x01artefact"
FACTS = {"amounts": {"seats": 3}, "vendor_transfer_id": "aa", "vendor_update_counter": 7}
KNOWN = {
    ProblemCode.DOCUMENT_INVALID, ProblemCode.DOCUMENT_ALTERED, ProblemCode.DOCUMENT_FOREIGN,
    ProblemCode.DOCUMENT_MISADDRESSED,
}  # fmt: skip


def declare(name: str = "asked", **changes: Any) -> Declaration:
    """A transfer from old to new."""
    values = {"quantity": 3, "until": None, "parent": None, **changes}
    return Declaration(
        transfer_id(name), name, ItemKey.parse("6000010:201"), TransferType.LICENSES, Mode.PUSH,
        Place("old", "130-1"), Place("new", "130-2"), **values,
    )  # fmt: skip


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Identity]:
    """Three agents; new trusts old, nobody trusts stranger."""
    folder = tmp_path_factory.mktemp("agents")
    made = {}
    for name in ("old", "new", "stranger"):
        (folder / name / "trust").mkdir(parents=True)
        made[name] = Identity(name, folder / name / "agent.key", folder / name / "trust")
    (folder / "new" / "trust" / "old.pem").write_text(made["old"].public_pem)
    (folder / "old" / "trust" / "new.pem").write_text(made["new"].public_pem)
    return made


def transfer_of(agents: dict[str, Identity], by: str = "old", **changes: Any) -> Envelope:
    """A transfer document as the source makes it."""
    values: dict[str, Any] = {
        "kind": DocumentKind.TRANSFER, "declaration": declare(), "artefact": ARTEFACT,
        "answers": None, "facts": FACTS, "past": Past(5, "ab" * 32),
        "quoted": None,
    }  # fmt: skip
    return seal(agents[by], **{**values, **changes})


def refused(
    agents: dict[str, Identity], envelope: Any, kind: DocumentKind | None = None
) -> Problem:
    """The problem that the target must have with it."""
    with pytest.raises(Problem) as caught:
        unseal(agents["new"], kind or DocumentKind.TRANSFER, declare(), envelope)
    problem = caught.value
    assert problem.detail.endswith(".")
    assert problem.next_action.endswith(".")
    return problem


def test_what_was_sealed_is_read(agents: dict[str, Identity]) -> None:
    """And the same input gives the same document, so that it may be made twice."""
    envelope = transfer_of(agents)
    assert transfer_of(agents) == envelope
    document = unseal(agents["new"], DocumentKind.TRANSFER, declare(), envelope)
    assert (document.artefact, document.facts, document.answers) == (ARTEFACT, FACTS, None)
    sent = sent_in(document, declare())
    assert (sent.vendor_transfer_id, sent.vendor_update_counter) == ("aa", 7)


def test_a_foreign_document(agents: dict[str, Identity]) -> None:
    """Signed by somebody who is not on this host's list."""
    problem = refused(agents, transfer_of(agents, by="stranger"))
    assert problem.code is ProblemCode.DOCUMENT_FOREIGN
    assert "'stranger'" in problem.detail
    assert "stranger.pem" in problem.next_action


def test_a_document_that_claims_to_be_from_another(agents: dict[str, Identity]) -> None:
    """The stranger signs in the name of the source."""
    stranger = agents["stranger"]
    impostor = Identity("old", stranger.key_path, stranger.trust_folder)
    problem = refused(agents, transfer_of({"old": impostor}))
    assert problem.code is ProblemCode.DOCUMENT_ALTERED


@pytest.mark.parametrize(
    "declaration",
    [declare("other"), declare(quantity=4), declare(parent=transfer_id("p"))],
    ids=["another transfer", "another quantity", "another parent"],
)
def test_a_document_of_another_transfer(
    agents: dict[str, Identity], declaration: Declaration
) -> None:
    """Well signed, but not what is declared here."""
    problem = refused(agents, transfer_of(agents, declaration=declaration))
    assert problem.code is ProblemCode.DOCUMENT_MISADDRESSED


def test_a_document_by_the_wrong_side(agents: dict[str, Identity]) -> None:
    """A transfer is the source's to sign, not the target's own."""
    problem = refused(agents, transfer_of(agents, by="new"))
    assert problem.code is ProblemCode.DOCUMENT_MISADDRESSED


@pytest.mark.parametrize("kind", [DocumentKind.REQUEST, DocumentKind.RECEIPT])
def test_a_document_of_another_kind(agents: dict[str, Identity], kind: DocumentKind) -> None:
    """Not even with the same signature."""
    assert refused(agents, transfer_of(agents), kind).code is ProblemCode.DOCUMENT_INVALID


def _repacked(envelope: Envelope, change: Callable[[dict[str, Any]], None]) -> Envelope:
    payload = json.loads(base64.b64decode(envelope["payload"]))
    change(payload)
    packed = base64.b64encode(json.dumps(payload).encode()).decode()
    return {**envelope, "payload": packed}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda payload: payload["facts"]["amounts"].update(seats=9), "document-altered"),
        (lambda payload: payload["transfer"].update(quantity=9), "document-altered"),
        (lambda payload: payload["artefact"].update(data=""), "document-altered"),
        (lambda payload: payload.update(answers="00" * 32), "document-altered"),
        (lambda payload: payload["audit"].update(sequence=0), "document-altered"),
        (lambda payload: payload.update(sender="stranger"), "document-foreign"),
        (lambda payload: payload.update(sender="../old"), "document-invalid"),
        (lambda payload: payload.update(sender=5), "document-invalid"),
        (lambda payload: payload.pop("sender"), "document-invalid"),
        (lambda payload: payload.pop("transfer"), "document-invalid"),
        (lambda payload: payload.update(transfer=[1]), "document-invalid"),
        (lambda payload: payload.update(artefact=None), "document-invalid"),
        (lambda payload: payload.update(facts=[]), "document-invalid"),
        (lambda payload: payload.pop("answers"), "document-invalid"),
        (lambda payload: payload.pop("audit"), "document-invalid"),
        (lambda payload: payload["audit"].update(sequence="x"), "document-invalid"),
        (lambda payload: payload["artefact"].update(data=5), "document-invalid"),
    ],
)
def test_a_changed_payload(
    agents: dict[str, Identity], change: Callable[[dict[str, Any]], None], code: str
) -> None:
    """Whatever was changed is seen."""
    assert refused(agents, _repacked(transfer_of(agents), change)).code.value == code


@pytest.mark.parametrize(
    "envelope",
    [
        {}, {"payload": 1}, {"payload": "%"}, {"payload": "e30=", "payloadType": "x"}, [], None,
        "text", {"payload": "W10=", "payloadType": "x", "signatures": []},
        {"payload": "bnVsbA==", "payloadType": "x", "signatures": []},
        {"payload": base64.b64encode(b"[" * 100_000).decode(), "payloadType": "x"},
    ],
)  # fmt: skip
def test_what_is_no_document(agents: dict[str, Identity], envelope: Any) -> None:
    """Malformed in all sorts of ways: a problem, never another error."""
    assert refused(agents, envelope).code is ProblemCode.DOCUMENT_INVALID


@pytest.mark.parametrize(
    "signatures",
    [[], None, "x", [{}], [{"keyid": "x", "sig": "x"}], [{"keyid": 5, "sig": 5}], [None]],
)
def test_signatures_that_are_none(agents: dict[str, Identity], signatures: Any) -> None:
    """Without its signature it is as good as altered."""
    problem = refused(agents, {**transfer_of(agents), "signatures": signatures})
    assert problem.code is ProblemCode.DOCUMENT_ALTERED


def test_a_document_that_is_too_large(agents: dict[str, Identity]) -> None:
    """At the limit it is read, above it is not."""
    largest = transfer_of(agents, artefact=bytes(ARTEFACT_BYTES_MAX))
    assert unseal(agents["new"], DocumentKind.TRANSFER, declare(), largest).artefact
    problem = refused(agents, transfer_of(agents, artefact=bytes(ARTEFACT_BYTES_MAX + 1)))
    assert problem.code is ProblemCode.DOCUMENT_INVALID
    assert "larger than" in problem.detail


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {**FACTS, "amounts": {"seats": 4}},
        {**FACTS, "amounts": {"units": 3, "seats": 3}},
        {**FACTS, "amounts": {"apples": 3}},
        {**FACTS, "amounts": 3},
        {**FACTS, "vendor_update_counter": "x"},
    ],
)
def test_a_signed_document_that_brings_something_else(
    agents: dict[str, Identity], facts: dict[str, Any]
) -> None:
    """Trusted is not the same as right."""
    envelope = transfer_of(agents, facts=facts)
    with pytest.raises(Problem) as caught:
        sent_in(unseal(agents["new"], DocumentKind.TRANSFER, declare(), envelope), declare())
    assert caught.value.code is ProblemCode.DOCUMENT_INVALID


@pytest.mark.parametrize("decision", [None, "perhaps", 5])
def test_a_receipt_that_decides_nothing(agents: dict[str, Identity], decision: Any) -> None:
    """Neither installed nor refused must not be taken for either."""
    envelope = seal(
        agents["new"],
        DocumentKind.RECEIPT,
        declare(),
        b"",
        None,
        {"decision": decision},
        Past(1, "ab" * 32),
        None,
    )
    with pytest.raises(Problem) as caught:
        unseal(agents["old"], DocumentKind.RECEIPT, declare(), envelope)
    assert caught.value.code is ProblemCode.DOCUMENT_INVALID


def test_an_answer_to_another_document(agents: dict[str, Identity]) -> None:
    """Replayed: it answers an older request, or none."""
    requested, older = (transfer_of(agents, past=Past(n, "ab" * 32)) for n in (1, 2))
    answer = transfer_of(agents, answers=requested)
    document = unseal(agents["new"], DocumentKind.TRANSFER, declare(), answer)
    check_answers(document, declare(), requested)
    for other in (older, None):
        with pytest.raises(Problem) as caught:
            check_answers(document, declare(), other)
        assert caught.value.code is ProblemCode.DOCUMENT_REPLAYED


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(place=st.integers(0, 10**6), flip=st.integers(1, 255), part=st.sampled_from("pts"))
def test_every_flipped_byte_is_seen(
    agents: dict[str, Identity], place: int, flip: int, part: str
) -> None:
    """In the payload, the type or the signature; or it still says the very same."""
    envelope = transfer_of(agents)
    changed = copy.deepcopy(envelope)
    if part == "s":
        raw = bytearray(base64.b64decode(changed["signatures"][0]["sig"]))
        raw[place % len(raw)] ^= flip
        changed["signatures"][0]["sig"] = base64.b64encode(raw).decode()
    elif part == "t":
        text = bytearray(changed["payloadType"].encode())
        text[place % len(text)] ^= flip
        changed["payloadType"] = text.decode("latin-1")
    else:
        raw = bytearray(base64.b64decode(changed["payload"]))
        raw[place % len(raw)] ^= flip
        changed["payload"] = base64.b64encode(raw).decode()
    assert refused(agents, changed).code in KNOWN


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(place=st.integers(0, 10**6), character=st.characters(codec="ascii"))
def test_every_changed_character_is_seen(
    agents: dict[str, Identity], place: int, character: str
) -> None:
    """In the envelope's text: refused, or it decodes to the very same payload."""
    envelope = transfer_of(agents)
    text = envelope["payload"]
    where = place % len(text)
    changed = {**envelope, "payload": text[:where] + character + text[where + 1 :]}
    try:
        document = unseal(agents["new"], DocumentKind.TRANSFER, declare(), changed)
    except Problem as problem:
        outcome: Any = problem.code in KNOWN
    else:
        outcome = document.payload == json.loads(base64.b64decode(text))
    assert outcome


def test_keys_that_cannot_be_used(tmp_path: Path) -> None:
    """Said as such: garbage, a key of another sort, a folder."""
    trust = tmp_path / "trust"
    trust.mkdir()
    host = Identity("host", tmp_path / "agent.key", trust)
    (trust / "old.pem").write_text("garbage")
    with pytest.raises(IdentityError, match="is not a public key in PEM"):
        host.trusted("old")
    (trust / "dir.pem").mkdir()
    with pytest.raises(IdentityError, match="cannot be read"):
        host.trusted("dir")
    assert host.trusted("nobody") is None
    assert host.trusted("../old") is None
    (tmp_path / "agent.key").write_text("garbage")
    with pytest.raises(IdentityError, match="cannot be used"):
        _ = host.signer


def test_a_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    """Two processes that start at once agree on it."""
    first, second = (Identity("host", tmp_path / "agent.key", tmp_path) for _ in range(2))
    assert first.key_id == second.key_id
    assert (tmp_path / "agent.key").stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["agent.key"]
