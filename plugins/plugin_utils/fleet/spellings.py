# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of an inventory in the one spelling that all that reads them may rely on.

A template, an INI file or the command line gives a number as a text, and YAML a date as a date.
What cannot be meant otherwise is taken as what it stands for; all else stays as it is, for the
schema to refuse.
"""

from __future__ import annotations

import ast
import copy
import json
import re
import typing as t
from datetime import date

from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import day, instant
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.plain_values import (
    TEMPLATE,
    Unreadable,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.schema import Schema

_WHOLE_NUMBER: t.Final = re.compile(r"\s*([+-]?\d{1,30})\s*", re.ASCII)
_ITEM: t.Final = re.compile(r"\s*(\d{1,20}):(\d{1,20})(?:@(\d{1,20}))?\s*", re.ASCII)
_CODE_MAX: t.Final = 2**32 - 1
_REFERENCE_MAX: t.Final = 2**16 - 1
_YEAR_MIN: t.Final = "1970"
_NARROWING: t.Final = ("enum", "format", "pattern", "x-names")
_TRUE: t.Final = frozenset({"true", "yes", "on", "y", "t", "1"})
_FALSE: t.Final = frozenset({"false", "no", "off", "n", "f", "0"})
_NO_TEXT_KEY: t.Final = Unreadable(
    "is a key that YAML reads as something else than a text: put it into quotes"
)


def variable_spelled(value: t.Any, schema: Schema) -> t.Any:
    """The plain value of a variable in its one spelling; in INI files lists are texts as well."""
    if isinstance(value, str) and schema["type"] in ("array", "object"):
        value = _written_out(value, schema)
    return spelled(value, schema)


def spelled(value: t.Any, schema: Schema) -> t.Any:
    """The plain value in its one spelling, with defaults for what an entry leaves out."""
    if isinstance(value, str) and _is_template(value, schema):
        return TEMPLATE
    spell = _SPELLINGS.get(schema.get("type", ""))
    return value if spell is None or value is None else spell(value, schema)


def _is_template(text: str, schema: Schema) -> bool:
    """Whether a text is a template that nobody resolved; secrets and commands may look like one."""
    is_free = schema.get("type") == "string" and not any(word in schema for word in _NARROWING)
    return "{{" in text and not (is_free or schema.get("writeOnly"))


def _array(value: t.Any, schema: Schema) -> t.Any:
    return [spelled(each, schema["items"]) for each in value] if isinstance(value, list) else value


def _object(value: t.Any, schema: Schema) -> t.Any:
    if not isinstance(value, dict):
        return value
    known, other = schema.get("properties", {}), schema.get("additionalProperties")
    inner = other if isinstance(other, dict) else {}
    found = {
        name: copy.deepcopy(each["default"]) for name, each in known.items() if "default" in each
    }
    for key, each in value.items():
        member = known.get(key, inner) if isinstance(key, str) else inner
        if isinstance(key, (bool, float, date)) or key is None:
            found[str(key)] = _NO_TEXT_KEY
        elif each is not None and not (member.get("x-empty") and each == ""):
            found[str(key)] = spelled(each, member)
    return found


def _integer(value: t.Any, _schema: Schema) -> t.Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    found = _WHOLE_NUMBER.fullmatch(value) if isinstance(value, str) else None
    return value if found is None else int(found[1])


def _boolean(value: t.Any, _schema: Schema) -> t.Any:
    word = str(value).strip().lower() if isinstance(value, (str, int)) else ""
    return word in _TRUE if word in _TRUE | _FALSE else value


def _string(value: t.Any, schema: Schema) -> t.Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and schema.get("x-number-as-text"):
        return str(value)
    form = _FORMATS.get(schema.get("format", ""))
    if form is not None:
        return form(value)
    return value.strip() if isinstance(value, str) and "enum" in schema else value


def _item(value: t.Any) -> t.Any:
    found = _ITEM.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    firm, product, reference = (None if each is None else int(each) for each in found.groups())
    return f"{firm}:{product}" + ("" if reference is None else f"@{reference}")


def _time(read: t.Callable[[str, str], str]) -> t.Callable[[t.Any], t.Any]:
    def form(value: t.Any) -> t.Any:
        if not isinstance(value, (str, date)):
            return value
        try:
            return read("", value if isinstance(value, str) else value.isoformat())
        except LicenseProblem:
            return value

    return form


def _written_out(text: str, schema: Schema) -> t.Any:
    """What a text stands for, as Ansible reads a value in INI files and on the command line."""
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(value, (list, dict)):
            return value
    takes_texts = schema["type"] == "array" and schema["items"].get("type") == "string"
    return [each.strip() for each in text.split(",") if each.strip()] if takes_texts else text


_SPELLINGS: t.Final[t.Dict[str, t.Callable[[t.Any, Schema], t.Any]]] = {
    "array": _array,
    "object": _object,
    "integer": _integer,
    "boolean": _boolean,
    "string": _string,
}
_FORMATS: t.Final[t.Dict[str, t.Callable[[t.Any], t.Any]]] = {
    "item": _item,
    "moment": _time(instant),
    "day": _time(day),
}


def is_item(text: str) -> bool:
    """Whether a text in its one spelling names an item with numbers that there can be."""
    found = _ITEM.fullmatch(text)
    if found is None:
        return False
    firm, product, reference = (int(each or 0) for each in found.groups())
    return max(firm, product) <= _CODE_MAX and reference <= _REFERENCE_MAX


def is_moment(text: str) -> bool:
    """Whether a text is a point in time in its one spelling."""
    return _is_spelled(text, instant)


def is_day(text: str) -> bool:
    """Whether a text is a day in its one spelling."""
    return _is_spelled(text, day)


def _is_spelled(text: str, read: t.Callable[[str, str], str]) -> bool:
    try:
        return read("", text) == text and text >= _YEAR_MIN
    except LicenseProblem:
        return False
