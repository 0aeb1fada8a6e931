# SPDX-License-Identifier: GPL-3.0-or-later
"""The twin's program does what its README says, and keeps its state."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from seatkeeper_twins.acme import twin

SECONDS_MAX = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the twin is."""
    twin.create(tmp_path / "acme")
    return tmp_path / "acme"


def ask(folder: Path, word: str) -> tuple[int, str]:
    """How the program ends and what it prints."""
    done = subprocess.run(
        [folder / twin.PROGRAM_NAME, word],
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    return done.returncode, done.stdout


def test_it_starts_stops_and_tells(folder: Path) -> None:
    assert ask(folder, "status")[0] == 3
    assert ask(folder, "start")[0] == 0
    assert ask(folder, "status")[0] == 0
    assert ask(folder, "stop")[0] == 0
    assert ask(folder, "status")[0] == 3
    assert twin.VERSION in ask(folder, "version")[1]
    assert ask(folder, "dance")[0] == 2


def test_it_keeps_what_it_did_through_its_death(folder: Path) -> None:
    twin.set_fault(folder, "start.after", "die")
    assert ask(folder, "start")[0] == -signal.SIGKILL
    assert twin.is_running(folder) is True
    assert ask(folder, "status")[0] == 0


def test_a_fault_acts_once(folder: Path) -> None:
    twin.set_fault(folder, "start.before", "refuse", 503)
    assert ask(folder, "start")[0] == 1
    assert twin.is_running(folder) is False
    assert ask(folder, "start")[0] == 0


def test_there_is_one_twin_in_a_folder(folder: Path) -> None:
    with pytest.raises(FileExistsError, match="already"):
        twin.create(folder)
