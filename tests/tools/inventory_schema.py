# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what follows from the schema of an inventory, or check that it is current.

plugins/plugin_utils/fleet/inventory.schema.json says what may be declared. From it come the options
in the argument specs of the roles that read it, and docs/inventory.schema.json for editors, which
know no templates. The tables of docs/inventory.md are written by inventory_page.py.
Usage: inventory_schema.py [--check]
"""

from __future__ import annotations

import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "plugins" / "plugin_utils" / "fleet" / "inventory.schema.json"
FOR_EDITORS = ROOT / "docs" / "inventory.schema.json"
OF_SERVERS = ("license_server_configs", "license_server_vendors")
"""What the role that installs servers reads."""
TEMPLATE: Schema = {"type": "string", "pattern": r"\{\{|\{%"}
_TYPES = {"string": "str", "integer": "int", "boolean": "bool", "object": "dict", "array": "list"}
_OPTIONS = re.compile(r"(?<=\n)    options:\n.*\Z", re.DOTALL)
_TICKED = re.compile(r"`([^`]+)`")
_COLUMNS = 100
_SAID_OUTSIDE = ("description", "default", "examples")


def variables() -> dict[str, Schema]:
    """The schema of each variable, without references, as the collection reads it."""
    reader = runpy.run_path(str(SOURCE.with_name("schema.py")))
    return dict(reader["variables"]())


def places(properties: dict[str, Schema], above: str = "") -> dict[str, Schema]:
    """The schemas of all variables and members by what guides call them: ``orders[].keys``."""
    found = {}
    for name, schema in properties.items():
        found[f"{above}{name}"] = schema
        inner = schema.get("items", schema)
        mark = "[]." if "items" in schema else "."
        found |= places(inner.get("properties", {}), f"{above}{name}{mark}")
    return found


def options(properties: dict[str, Schema], needed: list[str]) -> dict[str, Any]:
    """The properties as options of an argument spec."""
    return {name: _option(schema, name in needed) for name, schema in properties.items()}


def _option(schema: Schema, is_needed: bool) -> dict[str, Any]:
    items = schema.get("items", {})
    choices = schema.get("enum", items.get("enum"))
    paragraphs = [_marked(text, choices or ()) for text in schema["description"].split("\n")]
    option: dict[str, Any] = {
        "description": paragraphs if len(paragraphs) > 1 else paragraphs[0],
        "type": _type(schema),
    }
    if "items" in schema:
        option["elements"] = _type(items)
    if is_needed:
        option["required"] = True
    if choices:
        option["choices"] = choices
    for name in ("default", "x-default"):
        if name in schema:
            option["default"] = schema[name]
    if schema.get("writeOnly"):
        option["no_log"] = True
    inner = items if "properties" in items else schema
    if "properties" in inner:
        option["options"] = options(inner["properties"], inner.get("required", []))
    return option


def _type(schema: Schema) -> str:
    return "path" if schema.get("format") == "path" else _TYPES[schema["type"]]


def _marked(text: str, choices: Any) -> str:
    """The text in Ansible's markup: options, values of this one, and code."""
    known = places(variables())

    def mark(found: re.Match[str]) -> str:
        name = found[1]
        kind = "O" if name.partition("=")[0] in known else "V" if name in choices else "C"
        return f"{kind}({name})"

    return _TICKED.sub(mark, text)


class _Dumper(yaml.SafeDumper):
    """Lists stand further in than their key, as everywhere in the roles."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def roles() -> dict[str, list[str]]:
    """Which of the variables each role takes."""
    return {
        "license_server": list(OF_SERVERS),
        "license_state": [name for name in variables() if name != "license_server_vendors"],
    }


def spec_path(role: str) -> Path:
    """Where a role's argument spec is."""
    return ROOT / "roles" / role / "meta" / "argument_specs.yml"


def rendered_spec(role: str, text: str) -> str:
    """The argument spec of a role with the options as they have to be; its head is its own."""
    known = variables()
    made = options({name: known[name] for name in roles()[role]}, [])
    tree = {"options": made}
    lines = yaml.dump(
        tree, Dumper=_Dumper, sort_keys=False, width=_COLUMNS, allow_unicode=True
    ).splitlines()
    return _OPTIONS.sub(lambda _found: "".join(f"    {line}\n" for line in lines), text)


def for_editors(schema: Schema) -> Schema:
    """A schema as an editor may hold a file against it: a template stands for any value."""
    outside = {name: schema[name] for name in _SAID_OUTSIDE if name in schema}
    taken = {
        name: value
        for name, value in schema.items()
        if not name.startswith("x-") and name not in outside
    }
    if taken.get("format") in ("path", "moment", "day", "item"):
        del taken["format"]
    for name in ("properties", "allOf"):
        if name in taken:
            taken[name] = _members(taken[name])
    for name in ("items", "additionalProperties", "propertyNames"):
        if isinstance(taken.get(name), dict):
            taken[name] = for_editors(taken[name])
    if schema.get("x-number-as-text"):
        taken = {"anyOf": [taken, {"type": "number"}]}
    alternatives = [taken, {"$ref": "#/$defs/template"}]
    if schema.get("x-empty"):
        alternatives.append({"const": ""})
    if schema.get("type") == "integer":
        alternatives.append({"type": "string", "pattern": r"^\s*[+-]?\d+\s*$"})
    return {**outside, "anyOf": alternatives} if _is_narrow(schema) else {**outside, **taken}


def _members(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: for_editors(inner) for name, inner in value.items()}
    return [_without_words(rule) for rule in value]


def _without_words(rule: Any) -> Any:
    if isinstance(rule, list):
        return [_without_words(each) for each in rule]
    if not isinstance(rule, dict):
        return rule
    return {name: _without_words(each) for name, each in rule.items() if not name.startswith("x-")}


def _is_narrow(schema: Schema) -> bool:
    """Whether a template would not pass as it is."""
    limits = ("enum", "pattern", "maxLength", "x-number-as-text")
    return schema.get("type") not in (None, "string") or any(name in schema for name in limits)


def rendered_for_editors() -> str:
    """The file for editors as it has to be, one variable a line."""
    source = json.loads(SOURCE.read_text(encoding="utf-8"))
    head = {name: source[name] for name in ("$schema", "title", "description", "type")}
    head["$defs"] = {"template": TEMPLATE}
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}," for name, value in head.items()]
    made = [
        f"    {json.dumps(name)}: {json.dumps(for_editors(schema), ensure_ascii=False)}"
        for name, schema in variables().items()
    ]
    return "\n".join(["{", *lines, '  "properties": {', ",\n".join(made), "  }", "}", ""])


def rendered() -> dict[Path, str]:
    """Every file that follows from the schema, as it has to be."""
    specs = {
        spec_path(role): rendered_spec(role, spec_path(role).read_text(encoding="utf-8"))
        for role in roles()
    }
    return {**specs, FOR_EDITORS: rendered_for_editors()}


def main() -> int:
    """Write the files; with --check return 1 where one is not current."""
    stale = [
        path
        for path, text in rendered().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if sys.argv[1:] == ["--check"]:
        for path in stale:
            print(f"inventory_schema: {path.relative_to(ROOT)} is not current: run it anew")
        return 1 if stale else 0
    for path in stale:
        path.write_text(rendered()[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
