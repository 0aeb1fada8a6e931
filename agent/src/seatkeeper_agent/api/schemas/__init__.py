# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract: one JSON Schema file per document, used for requests, OpenAPI and inventory."""

from __future__ import annotations

from typing import Any

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.schema_files import SchemaFiles

FILES = SchemaFiles(__name__)
names = FILES.names
schema = FILES.schema


def check(name: str, document: Any) -> None:
    """Hold a request against its schema; Problem with the first and most telling fault."""
    found = FILES.fault(name, document)
    if found is None:
        return
    place, clause = found
    raise Problem(
        ProblemCode.REQUEST_INVALID,
        f"The request cannot be used: {place or 'it'} {clause}.",
        f"Correct {place or 'the request'}.",
    )
