# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds every answer of an agent against the OpenAPI description that it gives of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

PROBLEM_MEDIA_TYPE = "application/problem+json"
PROBLEM_MEMBERS = {"type", "code", "title", "status", "detail", "next_action", "retryable"}
_BASE = "urn:description"


@dataclass
class Contract:
    """A description, which of its operations have been asked, and with what success."""

    document: dict[str, Any]
    requested: set[tuple[str, str]] = field(default_factory=set)
    answered: set[tuple[str, str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        resource = DRAFT202012.create_resource(self.document)
        registry: Registry[Any] = Registry()
        self._registry = registry.with_resource(_BASE, resource)
        self._paths: list[tuple[str, re.Pattern[str]]] = [
            (path, re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)))
            for path in sorted(self.document["paths"], key=lambda path: path.count("{"))
        ]

    def operations(self) -> set[tuple[str, str]]:
        """All (method, path) pairs that are described."""
        return {
            (method.upper(), path)
            for path, operations in self.document["paths"].items()
            for method in operations
        }

    def successes(self) -> set[tuple[str, str, int]]:
        """All (method, path, status) that are described as answers to what was asked well."""
        return {
            (method, path, int(status))
            for method, path in self.operations()
            for status in self.document["paths"][path][method.lower()]["responses"]
            if status != "default" and int(status) < 400
        }

    def check(self, answer: httpx.Response) -> None:
        """AssertionError when the answer is not as described."""
        if answer.is_error:
            check_problem(answer)
            return
        method, path = answer.request.method, self._path_of(answer.request.url.path)
        self.requested.add((method, path))
        self.answered.add((method, path, answer.status_code))
        reported = self.document["paths"][path][method.lower()]["responses"]
        assert str(answer.status_code) in reported, f"{method} {path} gave {answer.status_code}"
        content = reported[str(answer.status_code)].get("content", {})
        if "application/json" not in content:
            return
        assert answer.headers["content-type"] == "application/json"
        response = f"paths/{_pointer(path)}/{method.lower()}/responses/{answer.status_code}"
        self._fits(f"{response}/content/application~1json/schema", answer.json())

    def schema_fits(self, name: str, document: Any) -> None:
        """Hold a document against one of the named schemas."""
        self._fits(f"components/schemas/{name}", document)

    def _fits(self, place: str, document: Any) -> None:
        pointer = f"{_BASE}#/{place}"
        validator = Draft202012Validator({"$ref": pointer}, registry=self._registry)
        faults = [
            f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)
        ]
        assert not faults, (place, faults)

    def _path_of(self, requested: str) -> str:
        return next(path for path, pattern in self._paths if pattern.fullmatch(requested))


def check_problem(answer: httpx.Response) -> None:
    """AssertionError unless it is a complete problem of RFC 9457 in whole sentences."""
    assert answer.headers["content-type"] == PROBLEM_MEDIA_TYPE
    if answer.request.method == "HEAD":
        return
    problem = answer.json()
    assert problem.keys() >= PROBLEM_MEMBERS, problem
    assert problem["status"] == answer.status_code
    assert problem["type"] == f"urn:seatkeeper:problem:{problem['code']}"
    assert isinstance(problem["retryable"], bool)
    assert problem["retryable"] == ("retry-after" in answer.headers)
    for member in ("detail", "next_action"):
        assert problem[member][-1] in ".?", problem
        assert "Traceback" not in problem[member], problem
        assert "\n" not in problem[member], problem


def _pointer(path: str) -> str:
    return path.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
