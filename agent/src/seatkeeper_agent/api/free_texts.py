# SPDX-License-Identifier: GPL-3.0-or-later
"""Every text that a person writes freely into a request passes here, before anything keeps it.

A text is free unless its schema gives it a format of its own: a pattern of what it looks like, a
list of values, an encoding, that it is a secret, or the word ``identifier`` for keys, ids and names
of products whose format no vendor documents. ``free-text`` says that it is free nevertheless.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from seatkeeper_agent.api import schemas
from seatkeeper_agent.domain.card_data import ADVICE, has_card_number
from seatkeeper_agent.domain.problems import Problem, ProblemCode

_ANY_LINE = "[^\\u0000-"
"""How patterns begin that let every text of one line pass."""

_MEMBERS = "properties"

OWN_SCHEMA = "own-schema"
"""The format of what is held against a schema of its own, and passes here once more with that."""

Schema = dict[str, Any]


def refuse_card_data(name: str, document: Any) -> None:
    """Problem for a request with a card's number in a free text; the number is not repeated.

    It comes before the request is checked against its schema, whose messages quote what was sent.
    """
    for place, text in _free_texts(_schema(name), document, ()):
        if has_card_number(text):
            where = "/".join(place) or "its top"
            raise Problem(
                ProblemCode.REQUEST_INVALID,
                f"The text at {where} may hold the number of a payment card, which is never taken.",
                ADVICE,
                {"card_data": True},
            )


def is_free(schema: Schema) -> bool:
    """Whether a schema of a text takes what a person writes freely."""
    if "format" in schema:
        return bool(schema["format"] == "free-text")
    typed = any(word in schema for word in ("enum", "const", "contentEncoding", "writeOnly"))
    return not typed and _ANY_LINE in schema.get("pattern", _ANY_LINE)


def _free_texts(
    schema: Schema, value: Any, place: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    if any(each.get("format") == OWN_SCHEMA for each in _alternatives(schema)):
        return
    if isinstance(value, dict):
        yield from _of_object(schema, value, place)
    elif isinstance(value, list):
        inner = [s["items"] for s in _alternatives(schema) if isinstance(s.get("items"), dict)]
        for number, entry in enumerate(value):
            yield from _free_texts(_either(inner), entry, (*place, str(number)))
    elif isinstance(value, str):
        texts = [s for s in _alternatives(schema) if s.get("type") == "string" or "enum" in s]
        if not texts or any(map(is_free, texts)):
            yield place, value
    elif isinstance(value, int) and not isinstance(value, bool):
        # No number of a request is that long, and a message would quote it.
        yield place, str(value)


def _of_object(
    schema: Schema, value: dict[str, Any], place: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, entry in value.items():
        known = [e[_MEMBERS][key] for e in _alternatives(schema) if key in e.get(_MEMBERS, ())]
        if not known:
            # The place of a bad name is its object: the name itself is not repeated.
            yield place, key
        more = [e.get("additionalProperties") for e in _alternatives(schema)]
        inner = known or [each for each in more if isinstance(each, dict)]
        yield from _free_texts(_either(inner), entry, (*place, key))


@cache
def _schema(name: str) -> Schema:
    return schemas.schema(name)


def _either(found: list[Schema]) -> Schema:
    return {"anyOf": found} if found else {}


def _alternatives(schema: Schema) -> Iterator[Schema]:
    """The schema itself, what it refers to, and what it lets choose."""
    if "$ref" in schema:
        yield from _alternatives(_schema(schema["$ref"].removesuffix(".json")))
    yield schema
    for word in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(word, ()):
            yield from _alternatives(each)
