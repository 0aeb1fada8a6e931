# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to the tests names every folder, and each promise is kept by tests that exist."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "testing.md"
TEMPLATES = "agent/templates/"
"""Tests there become tests of a new driver, see agent/tests/vendors/test_template.py."""

SECURITY = ROOT / "docs" / "security.md"
"""Has its own rows, as they are the page."""

PAGES = ("README.md", "docs/transfers.md", "docs/operations.md")
PAGES += ("docs/problems.md", "docs/inventory.md", "docs/codemeter.md", "docs/chaos.md")
PAGES += ("docs/altigen.md", "docs/aimms.md")


def rows(section: str, columns: int, guide: Path = GUIDE) -> list[list[str]]:
    """The cells of all rows of the tables below a heading, without their heads."""
    text = guide.read_text(encoding="utf-8")
    part = re.split(rf"^{re.escape(section)}$", text, flags=re.MULTILINE)[1]
    part = re.split(rf"^#{{1,{section.count('#')}}} ", part, flags=re.MULTILINE)[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert all(len(row) == columns for row in cells), section
    heads = {number - 1 for number, row in enumerate(cells) if set(row[0]) == {"-"}}
    bodies = [row for number, row in enumerate(cells) if number not in heads]
    return [row for row in bodies if set(row[0]) != {"-"}]


def test_every_folder_of_tests_has_its_row() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*test_*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [Path(name) for name in listed.stdout.split() if not name.startswith(TEMPLATES)]
    folders = {str(path.parent) for path in names if path.name.startswith("test_")}
    assert folders, "none was found"
    assert {row[0].strip("`") for row in rows("## Folders", 6)} == folders


def test_every_page_has_promises_and_each_is_kept_by_tests_that_exist() -> None:
    named: dict[str, set[str]] = {}
    kept = {page: rows(f"### {page}", 2) for page in PAGES}
    kept[SECURITY.name] = rows("## Promises and the tests that keep them", 2, SECURITY)
    for page, found in kept.items():
        assert found, page
        for promise, cell in found:
            tests = re.findall(r"`([\w/]+\.py)::(\w+)`", cell)
            assert tests, f"{page}: nothing keeps: {promise}"
            assert cell.count("::") == len(tests), f"{page}: {promise}: {cell}"
            for path, name in tests:
                named.setdefault(path, set()).add(name)
    absent = [
        f"{path}::{name}"
        for path, names in sorted(named.items())
        for name in sorted(names - names_in(ROOT / path))
    ]
    assert absent == []


def names_in(path: Path) -> set[str]:
    """The names of a file's tests, of those in its classes too."""
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {node.name for node in functions if node.name.startswith("test_")}
