# SPDX-License-Identifier: GPL-3.0-or-later
"""What a schema refuses of a declaration, in the operator's words and not in those of the schema.

No value is repeated but names: it may be a secret.
"""

from __future__ import annotations

import difflib
import typing as t
from datetime import date

from ansible_collections.seatkeeper.licensing.plugins.module_utils._card_data import (
    has_card_number,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._printable import one_line
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.plain_values import (
    Unreadable,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.schema import Schema

Path = t.Tuple[t.Union[str, int], ...]
Fault = t.Tuple[Path, str]
"""Where in a variable, and a clause that follows the place."""


class Refusal(t.NamedTuple):
    """One error of a schema, as jsonschema found it: the keyword, and what it wanted of what."""

    keyword: str
    wanted: t.Any
    schema: Schema
    instance: t.Any
    path: Path
    is_of_key: bool

    @classmethod
    def of(cls, error: t.Any) -> Refusal:
        """The error of jsonschema, which need not be there where this file is read."""
        is_of_key = "propertyNames" in error.absolute_schema_path
        path = tuple(error.absolute_path)
        seen = (error.validator, error.validator_value, error.schema, error.instance)
        return cls(*seen, path, is_of_key)


_NAME_SHOWN: t.Final = 60
_EXPLAINED_MAX: t.Final = 2
WORDS_ALIKE: t.Final = 0.75
"""Of two keys, as difflib measures it: "agent" is not like "target", and "hots" is like "host"."""
NAMES_ALIKE: t.Final = 0.6
"""Of two names of the operator's own, which often have a part in common."""
_TELLING: t.Final = ("enum", "type")
"""Of several faults in one place the one that says most; the others follow from it."""


def place_of(variable: str, path: Path) -> str:
    """A place as people write it, such as ``license_orders[0].keys[1].product``."""
    shown = (f"[{each}]" if isinstance(each, int) else f".{shown_name(each)}" for each in path)
    return variable + "".join(shown)


def shown_name(text: str) -> str:
    """A name as a sentence may repeat it."""
    line = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in one_line(text))
    if has_card_number(line):
        return "…"
    return line if len(line) <= _NAME_SHOWN else f"{line[:_NAME_SHOWN]}…"


def label_of(value: t.Any, path: Path, items: Schema) -> str:
    """What an entry is called, as `` of NAME``; nothing where that cannot be said."""
    if not path or not isinstance(path[0], int) or not isinstance(value[path[0]], dict):
        return ""
    label = items.get("x-label", "")
    name = value[path[0]].get(label)
    is_known = isinstance(name, str) and name and not has_card_number(name)
    # What is wrong is the name itself, or may be.
    if not is_known or path[1:] == (label,):
        return ""
    return f" of {shown_name(name)}"


def meant(name: str, known: t.Iterable[str], likeness: float = WORDS_ALIKE) -> str:
    """The question whether a near one was meant; nothing where none is near."""
    lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), lower, 1, likeness)
    return f". Did you mean {shown_name(lower[near[0]])}?" if near else ""


def unreadable_in(value: t.Any, path: Path = ()) -> t.Iterator[Fault]:
    """Each value within that could not be read."""
    if isinstance(value, Unreadable):
        yield path, value.why
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from unreadable_in(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from unreadable_in(inner, (*path, number))


def faults_of(errors: t.Iterable[t.Any], schema: Schema) -> t.List[Fault]:
    """The errors of a variable's schema as clauses, one for each place and cause."""
    found: t.List[Fault] = []
    told: t.Set[Path] = set()
    for error in sorted(map(Refusal.of, errors), key=_rank):
        if isinstance(error.instance, Unreadable) or error.path in told:
            continue
        if error.keyword == "additionalProperties":
            found += _unknown_keys(error)
        elif error.keyword == "required":
            clause = _missing(error, _members(schema, error.path))
            found += [(error.path, clause)] if clause else []
        else:
            found.append((error.path, _clause(error)))
            if error.keyword != "not" and not error.is_of_key:
                told.add(error.path)
    return list(dict.fromkeys(found))


def _rank(error: Refusal) -> int:
    return _TELLING.index(error.keyword) if error.keyword in _TELLING else len(_TELLING)


def _clause(error: Refusal) -> str:
    if error.instance is None:
        return "is empty: write what belongs there, or remove it"
    if not error.is_of_key:
        return _CLAUSES[error.keyword](error)
    if error.keyword == "maxLength":
        return f"has a key of more than {error.wanted} characters"
    return f"has a key that must be {_form(error.schema)}" if error.instance else "has an empty key"


def _unknown_keys(error: Refusal) -> t.Iterator[Fault]:
    known = list(error.schema["properties"])
    for key, value in error.instance.items():
        if key not in known and not isinstance(value, Unreadable):
            near = meant(key, known) or "."
            yield (*error.path, key), f"is an unknown key{near} There are {', '.join(known)}"


def _members(schema: Schema, path: Path) -> t.Dict[str, Schema]:
    """The keys that a place within a variable may have."""
    for each in path:
        schema = schema["items"] if isinstance(each, int) else schema["properties"][each]
    return dict(schema.get("properties", {}))


def _missing(error: Refusal, known: t.Dict[str, Schema]) -> str:
    """What an entry lacks; nothing where a key that is near to it is told as unknown."""
    schema, there = error.schema, error.instance
    strange = [key for key in there if key not in known]
    names = [
        name
        for name in error.wanted
        if name not in there and not difflib.get_close_matches(name, strange, 1, WORDS_ALIKE)
    ]
    if not names:
        return ""
    told = names
    if len(names) <= _EXPLAINED_MAX:
        told = [f"{name}{_meaning(known.get(name))}" for name in names]
    why = f": {schema['x-why']}" if "x-why" in schema else ""
    return f"lacks {' and '.join(told)}{why}"


def _meaning(schema: t.Optional[Schema]) -> str:
    if schema is None or "description" not in schema:
        return ""
    first = schema["description"].partition("\n")[0].partition(". ")[0].rstrip(".")
    return f" ({first[0].lower()}{first[1:]})"


def _no_text(error: Refusal) -> str:
    value = error.instance
    if isinstance(value, (list, dict)):
        return f"must be one text, not {_called(value)}"
    return f"is read by YAML as {_called(value)}: put it into quotes{_such(error.schema)}"


def _no_number(error: Refusal) -> str:
    return f"must be {_number(error.schema)}"


def _no_list(error: Refusal) -> str:
    if isinstance(error.instance, dict):
        return "must be a list: put a hyphen before each entry"
    return "must be a list: write each on a line of its own, after a hyphen"


def _no_keys(error: Refusal) -> str:
    return f"must be keys with values, not {_called(error.instance)}"


def _called(value: t.Any) -> str:
    names: t.List[t.Tuple[t.Any, str]] = [
        (bool, "true or false"),
        ((int, float), "a number"),
        (date, "a date"),
        (str, "a text"),
        (list, "a list"),
    ]
    return next((name for classes, name in names if isinstance(value, classes)), "keys with values")


def _one_of(error: Refusal) -> str:
    choices = [str(each) for each in error.wanted]
    near = meant(error.instance, choices) if isinstance(error.instance, str) else ""
    return f"must be {'one of ' if choices[1:] else ''}{', '.join(choices)}{near}"


def _form(schema: Schema) -> str:
    return f"{schema['x-form']}{_such(schema)}" if "x-form" in schema else ""


def _such(schema: Schema) -> str:
    examples = " or ".join(f'"{each}"' for each in schema.get("examples", ()))
    return f", such as {examples}" if examples else ""


def _number(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if high is None:
        return "a whole number" + ("" if low is None else f", {low} or more")
    return f"a whole number from {low} to {high}"


def _too_short(error: Refusal) -> str:
    if error.schema.get("writeOnly"):
        return "is empty: see whether the variable or vault that it comes from is set in this run"
    return "is empty: write what belongs there"


def _matches(error: Refusal) -> str:
    # What is empty is told by its length, where the length is told.
    if error.instance == "" and "minLength" in error.schema:
        return _too_short(error)
    return f"must be {_form(error.schema)}"


_TYPES: t.Final[t.Dict[str, t.Callable[[t.Any], str]]] = {
    "string": _no_text,
    "integer": _no_number,
    "boolean": lambda _error: "must be true or false",
    "array": _no_list,
    "object": _no_keys,
}
_CLAUSES: t.Final[t.Dict[str, t.Callable[[t.Any], str]]] = {
    "type": lambda error: _TYPES[error.wanted](error),
    "enum": _one_of,
    "pattern": _matches,
    "format": _matches,
    "minimum": _no_number,
    "maximum": _no_number,
    "minLength": _too_short,
    "maxLength": lambda error: f"must have at most {error.wanted} characters",
    "minItems": lambda _error: "is empty: it needs an entry",
    "maxItems": lambda error: f"has more than {error.wanted} entries",
    "minProperties": lambda _error: "is empty: it needs a key",
    "maxProperties": lambda error: f"has more than {error.wanted} keys",
    "not": lambda error: str(error.schema["x-why"]),
}
"""For each keyword of the schema, the clause; a test holds that there is one for all it uses."""
