# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are made from people's names are recognised, stay in their folder, never collide."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils._file_names import (
    as_on_disk,
    file_stem,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._files import (
    read_file,
    write_file,
)

NAMES = (
    "planning", "planning 2", "planning_2", "planning-2", "planning/2", "pl\u00e4nning", "pl_nning",
    "pl\u00f6nning", "..", ".", ".planning", "", "a" * 80, "a" * 81, "a" * 200, "\udcff",
    "\u8a08\u753b",
)  # fmt: skip


def test_no_two_names_make_the_same_file() -> None:
    stems = [file_stem(name) for name in NAMES]
    assert len(set(stems)) == len(NAMES)
    for stem in stems:
        assert stem.isascii()
        assert "/" not in stem
        assert not stem.startswith(".")
        assert 0 < len(stem) < 120


@pytest.mark.parametrize("name", ["planning", "planning-2", "Plan_2.old"])
def test_a_name_that_a_file_may_have_is_kept(name: str) -> None:
    assert file_stem(name) == name


COMPOSED, DECOMPOSED = "\u00dcberg\u00e4nge", "U\u0308berga\u0308nge"


def test_a_name_is_one_name_in_either_spelling() -> None:
    assert file_stem(COMPOSED) == file_stem(DECOMPOSED)


@pytest.mark.parametrize(("kept", "asked"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_a_file_is_found_and_replaced_in_either_spelling(
    tmp_path: Path, kept: str, asked: str
) -> None:
    """In a folder and as a file: nothing is written beside what is there."""
    there = tmp_path / kept / f"{kept}.json"
    there.parent.mkdir()
    there.write_bytes(b"old")
    named = str(tmp_path / asked / f"{asked}.json")
    assert read_file(named) == b"old"
    assert write_file(named, b"new", dry_run=False)
    assert there.read_bytes() == b"new"
    assert [list(tmp_path.iterdir()), list(there.parent.iterdir())] == [[there.parent], [there]]


def test_what_is_there_as_it_is_written_comes_first(tmp_path: Path) -> None:
    for name in (COMPOSED, DECOMPOSED):
        (tmp_path / name).write_text(name)
        assert as_on_disk(str(tmp_path / name)) == str(tmp_path / name)


@pytest.mark.parametrize("path", ["/", "", ".", "/nowhere/\u00fc", "\u00fc", "\u00fc/", "\udcff/x"])
def test_a_path_of_which_nothing_is_there_stays(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert as_on_disk(path) == path.rstrip("/") or path == "/"
