# SPDX-License-Identifier: GPL-3.0-or-later
"""What roles, playbooks and scenarios give a module, the module has an option for."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
COLLECTION = "seatkeeper.licensing."
PLUGINS = "ansible_collections.seatkeeper.licensing.plugins"
MODULES = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
FILES = [
    path
    for folder in ("roles", "playbooks", "molecule")
    for path in sorted((ROOT / folder).rglob("*.yml"))
]


@cache
def options(module: str) -> frozenset[str]:
    """By the module's documentation and the fragments that it extends."""
    text = importlib.import_module(f"{PLUGINS}.modules.{module}").DOCUMENTATION
    document = yaml.safe_load(text)
    names = set(document.get("options", {}))
    for fragment in document.get("extends_documentation_fragment", []):
        if fragment.startswith(COLLECTION):
            name, _dot, part = fragment.removeprefix(COLLECTION).partition(".")
            found = importlib.import_module(f"{PLUGINS}.doc_fragments.{name}").ModuleDocFragment
            shared = yaml.safe_load(getattr(found, part.upper() or "DOCUMENTATION"))
            names |= set(shared.get("options", {}))
    return frozenset(names)


def calls(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each module of the collection that a file calls, with what it is given."""
    if isinstance(node, list):
        for entry in node:
            yield from calls(entry)
    elif isinstance(node, dict):
        for key, value in node.items():
            name = str(key).removeprefix(COLLECTION)
            if str(key).startswith(COLLECTION) and name in MODULES and isinstance(value, dict):
                yield name, value
            yield from calls(value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_given_what_it_takes(path: Path) -> None:
    for module, given in calls(yaml.safe_load(path.read_text(encoding="utf-8"))):
        assert given.keys() <= options(module), module


def test_the_calls_are_found() -> None:
    """So that a new way to write a call is noticed."""
    found = {
        module
        for path in FILES
        for module, _given in calls(yaml.safe_load(path.read_text(encoding="utf-8")))
    }
    assert found >= {"license_state", "license_fleet", "license_info"}
