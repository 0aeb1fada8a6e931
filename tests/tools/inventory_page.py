# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the tables of docs/inventory.md from the argument specs that check an inventory.

The text between the tables is the page's own. Each table stands between two lines, as in

<!-- role license_order -->
<!-- end -->
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "inventory.md"
_TABLE = re.compile(r"(<!-- role (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_MARKUP = re.compile(r"[COMPV]\((?:[\w.]+#\w+:)?([^)]*)\)")


def rendered(page: str) -> str:
    """The page with the tables as they have to be."""
    return _TABLE.sub(lambda found: f"{found[1]}{_table(found[2])}{found[3]}", page)


def roles_in(page: str) -> list[str]:
    """The roles whose variables the page tells."""
    return [found[1] for found in _TABLE.findall(page)]


def _table(role: str) -> str:
    path = ROOT / "roles" / role / "meta" / "argument_specs.yml"
    options = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
    rows = ["| variable | kind | default | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([*rows, *_rows(options, ""), ""])


def _rows(options: dict[str, Any], above: str) -> list[str]:
    rows = []
    for name, option in options.items():
        reported = option["description"]
        meaning = _MARKUP.sub(
            r"`\1`", reported if isinstance(reported, str) else " ".join(reported)
        )
        rows.append(f"| `{above}{name}` | {_kind(option)} | {_default(option)} | {meaning} |")
        mark = "[]." if option["type"] == "list" else "."
        rows += _rows(option.get("options", {}), f"{above}{name}{mark}")
    return rows


def _kind(option: dict[str, Any]) -> str:
    choices = ", ".join(f"`{choice}`" for choice in option.get("choices", ()))
    if option["type"] == "list":
        return f"list of {choices or option['elements']}"
    return choices or str(option["type"])


def _default(option: dict[str, Any]) -> str:
    if option.get("required"):
        return "required"
    default = option.get("default")
    # What a template computes is told in words.
    if default in (None, "") or "{{" in str(default):
        return ""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return "all" if option.get("choices") == default else f"`{default}`"


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
