# SPDX-License-Identifier: GPL-3.0-or-later
"""Every inventory that the collection brings, and every example of a page, is without a mistake."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet import schema
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.inventory import (
    read_inventory,
)
from inventory.from_files import of_ansible

ROOT = Path(__file__).resolve().parents[2]
FLEET = ROOT / "playbooks" / "inventories" / "fleet"
INVENTORIES = sorted(path for path in FLEET.parent.iterdir() if path.is_dir())
LEFT_OUT = {
    r"sha256:…": f"sha256:{'0a' * 32}",
    r"\b[0-9a-f]{4,12}…": "0a" * 32,
}
"""What a page shortens, and what an inventory has there."""


def hosts_of(inventory: Path) -> list[str]:
    """The hosts of an inventory of the collection."""
    listed = yaml.safe_load((inventory / "hosts.yml").read_text(encoding="utf-8"))
    return list(listed["license_servers"]["hosts"])


@pytest.mark.parametrize("path", INVENTORIES, ids=lambda path: path.name)
def test_an_inventory_of_the_collection_has_no_mistake(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEATKEEPER_DEMO", "/nowhere")
    monkeypatch.setenv("SEATKEEPER_DEMO_PASSWORD", "open")
    monkeypatch.delenv("SEATKEEPER_DEMO_UNTIL", raising=False)
    found = of_ansible(path)
    assert found.mistakes == []
    assert set(found.variables) == set(hosts_of(path))
    assert all(found.variables.values())


def pages() -> list[Path]:
    """All pages with examples in YAML."""
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = [ROOT / name for name in listed.stdout.split()]
    return [path for path in found if list(examples(path))]


def examples(path: Path) -> Iterator[dict[str, Any]]:
    """The variables of each example of a page that are of the schema."""
    for found in re.finditer(
        r"^( *)```yaml\n(.*?)```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE
    ):
        text = found[2]
        declared = dict(variables_in(yaml.safe_load(whole(text))))
        if declared:
            yield declared


def whole(text: str) -> str:
    """The text of an example with what it shortens."""
    for shortened, meant in LEFT_OUT.items():
        text = re.sub(shortened, meant, text)
    return text


def variables_in(node: Any) -> Iterator[tuple[str, Any]]:
    """Variables of the schema wherever they stand, in a group, at a host or by themselves."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name in schema.variables():
                yield name, value
            else:
                yield from variables_in(value)
    elif isinstance(node, list):
        for each in node:
            yield from variables_in(each)


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_an_example_of_a_page_has_no_mistake(path: Path) -> None:
    hosts = hosts_of(FLEET)
    for variables in examples(path):
        found = read_inventory({hosts[0]: variables}, hosts, resolve=lambda _host, _value: "open")
        assert found.mistakes == []


def test_the_pages_have_examples_of_every_variable_with_entries() -> None:
    shown = {name for path in pages() for variables in examples(path) for name in variables}
    with_entries = {
        name for name, each in schema.variables().items() if "properties" in each.get("items", {})
    }
    assert shown >= with_entries
