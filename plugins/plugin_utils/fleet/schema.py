# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of an inventory: what may be declared, with its limits, defaults and meaning.

``inventory.schema.json`` is the one source. docs/inventory.md, the argument specs of the roles and
the schema for editors are written from it by tests/tools/inventory_schema.py. Words of its own:

- ``x-part``: the part of a run that a variable is for; without one it is for all.
- ``x-label``: the member that people know an entry by.
- ``x-unique``: what no two entries may have alike; an entry without a host is for every host.
- ``x-names``: what a text is the name of, ``host`` or ``phone_system``; ``x-unless`` is the member
  that says that it need not be there any more.
- ``x-form``: in words, what a pattern or format wants. ``x-why``: what a rule wants.
- ``x-empty``: an empty text is as good as none.
- ``x-number-as-text``: a number is taken as its text.
- ``x-default``: a default that a template computes.
"""

from __future__ import annotations

import functools
import json
import pathlib
import typing as t

Schema = t.Dict[str, t.Any]

PATH: t.Final = pathlib.Path(__file__).with_name("inventory.schema.json")
_REFERENCE: t.Final = "#/$defs/"


@functools.lru_cache(maxsize=None)
def variables() -> t.Dict[str, Schema]:
    """The schema of each variable, by its name, in the order in which guides show them."""
    source = json.loads(PATH.read_text(encoding="utf-8"))
    resolved: t.Dict[str, Schema] = _resolved(source["properties"], source["$defs"])
    return resolved


def _resolved(node: t.Any, definitions: t.Dict[str, Schema]) -> t.Any:
    """The same without references; what stands beside one is added to what it refers to."""
    if isinstance(node, list):
        return [_resolved(each, definitions) for each in node]
    if not isinstance(node, dict):
        return node
    inner = {key: _resolved(value, definitions) for key, value in node.items()}
    reference = inner.pop("$ref", None)
    if reference is None:
        return inner
    named = _resolved(definitions[reference[len(_REFERENCE) :]], definitions)
    return {**named, **inner}
