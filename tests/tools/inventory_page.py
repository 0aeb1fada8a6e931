# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the tables of docs/inventory.md from the schema of an inventory.

The text between the tables is the page's own. Each table stands between two lines, which name the
variables, or a role whose argument spec says what it takes beside them:

<!-- variables license_orders license_order_rules -->
<!-- end -->
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import inventory_schema
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "inventory.md"
_TABLE = re.compile(r"(<!-- (role|variables) ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_MARKUP = re.compile(r"[COMPV]\((?:[\w.]+#\w+:)?([^)]*)\)")


def rendered(page: str) -> str:
    """The page with the tables as they have to be."""
    return _TABLE.sub(lambda found: f"{found[1]}{_table(found[2], found[3])}{found[4]}", page)


def named_in(page: str, kind: str) -> list[str]:
    """The roles, or the variables, of which the page has a table."""
    tables = (found[3] for found in _TABLE.finditer(page) if found[2] == kind)
    return [name for names in tables for name in names.split()]


def _table(kind: str, names: str) -> str:
    if kind == "role":
        options = _of_role(names)
    else:
        known = inventory_schema.variables()
        options = inventory_schema.options({name: known[name] for name in names.split()}, [])
    rows = ["| variable | kind | default | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([*rows, *_rows(options, ""), ""])


def _of_role(role: str) -> dict[str, Any]:
    text = inventory_schema.spec_path(role).read_text(encoding="utf-8")
    return dict(yaml.safe_load(text)["argument_specs"]["main"]["options"])


def _rows(options: dict[str, Any], above: str) -> list[str]:
    rows = []
    for name, option in options.items():
        reported = option["description"]
        meaning = _MARKUP.sub(
            r"`\1`", reported if isinstance(reported, str) else " ".join(reported)
        )
        place = f"{above}{name}"
        kind = f"{_kind(option)}{_limits(place)}"
        rows.append(f"| `{place}` | {kind} | {_default(option)} | {meaning} |")
        mark = "[]." if option["type"] == "list" else "."
        rows += _rows(option.get("options", {}), f"{above}{name}{mark}")
    return rows


def _kind(option: dict[str, Any]) -> str:
    choices = ", ".join(f"`{choice}`" for choice in option.get("choices", ()))
    if option["type"] == "list":
        return f"list of {choices or option['elements']}"
    return choices or str(option["type"])


def _limits(place: str) -> str:
    """From where to where a number goes."""
    schema = inventory_schema.places(inventory_schema.variables()).get(place, {})
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None and high is None:
        return ""
    return f", {low} or more" if high is None else f", {low} to {high}"


def _default(option: dict[str, Any]) -> str:
    if option.get("required"):
        return "required"
    default = option.get("default")
    # What a template computes is told in words.
    if default in (None, "") or "{{" in str(default):
        return ""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return "all" if option.get("choices") == default and default else f"`{default}`"


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
