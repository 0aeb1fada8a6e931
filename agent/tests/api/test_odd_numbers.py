# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that are none, that nothing can hold, or that go below zero: refused where they enter."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from securesystemslib.dsse import Envelope as DsseEnvelope
from starlette.requests import Request

from seatkeeper_agent.api import schemas
from seatkeeper_agent.api.app import create_app
from seatkeeper_agent.api.contract import body_of
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import DocumentKind, MoveDocument
from seatkeeper_agent.domain.strict_json import NUMBER_MAX
from seatkeeper_agent.domain.transfers import transfer_id
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.operations import payloads
from seatkeeper_agent.operations.documents import PAYLOAD_TYPE, payload_of
from seatkeeper_agent.schema_files import SchemaFiles
from seatkeeper_twins.lab.lab import Lab

from .asking import Asker, agent_of, carry, declared, described
from .samples import ODD_NUMBERS, Place, Samples, numbers_of, with_text
from .test_free_texts import requests

REQUESTS = schemas.FILES
KINDS: tuple[DocumentKind | MoveDocument, ...] = (*DocumentKind, *MoveDocument)


def numbers_in(schema: Any, files: SchemaFiles) -> Iterator[dict[str, Any]]:
    """Every schema of a number, also in what is referred to."""
    if isinstance(schema, list):
        for entry in schema:
            yield from numbers_in(entry, files)
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get("$ref"), str):
        yield from numbers_in(files.schema(schema["$ref"].removesuffix(".json")), files)
    if schema.get("type") in ("integer", "number"):
        yield schema
    for word, value in schema.items():
        if word != "examples":
            yield from numbers_in(value, files)


def test_every_number_that_is_taken_has_bounds() -> None:
    """So that a new one cannot be forgotten: the journal's numbers have 64 bits."""
    named = [(REQUESTS, name) for name in requests()]
    named += [(payloads.FILES, name) for name in payloads.FILES.names()]
    found = [(name, n) for files, name in named for n in numbers_in(files.schema(name), files)]
    assert len(found) > 30
    for name, number in found:
        assert 0 <= number["minimum"] <= number["maximum"] <= NUMBER_MAX, (name, number)


def odd_bodies(document: Any) -> Iterator[tuple[Place, str, bytes]]:
    """The document with each of its numbers as each of the odd ones."""
    for place in numbers_of(document):
        for odd in ODD_NUMBERS:
            yield place, odd, with_text(document, place, odd).encode()


PARSING = create_app(None)
"""What reads bodies; no agent is asked."""


def body_problem(name: str, content: bytes) -> Problem:
    """The problem of a request with this body."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    scope = {"type": "http", "method": "PUT", "headers": [], "app": PARSING}
    request = Request(scope, receive)
    with pytest.raises(Problem) as caught:
        asyncio.run(body_of(request, name))
    return caught.value


def test_every_request_refuses_them_at_every_number() -> None:
    samples, refused = Samples(REQUESTS), 0
    for name in requests():
        for _place, _odd, content in odd_bodies(samples.of(name)):
            assert body_problem(name, content).code is ProblemCode.REQUEST_INVALID
            refused += 1
    assert refused > 200


def test_over_the_socket_they_are_400(old: Asker, new: Asker) -> None:
    samples = Samples(REQUESTS)
    name = transfer_id("sample")
    for path, schema in ((f"/v1/transfers/{name}/issue", "leg"), (f"/v1/borrows/{name}", "borrow")):
        method = "POST" if schema == "leg" else "PUT"
        for _place, _odd, content in odd_bodies(samples.of(schema)):
            for asker in (old, new):
                problem = asker.problem(method, path, content=content)
                assert (problem["status"], problem["code"]) == (400, "request-invalid")


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_payload_refuses_them_at_every_number(kind: DocumentKind | MoveDocument) -> None:
    payload = Samples(payloads.FILES).of(kind.value)
    packed = {"payloadType": PAYLOAD_TYPE.format(kind=kind.value)}
    whole = base64.b64encode(json.dumps(payload).encode()).decode()
    assert payload_of(kind, {**packed, "payload": whole}) == payload
    for place, odd, content in odd_bodies(payload):
        with pytest.raises(Problem) as caught:
            payload_of(kind, {**packed, "payload": base64.b64encode(content).decode()})
        assert caught.value.code is ProblemCode.DOCUMENT_INVALID, (place, odd)
        assert caught.value.detail.endswith("."), caught.value.detail


def signed(lab: Lab, agent: str, kind: str, content: bytes) -> dict[str, Any]:
    """What an agent that is trusted signs when its software is another one."""
    folder = lab[agent].state_folder
    identity = Identity(agent, folder / "agent.key", folder / "trust")
    envelope = DsseEnvelope(content, PAYLOAD_TYPE.format(kind=kind), {})
    envelope.sign(identity.signer)
    return dict(envelope.to_dict())


@pytest.mark.parametrize("dry_run", ["true", "false"])
@pytest.mark.parametrize(
    ("leg", "kind"),
    [
        ("issue", "request"),
        ("install", "transfer"),
        ("confirm", "receipt"),
        ("acknowledge", "acknowledgement"),
    ],
)
def test_signed_by_a_trusted_agent_they_are_400_and_nothing_is_done(
    lab: Lab, askers: dict[str, Asker], leg: str, kind: str, dry_run: str
) -> None:
    declaration = declared(f"odd-{leg}-{dry_run}")
    before = {"issue": "request", "install": "issue", "confirm": "install"}.get(leg, "confirm")
    document = carry(askers, declaration, until=before)[-1]["document"]
    payload = json.loads(base64.b64decode(document["payload"]))
    payload["peer"] = payload["peer"] or dict(payload["audit"])
    held, asker = described(lab), askers[agent_of(declaration, leg)]
    path = f"/v1/transfers/{transfer_id(declaration['name'])}/{leg}?dry_run={dry_run}"
    for place, odd, content in odd_bodies(payload):
        sent = signed(lab, payload["sender"], kind, content)
        body = {"transfer": declaration, "document": sent}
        problem = asker.problem("POST", path, json=body)
        assert (problem["status"], problem["code"]) == (400, "document-invalid"), (place, odd)
    assert described(lab) == held
    last = asker.ask("POST", path, json={"transfer": declaration, "document": document})
    assert last.json()["changed"] is True
