# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports point inward: a twin knows itself and the parts, the parts know nothing of a vendor."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import seatkeeper_twins

ROOT = Path(seatkeeper_twins.__file__).parent
PARTS = "parts"
ABOVE = {"lab", "demo"}
"""What is made of twins: a lab of all vendors', and a demo in one."""

PACKAGES = sorted({path.parent.name for path in ROOT.glob("*/__init__.py")} - ABOVE)


def _imported(path: Path) -> set[str]:
    """The full names of all modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _imported_by(package: str) -> set[tuple[str, ...]]:
    files = sorted((ROOT / package).glob("**/*.py"))
    assert len(files) > 1
    return {tuple(name.split(".")) for file in files for name in _imported(file)}


def test_there_are_twins_of_several_vendors() -> None:
    """So that the rules below are about something."""
    assert {PARTS, "aimms", "altigen", "chaos", "codemeter"} <= set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_twin_knows_only_itself_and_the_parts(package: str) -> None:
    """No other vendor's, no lab, nothing of the agent."""
    ours = {name[1] for name in _imported_by(package) if name[0] == seatkeeper_twins.__name__}
    assert ours <= {package, PARTS}
    assert not [name for name in _imported_by(package) if name[0] == "seatkeeper_agent"]


def test_a_lab_knows_no_demo() -> None:
    assert not [name for name in _imported_by("lab") if name[:2] == (ROOT.name, "demo")]


def test_the_parts_need_the_standard_library_only() -> None:
    """A twin may run where nothing is installed."""
    known = {seatkeeper_twins.__name__, *sys.stdlib_module_names}
    assert {name[0] for name in _imported_by(PARTS)} <= known
    ours = {name[1] for name in _imported_by(PARTS) if name[0] == seatkeeper_twins.__name__}
    assert ours == {PARTS}
