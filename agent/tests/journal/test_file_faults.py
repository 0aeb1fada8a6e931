# SPDX-License-Identifier: GPL-3.0-or-later
"""A failing or torn write, a failing sync, a full disk, at each place: the journal stays true."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatkeeper_agent.journal import Journal, JournalError

from .faulty_files import KINDS, NAME, FaultyFiles, faulty_files
from .units import LEG, assert_truthful, done, run_leg


@pytest.fixture
def files() -> Iterator[FaultyFiles]:
    """The file layer of one test."""
    with faulty_files() as layer:
        yield layer


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one, since real syncs would only take their time."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def begun(folder: Path, units: int | None) -> Path:
    """A journal in which so many units are there already; none at all for None."""
    folder.mkdir()
    if units is None:
        return folder / "journal.db"
    journal = Journal(folder / "journal.db")
    for number in range(units):
        with journal.transaction() as unit:
            LEG[number](unit)
    journal.close()
    return folder / "journal.db"


def run_with_fault(path: Path) -> tuple[int, Journal | None]:
    """Open and run a leg; how many units were told to be durable, and the journal if it opened."""
    reported, journal = 0, None
    try:
        journal = Journal(path, vfs=NAME)
        reported = done(journal)
        for unit_of_work in LEG[reported:]:
            with journal.transaction() as unit:
                unit_of_work(unit)
            reported += 1
        journal.close()
    except JournalError:
        # The only error that a fault may show itself as; any other fails the test.
        return reported, journal
    return reported, journal


def count_calls(tmp_path: Path, files: FaultyFiles, present: int | None) -> int:
    """How many calls a leg without a fault makes, its opening and closing included."""
    path = begun(tmp_path / "count", present)
    files.arm(None, KINDS[0], tmp_path / "unused")
    journal = Journal(path, vfs=NAME)
    assert run_leg(journal) == len(LEG)
    journal.close()
    return len(files.calls)


@pytest.mark.parametrize("present", [None, 0], ids=["new", "leg"])
@pytest.mark.parametrize(
    ("kind", "lasting"), [*((kind, False) for kind in KINDS), ("disk is full", True)]
)
def test_a_fault_at_every_call(
    memory: Path, files: FaultyFiles, kind: str, lasting: bool, present: int | None
) -> None:
    """What was told to be durable is there, the rest is whole or absent, and it goes on."""
    calls = count_calls(memory, files, present)
    assert calls > 20
    # Making the schema takes many calls that are all alike: every fifth, other ones per kind.
    stride = 1 if present is not None else 5
    first = 1 + KINDS.index(kind) % stride
    for number in range(first, calls + 1, stride):
        folder, image = memory / f"{number}", memory / f"image-{number}"
        path = begun(folder, present)
        files.arm(number, kind, image, lasting)
        reported, journal = run_with_fault(path)
        assert files.failed
        durable = max(reported, present or 0)
        # Killed in that moment, the unit that was being written is there whole or not at all.
        if image.exists():
            assert_truthful(image, {durable, durable + 1})
        files.disarm()
        if journal is None:
            journal = Journal(path, vfs=NAME)
        # The agent lives on, and sees what is on the disk: a commit whose sync failed may be.
        assert done(journal) in {durable, durable + 1}
        assert run_leg(journal) == len(LEG)
        journal.close()
        assert_truthful(folder, {len(LEG)})
        shutil.rmtree(folder)
        shutil.rmtree(image, ignore_errors=True)


def test_a_fault_while_reading_the_log_back(tmp_path: Path, files: FaultyFiles) -> None:
    """A journal left by a crash is read back from its log; that may fail as well."""
    folder = tmp_path / "left"
    path = begun(folder, 0)
    journal = Journal(path)
    run_leg(journal)
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in ("journal.db", "journal.db-wal"):
        shutil.copy(folder / name, crashed / name)
    journal.close()
    files.arm(1, "write fails", tmp_path / "image")
    run_with_fault(crashed / "journal.db")
    files.disarm()
    assert_truthful(crashed, {len(LEG)})


def test_a_journal_that_is_no_database(tmp_path: Path) -> None:
    """Told as such, and left as it is."""
    path = tmp_path / "journal.db"
    path.write_bytes(b"not a database, but long enough to be read as one" * 100)
    before = path.read_bytes()
    with pytest.raises(JournalError, match="cannot be opened"):
        Journal(path)
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """No traceback of the database."""
    with pytest.raises(JournalError, match="cannot be opened"):
        Journal(tmp_path / "missing" / "journal.db")
