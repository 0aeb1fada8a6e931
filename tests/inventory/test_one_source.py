# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specs, the schema for editors and the guide follow from the schema of an inventory."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import inventory_schema
import jsonschema
import pytest
import yaml

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet import faults, schema
from inventory.declared import FOLDER, changed, right, without

ROOT = Path(__file__).resolve().parents[2]
GROUPS = sorted((ROOT / "playbooks" / "inventories").glob("*/group_vars/*.yml"))
SAID_ONLY = {
    "$defs", "$ref", "$schema", "default", "description", "examples", "title", "writeOnly",
    "if", "then", "items", "properties", "x-default", "x-empty", "x-form", "x-label", "x-names",
    "x-number-as-text", "x-part", "x-unique", "x-unless", "x-why", "allOf",
}  # fmt: skip
"""Keywords by which jsonschema refuses nothing itself."""
TOLD_BY_THEMSELVES = {"additionalProperties", "required", "propertyNames"}


def test_what_follows_from_the_schema_is_current() -> None:
    # Run tests/tools/inventory_schema.py after changing the schema.
    for path, text in inventory_schema.rendered().items():
        assert path.read_text(encoding="utf-8") == text, path


def test_every_option_of_a_role_is_one_of_the_schema() -> None:
    known, roles = schema.variables(), inventory_schema.roles()
    for path in sorted(ROOT.glob("roles/*/meta/argument_specs.yml")):
        role = path.parts[-3]
        spec = yaml.safe_load(path.read_text("utf-8"))["argument_specs"]["main"]["options"]
        if role in roles:
            assert list(spec) == roles[role], role
        else:
            assert not set(spec) & set(known), role
    assert {name for names in roles.values() for name in names} == set(known)


def keywords(node: Any) -> set[str]:
    """The keywords of a schema, wherever they stand; conditions refuse nothing."""
    if isinstance(node, list):
        return set().union(*map(keywords, node))
    if not isinstance(node, dict):
        return set()
    found = set(node)
    for name, inner in node.items():
        if name in ("properties", "$defs"):
            found |= set().union(*map(keywords, inner.values()))
        elif name not in ("if", "not", "default", "examples"):
            found |= keywords(inner)
    return found


def test_every_keyword_of_the_schema_has_a_sentence() -> None:
    used = keywords(list(schema.variables().values())) - SAID_ONLY - TOLD_BY_THEMSELVES
    assert used == set(faults._CLAUSES)


def test_every_pattern_and_format_is_said_in_words() -> None:
    def check(node: Any) -> None:
        if isinstance(node, dict):
            needs = "pattern" in node or node.get("format") not in (None, "path")
            assert not needs or isinstance(node.get("properties"), dict) or "x-form" in node, node
            for inner in node.values():
                check(inner)
        elif isinstance(node, list):
            for inner in node:
                check(inner)

    check(list(schema.variables().values()))


def for_editors() -> jsonschema.Draft202012Validator:
    """What an editor holds a file of variables against."""
    text = inventory_schema.FOR_EDITORS.read_text(encoding="utf-8")
    jsonschema.Draft202012Validator.check_schema(json.loads(text))
    return jsonschema.Draft202012Validator(json.loads(text))


def as_an_editor_reads(value: Any) -> Any:
    """YAML 1.2 knows no dates, and JSON neither."""
    return json.loads(json.dumps(value, default=str))


@pytest.mark.parametrize("path", [FOLDER / "right.yml", *GROUPS], ids=lambda path: path.parts[-3])
def test_an_editor_takes_every_example_with_its_templates(path: Path) -> None:
    variables = as_an_editor_reads(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert [error.message for error in for_editors().iter_errors(variables)] == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("license_transfers[0].quantitiy", 1),
        ("license_transfers[0].quantity", "ten"),
        ("license_transfers[0].mode", "pul"),
        ("license_transfers", {}),
        ("license_borrows[0].seats", -1),
        ("license_orders[0].prices.move_fee", "much"),
        ("license_server_moves[0].plan_digest", "abc"),
    ],
)
def test_an_editor_marks_what_is_wrong(place: str, value: Any) -> None:
    variables = as_an_editor_reads(changed(right(), place, value))
    assert list(for_editors().iter_errors(variables))


def test_an_editor_marks_what_is_missing() -> None:
    variables = as_an_editor_reads(without(right(), "license_transfers[0].source"))
    assert list(for_editors().iter_errors(variables))


def test_no_description_is_missing() -> None:
    for place, each in inventory_schema.places(schema.variables()).items():
        assert re.match(r"[A-Z`].*[.]$", each.get("description", ""), re.DOTALL), place
