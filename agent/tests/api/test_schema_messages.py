# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be used is told in the operator's words, and what was sent is not repeated."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from seatkeeper_agent.api import schemas
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.schema_messages import _MESSAGES, FORMS

from .asking import Asker
from .order_routes import ordered
from .test_free_texts import requests

SCHEMA_WORDS = re.compile(r"pattern|schema|property|propert|regex|\^|validator|rule '|match")
_SAYS_NOTHING = {"description", "title", "examples", "format", "contentEncoding", "writeOnly"}


def patterns_and_words(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every assertion of a schema, and of what it refers to."""
    if "$ref" in schema:
        yield from patterns_and_words(schemas.schema(schema["$ref"].removesuffix(".json")))
    for word, value in schema.items():
        if word in ("anyOf", "oneOf", "allOf"):
            for each in value:
                yield from patterns_and_words(each)
        elif word == "properties":
            for each in value.values():
                yield from patterns_and_words(each)
        elif word in ("items", "additionalProperties", "propertyNames") and isinstance(value, dict):
            yield from patterns_and_words(value)
        elif word not in _SAYS_NOTHING and not word.startswith("$"):
            yield word, value


def test_every_form_and_every_bound_of_a_request_has_words() -> None:
    for name in requests():
        for word, value in patterns_and_words(schemas.schema(name)):
            assert word in _MESSAGES, (name, word)
            assert word != "pattern" or value in FORMS, (name, value)


@pytest.mark.parametrize(
    ("values", "reported"),
    [
        ({"on": "tomorrow"}, "on must be a day such as 2027-06-30"),
        ({"keys": []}, "keys must have at least 1 entry"),
        ({"keys": [{"key": "K"}]}, "keys/0 needs product"),
        ({"fields": {"a": 1}}, "fields/a must be a text"),
        ({"card_type": "x"}, "it has an unknown member; there may be case_number, fields, keys"),
        ({"plan_digest": "abc"}, "plan_digest must be 64 hexadecimal digits"),
        ({"case_number": "x" * 61}, "case_number must have at most 60 characters"),
        ({"new_keys": [{"key": "k", "product": "p", "quantity": 0}]}, "must be 1 or more"),
    ],
)
def test_a_fault_is_one_sentence_in_plain_words(values: dict[str, Any], reported: str) -> None:
    with pytest.raises(Problem) as caught:
        schemas.check("order-request", {**ordered("it"), **values})
    assert reported in caught.value.detail
    assert not SCHEMA_WORDS.search(caught.value.detail)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("borrow", ("name",)),
        ("borrow", ("source", "agent")),
        ("borrow", ("until",)),
        ("server-borrow", ("product",)),
        ("settings", ("settings", "General", "IsNetworkServer")),
        ("activation-order", ("password",)),
        ("declaration", ("target", "container")),
        ("profile-order", ("license",)),
    ],
)
def test_a_new_line_at_the_end_is_no_part_of_a_line(name: str, place: tuple[str, ...]) -> None:
    """Also within a schema that another one names: it would reach a file of settings."""
    document = schemas.schema(name)["examples"][0]
    schemas.check(name, document)
    *above, last = place
    inner = document
    for step in above:
        inner = inner[step]
    inner[last] += "\n"
    with pytest.raises(Problem, match=f"{'/'.join(place)} must be "):
        schemas.check(name, document)


def test_nothing_that_was_sent_is_repeated() -> None:
    sent = "s3cret-" * 20
    bodies: dict[str, list[Any]] = {
        "activation-order": [{"account": "a", "password": {sent: sent}}, {sent: 1}, sent],
        "attestation": [{"statement": "x", "outcome": sent}, {"statement": [sent]}],
        "order-request": [{**ordered("it"), "on": sent}, {**ordered("it"), sent: sent}],
    }
    for name, documents in bodies.items():
        for document in documents:
            with pytest.raises(Problem) as caught:
                schemas.check(name, document)
            assert "s3cret" not in json.dumps(caught.value.as_document())


def test_a_profile_may_be_called_as_people_call_it(old: Asker) -> None:
    """Umlauts and spaces pass the address; there is no such server here."""
    body = {"license": "15.90.10.7"}
    path = "/v1/servers/aimms/profiles/"
    assert old.problem("PUT", f"{path}Größe Süd", json=body)["code"] == "vendor-unknown"
    assert old.problem("PUT", f"{path}-Größe", json=body)["code"] == "request-invalid"
