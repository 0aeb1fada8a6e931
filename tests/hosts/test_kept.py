# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept is made anew with every change of what it is made of, and is always whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hosts.kept import ImageUnavailable, kept, key_of, run_logged


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder of which something is made."""
    folder = tmp_path / "source"
    (folder / "part").mkdir(parents=True)
    (folder / "part" / "module.py").write_text("1")
    (folder / "script.sh").write_text("2")
    return folder


def _remove(folder: Path) -> None:
    (folder / "part" / "module.py").unlink()


def _rename(folder: Path) -> None:
    (folder / "part" / "module.py").rename(folder / "part" / "other.py")


def _move(folder: Path) -> None:
    (folder / "part" / "module.py").rename(folder / "module.py")


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "part" / "module.py").write_text("3"),
        lambda folder: (folder / "part" / "new.sql").write_text(""),
        lambda folder: (folder / "script.sh").chmod(0o755),
        _remove,
        _rename,
        _move,
    ],
)
def test_a_change_makes_a_new_one_and_removes_the_old_one(
    tmp_path: Path, source: Path, change: Callable[[Path], object]
) -> None:
    def have() -> Path:
        def make(folder: Path) -> None:
            (folder / "made").write_text("made")

        return kept(tmp_path / "cache", "thing", key_of(source, "3.11"), make)

    first = have()
    assert have() == first
    change(source)
    second = have()
    assert second != first
    assert not first.exists()
    assert (second / "made").read_text() == "made"


def test_what_python_compiled_and_when_files_were_written_changes_nothing(source: Path) -> None:
    before = key_of(source)
    (source / "part" / "__pycache__").mkdir()
    (source / "part" / "__pycache__" / "module.pyc").write_bytes(b"x")
    (source / "script.sh").write_text("2")
    assert key_of(source) == before


def test_parts_do_not_run_into_one_another() -> None:
    assert len({key_of("ab", "c"), key_of("a", "bc"), key_of("abc"), key_of("abc", "")}) == 4


def test_a_kind_leaves_others_alone_whose_names_begin_alike(tmp_path: Path) -> None:
    other = kept(tmp_path, "thing-of-another-kind", key_of("1"), lambda _folder: None)
    kept(tmp_path, "thing", key_of("1"), lambda _folder: None)
    kept(tmp_path, "thing", key_of("2"), lambda _folder: None)
    assert other.is_dir()


def test_of_one_that_failed_nothing_is_kept(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        run_logged(["/bin/sh", "-c", "echo it lacks something; exit 1"], folder, {})

    with pytest.raises(ImageUnavailable, match="it lacks something"):
        kept(tmp_path, "thing", key_of("1"), fail)
    assert [path.name for path in tmp_path.iterdir()] == ["thing.lock"]
    made = kept(tmp_path, "thing", key_of("1"), lambda folder: (folder / "whole").touch())
    assert [path.name for path in made.iterdir()] == ["whole"]


def test_two_who_want_it_at_once_have_it_made_once(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()
    made: list[Path] = []
    had: list[Path] = []

    def make(folder: Path) -> None:
        begun.set()
        go_on.wait()
        made.append(folder)

    def have() -> None:
        had.append(kept(tmp_path, "thing", key_of("1"), make))

    threads = [threading.Thread(target=have) for _ in range(2)]
    for thread in threads:
        thread.start()
    begun.wait()
    go_on.set()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(set(had)) == 1
