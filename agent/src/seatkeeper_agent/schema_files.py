# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON Schema files that lie in a package, and holding documents against them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from seatkeeper_agent.schema_messages import fault

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError


class SchemaFiles:
    """The files ``NAME.json`` of one package; their references name each other."""

    def __init__(self, package: str) -> None:
        self._package = package

    def names(self) -> list[str]:
        """All schemas by the names of their files."""
        return sorted(
            entry.name.removesuffix(".json")
            for entry in resources.files(self._package).iterdir()
            if entry.name.endswith(".json")
        )

    def schema(self, name: str) -> dict[str, Any]:
        """One schema."""
        text = resources.files(self._package).joinpath(f"{name}.json").read_text("utf-8")
        return dict(json.loads(text))

    def validator(self, name: str) -> Draft202012Validator:
        """What holds documents against one schema, made once."""
        return _validator(self._package, name)

    def fault(self, name: str, document: Any) -> tuple[str, str] | None:
        """The first and most telling fault: its place, and a clause that follows the place."""
        from jsonschema.exceptions import best_match

        error = best_match(self.validator(name).iter_errors(document))
        if error is None:
            return None
        return "/".join(str(part) for part in error.absolute_path), fault(error)


@cache
def _validator(package: str, name: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    files = SchemaFiles(package)
    registry: Registry[Any] = Registry().with_resources(
        (f"{each}.json", DRAFT202012.create_resource(_undated(files.schema(each))))
        for each in files.names()
    )
    extended: Callable[..., Any] = extend
    strict: Callable[..., Draft202012Validator] = extended(
        Draft202012Validator, {"pattern": _pattern}
    )
    return strict(
        {"$ref": f"{name}.json"},
        registry=registry,
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def _undated(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that names its dialect would be held by that one's own rules of patterns."""
    return {word: value for word, value in schema.items() if word != "$schema"}


def _pattern(
    _validator: object, pattern: str, value: object, _schema: object
) -> Iterator[ValidationError]:
    """The rule of patterns; for Python a ``$`` is also before a new line at the end."""
    from jsonschema.exceptions import ValidationError

    if isinstance(value, str):
        found = re.search(pattern, value)
        if found is None or (pattern.endswith("$") and found.end() < len(value)):
            yield ValidationError("another form")
