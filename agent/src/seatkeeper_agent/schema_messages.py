# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a request, in the words of whoever wrote it, not in those of a schema.

Nothing that was sent is quoted: it may be a secret.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "empty",
}

# The schemas write it in a form that all dialects of patterns read alike.
PROFILE_NAME = (
    "^[^\\u0000-/:-@\\[-^`{-\\u00a0]([^\\u0000-\\u001f!-,/:-@\\[-^`{-\\u00a0]{0,62}"
    "[^\\u0000-/:-@\\[-^`{-\\u00a0])?$"
)

TIME = (
    r"^(19[7-9]\d|[2-9]\d{3})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
    r"T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$"
)

FORMS = {
    r"^[0-9]{1,9}(\.[0-9]{1,6})?$": "an amount such as 120.50",
    "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$": "a file's content in base64",
    "^[^\\u0000-\\u001f\\u007f-\\u009f]+$": "one line without control characters, not empty",
    "^[^\\u0000-\\u001f\\u007f-\\u009f]*$": "one line without control characters",
    r"^\d{4}-\d{2}-\d{2}$": "a day such as 2027-06-30",
    TIME: "a time with its zone such as 2027-06-30T18:00:00Z",
    "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$": "an id as the agent gives it",
    "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$": "an id as the agent gives it",
    "^[0-9a-f]{64}$": "64 hexadecimal digits, as the agent shows them",
    r"^\d{1,10}:\d{1,10}(@\d{1,5})?$": "firm code and product code such as 6000010:201",
    r"^\d{1,5}-\d{1,10}(-\d{1,10})?$": "a container's serial number such as 130-1000000001",
    r"^\d{1,6}(\.\d{1,6}){3}$": "a license number of four numbers such as 15.90.10.7",
    PROFILE_NAME: ("a profile's name of letters, digits, dots, hyphens and spaces, 64 at most"),
    r"^\d+(\.\d+){0,5}$": "a version of numbers and dots such as 8.30.6",
    "^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$": (
        "a host's name of letters, digits, dots and hyphens, 63 at most"
    ),
    "^[a-z][a-z0-9_]{0,39}$": "a word of small letters, digits and underscores",
    "^[A-Za-z0-9][A-Za-z0-9_.:@/-]{0,199}$": "an id as the agent gives it",
}
"""What each pattern means."""


def fault(error: ValidationError) -> str:
    """The fault as a clause that follows the name of the place."""
    message = _MESSAGES.get(str(error.validator))
    if message is None:
        return "cannot be used as it is"
    return message(error.validator_value, error)


def _type(wanted: Any, _error: ValidationError) -> str:
    names = [wanted] if isinstance(wanted, str) else wanted
    return f"must be {' or '.join(_TYPES.get(name, name) for name in names)}"


def _one_of(wanted: Any, _error: ValidationError) -> str:
    return f"must be one of {', '.join(str(value) for value in wanted)}"


def _pattern(wanted: Any, _error: ValidationError) -> str:
    return f"must be {FORMS.get(wanted, 'written in another form')}"


def _missing(wanted: Any, error: ValidationError) -> str:
    instance = error.instance if isinstance(error.instance, dict) else {}
    names = [name for name in wanted if name not in instance]
    return f"needs {' and '.join(names) or 'more'}"


def _unknown(_wanted: Any, error: ValidationError) -> str:
    known = sorted(error.schema.get("properties", {})) if isinstance(error.schema, dict) else []
    return f"has an unknown member; there may be {', '.join(known) or 'none'}"


def _bound(limit: str, one: str, many: str) -> Callable[[Any, ValidationError], str]:
    return lambda wanted, _error: f"must have {limit} {wanted} {one if wanted == 1 else many}"


_MESSAGES: dict[str, Callable[[Any, ValidationError], str]] = {
    "type": _type,
    "enum": _one_of,
    "const": lambda wanted, _error: f"must be {wanted}",
    "pattern": _pattern,
    "required": _missing,
    "dependentRequired": lambda _wanted, _error: "lacks what belongs with it",
    "additionalProperties": _unknown,
    "minLength": _bound("at least", "character", "characters"),
    "maxLength": _bound("at most", "character", "characters"),
    "minItems": _bound("at least", "entry", "entries"),
    "maxItems": _bound("at most", "entry", "entries"),
    "uniqueItems": lambda _wanted, _error: "has an entry twice",
    "minProperties": _bound("at least", "member", "members"),
    "maxProperties": _bound("at most", "member", "members"),
    "minimum": lambda wanted, _error: f"must be {wanted} or more",
    "maximum": lambda wanted, _error: f"must be {wanted} or less",
    "exclusiveMinimum": lambda wanted, _error: f"must be more than {wanted}",
}
