# SPDX-License-Identifier: GPL-3.0-or-later
"""No door for card data: every text of every request is typed or looked at."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from domain.test_card_data import check_digit

from seatkeeper_agent.api import schemas
from seatkeeper_agent.api.app import create_app
from seatkeeper_agent.api.free_texts import is_free, refuse_card_data
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.operations.orders.requests import order_id
from seatkeeper_twins.lab.lab import Lab

from .asking import Asker, asking
from .contract import Contract
from .order_routes import ORDER_HOST, ORDER_SEED, ROUTE, ordered, path_of, place

CARD = "4111 1111-1111 1111"
SERIALS = 10_000

TYPED = {
    "activation-answer": {"answer", "request_digest"},
    "activation-order": {"password"},
    "attestation": {"outcome"},
    "backup-order": {"licenses[].number"},
    "borrow": {
        "item", "type", "source.agent", "source.container", "target.agent", "target.container",
        "until",
    },
    "migration-order": {
        "dongle", "licenses[].product", "licenses[].version", "plan_digest",
    },
    "order-request": {
        "source.system_key", "source.assurance_until", "source.stations_as_of",
        "target.system_key", "target.assurance_until", "target.stations_as_of",
        "keys[].key", "keys[].product", "on", "plan_digest",
        "prices.move_fee", "prices.assurance_per_year{}", "prices.days_per_year",
        "new_keys[].key", "new_keys[].product",
        "others[].source.system_key", "others[].source.assurance_until",
        "others[].source.stations_as_of", "others[].target.system_key",
        "others[].target.assurance_until", "others[].target.stations_as_of",
        "others[].keys[].key", "others[].keys[].product", "others[].ended_on",
    },
    "leg": {
        "plan_digest", "decision", "document.payload", "document.payloadType",
        "document.signatures[].keyid", "document.signatures[].sig", "evidence.payload",
        "evidence.payloadType", "evidence.signatures[].keyid", "evidence.signatures[].sig",
        "transfer.item",
        "transfer.mode", "transfer.parent", "transfer.source.agent", "transfer.source.container",
        "transfer.target.agent", "transfer.target.container", "transfer.type", "transfer.until",
    },
    "move-leg": {
        "backup.license_files[].sha256", "backup.licenses[].number", "backup.licenses[].state",
        "backup.settings{}", "codes[].code", "codes[].license", "plan_digest", "decision",
        "document.payload", "document.payloadType", "document.signatures[].keyid",
        "document.signatures[].sig", "evidence.payload", "evidence.payloadType",
        "evidence.signatures[].keyid", "evidence.signatures[].sig", "licenses[].number",
        "move.source", "move.target",
        "require.installer_sha256",
    },
    "profile-order": {"license", "state"},
    "state": {
        "declarations[].kind", "declarations[].id", "declarations[].vendor",
        "documents[].declaration", "documents[].kind", "documents[].envelope.payload",
        "documents[].envelope.payloadType", "documents[].envelope.signatures[].keyid",
        "documents[].envelope.signatures[].sig", "evidence[].agent", "evidence[].envelope.payload",
        "evidence[].envelope.payloadType", "evidence[].envelope.signatures[].keyid",
        "evidence[].envelope.signatures[].sig", "records[]",
    },
    "server-borrow": {"product", "until"},
    "settings": {"settings{}{}", "dongle_service", "version_min"},
}  # fmt: skip
"""The texts that are not looked at, request by request."""


def texts_of(schema: dict[str, Any], place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every text that a schema describes, by its place."""
    if "$ref" in schema:
        yield from texts_of(schemas.schema(schema["$ref"].removesuffix(".json")), place)
    for word in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(word, ()):
            yield from texts_of(each, place)
    if schema.get("type") == "string" or "enum" in schema:
        yield place, schema
    for name, inner in schema.get("properties", {}).items():
        yield from texts_of(inner, f"{place}.{name}" if place else name)
    for word, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(word), dict):
            yield from texts_of(schema[word], f"{place}{mark}")


def requests() -> list[str]:
    """The schemas of all bodies that the API takes."""
    paths = create_app(None).openapi()["paths"]
    found = {
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for path in paths.values()
        for operation in path.values()
        if "requestBody" in operation
    }
    return sorted(found)


def test_the_table_of_typed_texts_is_whole() -> None:
    """What is not in it is free, so a new text of a request is looked at or named here."""
    assert set(requests()) == set(TYPED)
    for name, typed in TYPED.items():
        found = {place for place, schema in texts_of(schemas.schema(name)) if not is_free(schema)}
        assert found == typed, name


def document_with(place: str, value: Any) -> Any:
    """A document that has the value at the place."""
    head, _, rest = place.partition(".")
    inner = document_with(rest, value) if rest else value
    while head.endswith(("[]", "{}")):
        inner = [inner] if head.endswith("[]") else {"any": inner}
        head = head[:-2]
    return {head: inner}


def test_every_free_text_of_every_request_is_a_closed_door() -> None:
    """Also as a number, as a name, where nothing should be, and without the text repeated."""
    looked_at = 0
    for name in requests():
        for where, schema in texts_of(schemas.schema(name)):
            if not is_free(schema):
                refuse_card_data(name, document_with(where, CARD))
                continue
            looked_at += 1
            for value in (CARD, f"see {CARD}.", 4111111111111111):
                with pytest.raises(Problem) as caught:
                    refuse_card_data(name, document_with(where, value))
                assert caught.value.code is ProblemCode.REQUEST_INVALID
                assert "1111" not in json.dumps(caught.value.as_document())
        for odd in ({CARD: 1}, {"unknown": [{"deep": CARD}]}, [CARD], CARD):
            with pytest.raises(Problem) as caught:
                refuse_card_data(name, odd)
            assert "1111" not in json.dumps(caught.value.as_document())
    assert looked_at > 20


def right(number: int, pattern: str) -> str:
    """A number of the pattern's form whose check digit is right, as cards have it."""
    noise = iter(str(int(hashlib.sha256(str(number).encode()).hexdigest(), 16)))
    digits = "".join(next(noise) if c == "#" else c for c in pattern[:-1])
    return digits + check_digit("".join(c for c in digits if c.isdigit()))


def test_ten_thousand_serials_of_each_vendor_pass() -> None:
    """Each has a right check digit, and most are as long as a card's number."""
    for number in range(SERIALS):
        container = right(number, f"{('130', '140', '3')[number % 3]}-##########")
        refuse_card_data("borrow", {"source": {"agent": "a", "container": container}})
        said = {"statement": f"Since 30 November {container} is there."}
        refuse_card_data("attestation", said)
        key = right(number, "4###-####-####-####")
        order = {"source": {"system_key": key}, "keys": [{"key": key, "product": "P-1"}]}
        refuse_card_data("order-request", order)
        dongle = right(number, "3-###############")
        refuse_card_data("migration-order", {"dongle": dongle})
        license_number = f"{number}.4111111.1111111.{number % 89}"
        refuse_card_data("profile-order", {"license": license_number})


@pytest.fixture
def order_lab() -> Iterator[Lab]:
    """A host that orders are placed from."""
    with Lab.create({ORDER_HOST: ORDER_SEED}) as running:
        yield running


@pytest.fixture
def office(order_lab: Lab, contract: Contract) -> Iterator[Asker]:
    """Its agent."""
    with asking(order_lab[ORDER_HOST], contract) as asker:
        yield asker


def kept(folder: Path) -> bytes:
    """Everything that the host has on its disk, journal and logs and mails included."""
    return b"".join(
        path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
    )


def test_no_card_data_comes_to_the_disk_a_log_a_mail_or_the_audit(
    order_lab: Lab, office: Asker
) -> None:
    """Through every text of an order, and as what a person says about a step."""
    place(office, "front-desk")
    waiting = office.get("/v1/waiting")["waiting"][0]["operation"]
    before = len(office.get("/v1/audit", limit=1000)["entries"])
    owner = {**ordered("x")["source"], "owner": CARD}
    rule = {"id": "a", "kind": "registered", "required": CARD, "advice": "b"}
    for values in (
        {"fields": {"cost_centre": CARD}},
        {"case_number": CARD},
        {"name": CARD},
        {"source": owner},
        {"rules": [rule]},
        {"prices": {"currency": CARD}},
        {CARD: 1},
        {"case_number": 4111111111111111},
    ):
        body = {**ordered("front-desk"), **values}
        for query in ("", "?dry_run=true"):
            path = f"{ROUTE}/{order_id(str(body['name']))}{query}"
            refused = office.problem("PUT", path, json=body)
            assert (refused["code"], refused["card_data"]) == ("request-invalid", True)
            assert "1111" not in json.dumps(refused)
    for said in (
        {"statement": f"Paid by {CARD}.", "outcome": "done"},
        {"statement": "Seen on the screen.", "outcome": "done", "step": CARD},
    ):
        refused = office.problem("POST", f"/v1/operations/{waiting}/attest", json=said)
        assert (refused["code"], refused["card_data"]) == ("request-invalid", True)
        assert "1111" not in json.dumps(refused)
    assert len(office.get("/v1/audit", limit=1000)["entries"]) == before
    assert office.get(path_of("front-desk"))["case_number"] is None
    everything = kept(order_lab.folder)
    for form in (CARD, "4111111111111111", "4111 1111"):
        assert form.encode() not in everything
