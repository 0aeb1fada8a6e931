# SPDX-License-Identifier: GPL-3.0-or-later
"""What an argument spec refuses is told in the operator's words, for every keyword of the specs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._mistakes import mistakes

ROOT = Path(__file__).resolve().parents[4]
WORDS_OF_ANSIBLE = re.compile(
    r"argument|parameter|convert|<class|of type|sub spec|Elements value|None|requested|"
    r"declares something wrongly"
)
SPEC: dict[str, Any] = {
    "needed": {"type": "str", "required": True},
    "number": {"type": "int"},
    "kinds": {"type": "list", "elements": "str", "choices": ["a", "b"]},
    "entries": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "item": {"type": "str", "required": True},
            "seats": {"type": "int"},
            "renew": {"type": "bool"},
            "state": {"type": "str", "choices": ["there", "gone"]},
            "many": {"type": "list", "elements": "int"},
            "inner": {"type": "dict", "options": {"file": {"type": "path", "required": True}}},
        },
    },
}
ENTRY = {"name": "n", "item": "i"}


def reported(**declared: Any) -> list[str]:
    """What the filter makes of what ansible-core says of a declaration."""
    try:
        result = ArgumentSpecValidator(SPEC).validate({"needed": "x", **declared})
    except TypeError as error:
        return mistakes({"msg": f"Unexpected failure: {error}"})
    if not result.error_messages:
        return mistakes({"msg": "The arg spec validation passed"})
    return mistakes({"argument_errors": result.error_messages})


CASES: list[tuple[dict[str, Any], str]] = [
    ({"entries": [{**ENTRY, "seats": "s3cret"}]}, "entries.seats as something else than a whole"),
    ({"entries": [{**ENTRY, "renew": "s3cret"}]}, "entries.renew as something else than true or"),
    (
        {"entries": [{**ENTRY, "state": "lost"}]},
        "entries.state as lost; it must be one of there, g",
    ),
    (
        {"entries": [{**ENTRY, "many": ["s3cret"]}]},
        "in entries.many something else than whole numb",
    ),
    ({"entries": [{}]}, "an entry of entries without item and name: add"),
    ({"entries": [{**ENTRY, "inner": {}}]}, "an entry of entries.inner without file"),
    ({"entries": [{**ENTRY, "inner": "s3cret"}]}, "entries.inner as something else than keys with"),
    ({"entries": [{**ENTRY, "inner": [1]}]}, "a list or a value where keys with values belong"),
    ({"entries": ["s3cret"]}, "in entries something else than entries of keys with values"),
    ({"entries": 5}, "in entries something else than entries of keys with values"),
    ({"entries": [[1]]}, "in entries something else than entries of keys with values"),
    ({"entries": [None]}, "in entries something else than entries of keys with values"),
    (
        {"entries": [{**ENTRY, "nmae": 1}]},
        "entries.nmae, and entries has no nmae. Did you mean name?",
    ),
    ({"number": "s3cret"}, "number as something else than a whole number"),
    ({"kinds": ["c"]}, "kinds as c; it must be one or more of a, b"),
    ({"entries": [ENTRY]}, ""),
]


@pytest.mark.parametrize(("declared", "sentence"), CASES)
def test_each_fault_is_a_sentence_with_its_place(declared: dict[str, Any], sentence: str) -> None:
    found = reported(**declared)
    assert len(found) == (1 if sentence else 0), found
    for text in found:
        assert text.startswith("The inventory declares ")
        assert sentence in text
        assert text.endswith(" Nothing was done here.")
        assert not WORDS_OF_ANSIBLE.search(text), text
        assert "s3cret" not in text


def test_a_variable_that_is_needed_is_told() -> None:
    errors = ArgumentSpecValidator(SPEC).validate({}).error_messages
    (text,) = mistakes({"argument_errors": errors})
    assert "declares no needed, which is needed." in text


def options(specs: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every option of an argument spec, with what is in it."""
    for option in specs.values():
        yield option
        yield from options(option.get("options", {}))


def test_every_keyword_and_type_of_the_roles_is_among_these() -> None:
    says_nothing = {"description", "default", "no_log", "version_added"}
    known = {(word, str(value) if word in ("type", "elements") else "")
             for option in options(SPEC) for word, value in option.items()}  # fmt: skip
    # A path takes every text, and so does a list of texts or paths.
    known |= {("type", "path"), ("elements", "str"), ("elements", "path")}
    for path in sorted((ROOT / "roles").glob("*/meta/argument_specs.yml")):
        specs = yaml.safe_load(path.read_text("utf-8"))["argument_specs"]["main"]["options"]
        for option in options(specs):
            for word, value in option.items():
                if word not in says_nothing:
                    assert (word, str(value) if word in ("type", "elements") else "") in known
