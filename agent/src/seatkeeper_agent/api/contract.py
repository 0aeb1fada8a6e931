# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenAPI from the schema files, and reading requests held against them."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request
from fastapi.openapi.utils import get_openapi

from seatkeeper_agent import __version__
from seatkeeper_agent.api import schemas
from seatkeeper_agent.api.free_texts import refuse_card_data
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.strict_json import JsonFault, read_document

PAGE_LIMIT_MAX = 1_000
PAGE_LIMIT_DEFAULT = 100
PARSERS_MAX = 2

Which = Literal["all", "open"]
"""All entries of a list, or those that are not settled."""

# Said in the description only: what is wrong is told in words of our own.
Cursor = Annotated[str, Query(json_schema_extra={"pattern": "^[0-9]{0,18}$"})]
"""Where a page of numbered entries begins."""
ItemName = Annotated[
    str | None, Query(json_schema_extra={"pattern": r"^[0-9]{1,9}:[0-9]{1,9}(@[0-9]{1,4})?$"})
]
"""FIRM_CODE:PRODUCT_CODE, with @REFERENCE where several items have the same codes."""


def described(
    answer: dict[str, Any],
    request: str | None = None,
    follows: bool = False,
    media_type: str = "application/json",
) -> dict[str, Any]:
    """What a route's decorator needs to be complete in OpenAPI.

    ``request`` is the schema of its body; one that ``follows`` may answer with 202.
    """
    failure = {
        "description": "A problem: what, where, what to do.",
        "content": {"application/problem+json": {"schema": component("problem")}},
    }
    extra: dict[str, Any] = {
        "responses": {
            "200": {
                "description": "The answer.",
                "content": {media_type: {"schema": answer}},
            },
            "default": failure,
        }
    }
    if follows:
        extra["responses"]["202"] = {
            "description": "It takes longer than the client prefers to wait: follow the operation.",
            "headers": {"Location": {"schema": {"type": "string"}}},
            "content": {"application/json": {"schema": component("accepted")}},
        }
    if request is not None:
        content = {"application/json": {"schema": component(request)}}
        extra["requestBody"] = {"required": True, "content": content}
    return {"openapi_extra": extra, "response_model": None}


def component(name: str) -> dict[str, Any]:
    """A reference to one of the schema files."""
    return {"$ref": f"#/components/schemas/{name}"}


def page_of(member: str, name: str) -> dict[str, Any]:
    """The schema of a page: entries and the cursor of the next page."""
    return {
        "type": "object",
        "required": [member, "next"],
        "properties": {
            member: {"type": "array", "items": component(name)},
            "next": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
    }


def openapi(app: FastAPI) -> dict[str, Any]:
    """The whole description, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title="seatkeeper-agent",
            version=__version__,
            description="License operations on one host. Listens on a unix socket only.",
            routes=app.routes,
            license_info={"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
            servers=[{"url": "http://localhost", "description": "the agent's unix socket"}],
        )
        parts = document.setdefault("components", {}).setdefault("schemas", {})
        for name in schemas.names():
            parts[name] = _relocated(schemas.schema(name))
        for unused in ("HTTPValidationError", "ValidationError"):
            parts.pop(unused, None)
        app.openapi_schema = _without_validation(document)
    return app.openapi_schema


async def body_of(request: Request, name: str) -> dict[str, Any]:
    """The request's body, held against its schema. Problem for anything else."""
    raw = await request.body()
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(request.app.state.parsers, _parsed, raw, name)


def _parsed(raw: bytes, name: str) -> dict[str, Any]:
    """Runs beside the event loop, but in its interpreter: no step may hold that for long."""
    try:
        document = read_document(raw or b"{}")
    except JsonFault as error:
        raise _unreadable(f"The request's body {error}.") from error
    refuse_card_data(name, document)
    schemas.check(name, document)
    return dict(document)


def _unreadable(detail: str) -> Problem:
    return Problem(ProblemCode.REQUEST_INVALID, detail, "Send JSON as the API's description says.")


async def known_parameters(request: Request) -> None:
    """Refuse a query parameter that the route lacks: a misspelt dry_run must not be a real run."""
    known = {field.alias for field in request.scope["route"].dependant.query_params}
    given = [name for name, _value in request.query_params.multi_items()]
    for name in given:
        if name not in known:
            detail = f"There is no query parameter {name[:40]!r} here."
        elif given.count(name) > 1:
            detail = f"The query parameter {name!r} is given more than once."
        else:
            continue
        some = ", ".join(sorted(known)) or "none"
        raise Problem(
            ProblemCode.REQUEST_INVALID, detail, f"Correct the request; there may be here: {some}."
        )


def limit_of(limit: int) -> int:
    """A page's size within its bounds."""
    return max(1, min(limit, PAGE_LIMIT_MAX))


def cursor_number(after: str) -> int:
    """A cursor that is a number; Problem otherwise."""
    if after == "":
        return 0
    if after.isascii() and after.isdecimal() and len(after) <= 18:
        return int(after)
    raise Problem(
        ProblemCode.REQUEST_INVALID,
        f"The cursor {after[:40]!r} was not given out by this agent.",
        "Begin with the first page.",
    )


def _relocated(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: f"#/components/schemas/{value.removesuffix('.json')}"
            if key == "$ref"
            else _relocated(value)
            for key, value in schema.items()
            if key != "$schema"
        }
    if isinstance(schema, list):
        return [_relocated(entry) for entry in schema]
    return schema


def _without_validation(document: dict[str, Any]) -> dict[str, Any]:
    # Bad parameters are answered as problems, like everything else.
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
    return document
