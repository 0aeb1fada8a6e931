# SPDX-License-Identifier: GPL-3.0-or-later
"""A document of every schema with all its members, and the places of its numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from seatkeeper_agent.schema_files import SchemaFiles

MARK = 4_242_424_242
"""Stands where a number is replaced by its text; no other number has these digits."""

ODD_NUMBERS = (
    "Infinity", "-Infinity", "NaN", "1e400", "-1e400", "1e30", str(10**30), str(2**63),
    str(-(10**30)), "-1", "-0.5", "0.5", "9" * 5000, '"1"', "true",
)  # fmt: skip

_TEXTS = (
    "a", "sample", "6000010:201", "130-1000000001", "15.90.10.7", "2027-06-30", "120.50",
    "8.30.6", "0" * 64,
    "2036-12-10T00:00:00Z", "00000000-0000-5000-8000-000000000000",
)  # fmt: skip

Place = tuple[str | int, ...]


class Samples:
    """Documents of the schemas of one package."""

    def __init__(self, files: SchemaFiles) -> None:
        self._files = files

    def of(self, name: str) -> Any:
        """With every member that its schema names, and fitting it."""
        document = self._value(self._files.schema(name))
        assert self._files.fault(name, document) is None, (name, self._files.fault(name, document))
        return document

    def _value(self, schema: dict[str, Any]) -> Any:
        merged = self._merged(schema)
        if "const" in merged or "enum" in merged:
            return merged.get("const", merged.get("enum", [None])[0])
        match merged.get("type"):
            case "object":
                return self._object(merged)
            case "array":
                return [self._value(merged["items"])]
            case "integer":
                return max(merged.get("minimum", 0), 1)
            case "boolean":
                return True
        return self._text(merged)

    def _object(self, schema: dict[str, Any]) -> dict[str, Any]:
        made = {key: self._value(each) for key, each in schema.get("properties", {}).items()}
        more = schema.get("additionalProperties")
        if isinstance(more, dict):
            names = schema.get("propertyNames", {"type": "string"})
            made[self._value({"type": "string", **names})] = self._value(more)
        return made

    def _merged(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Without references, and one of what may be chosen: what is not null."""
        if "$ref" in schema:
            found = self._files.schema(schema["$ref"].removesuffix(".json"))
            return self._merged({**found, **{k: v for k, v in schema.items() if k != "$ref"}})
        merged: dict[str, Any] = {}
        for part in [*schema.get("allOf", []), *schema.get("anyOf", [])[:1]]:
            merged |= self._merged(part)
        own = {key: value for key, value in schema.items() if key not in ("allOf", "anyOf")}
        properties = {**merged.get("properties", {}), **own.get("properties", {})}
        return {**merged, **own, **({"properties": properties} if properties else {})}

    def _text(self, schema: dict[str, Any]) -> str:
        return next(text for text in _TEXTS if Draft202012Validator(schema).is_valid(text))


def numbers_of(document: Any, place: Place = ()) -> Iterator[Place]:
    """Where numbers stand."""
    if isinstance(document, dict | list):
        parts = document.items() if isinstance(document, dict) else enumerate(document)
        for key, part in parts:
            yield from numbers_of(part, (*place, key))
    elif isinstance(document, int) and not isinstance(document, bool):
        yield place


def with_text(document: Any, place: Place, text: str) -> str:
    """The document's JSON with these very letters at the place."""
    copy = json.loads(json.dumps(document))
    parent = copy
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = MARK
    written = json.dumps(copy)
    assert written.count(str(MARK)) == 1
    return written.replace(str(MARK), text)
