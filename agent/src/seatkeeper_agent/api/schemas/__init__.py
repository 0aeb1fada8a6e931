# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract: one JSON Schema file per document, used for requests, OpenAPI and inventory."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from seatkeeper_agent.api.words import fault
from seatkeeper_agent.domain.problems import Problem, ProblemCode

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator


def names() -> list[str]:
    """All schemas by the names of their files."""
    folder = resources.files(__package__)
    return sorted(
        entry.name.removesuffix(".json")
        for entry in folder.iterdir()
        if entry.name.endswith(".json")
    )


def schema(name: str) -> dict[str, Any]:
    """One schema; its references name other files of this folder."""
    text = resources.files(__package__).joinpath(f"{name}.json").read_text("utf-8")
    return dict(json.loads(text))


def check(name: str, document: Any) -> None:
    """Hold a request against its schema; Problem with the first and most telling fault."""
    from jsonschema.exceptions import best_match

    error = best_match(_validator(name).iter_errors(document))
    if error is None:
        return
    place = "/".join(str(part) for part in error.absolute_path)
    raise Problem(
        ProblemCode.REQUEST_INVALID,
        f"The request cannot be used: {place or 'it'} {fault(error)}.",
        f"Correct {place or 'the request'}.",
    )


@cache
def _validator(name: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    registry: Registry[Any] = Registry().with_resources(
        (f"{each}.json", DRAFT202012.create_resource(schema(each))) for each in names()
    )
    return Draft202012Validator(
        {"$ref": f"{name}.json"},
        registry=registry,
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
