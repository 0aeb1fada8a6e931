# SPDX-License-Identifier: GPL-3.0-or-later
"""cmu and the service commands: argument lists, limits, and texts read tolerantly."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path

import pytest

from seatkeeper_agent.operations.ports import (
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
)
from seatkeeper_agent.vendors.codemeter.cmu import Cmu, CmuListing
from seatkeeper_agent.vendors.processes import run

from .conftest import DONGLE, SOURCE, TARGET, Twin


def program(folder: Path, text: str, exit_code: int = 0) -> Cmu:
    """A program in the place of cmu that prints a text."""
    path = folder / "cmu"
    path.write_text(f"#!/bin/sh\nprintf '%s' {shlex.quote(text)}\nexit {exit_code}\n")
    path.chmod(0o755)
    return Cmu(str(path), dict(os.environ), 10)


def test_cmu_and_the_library_agree(twin: Twin) -> None:
    driver = twin.driver()
    cmu = Cmu(str(twin.directory / "cmu"), dict(os.environ), 20)
    assert set(cmu.containers().serials) == {SOURCE, TARGET, DONGLE}
    assert cmu.version() == "9.10"
    assert driver.cross_check() == []
    twin.stop()
    assert cmu.containers() == CmuListing(running=False, serials=())
    assert driver.cross_check() == []


def test_a_disagreement_is_told(twin: Twin, tmp_path: Path) -> None:
    program(tmp_path, f"CmContainer with Serial Number {SOURCE}\nResult: 1 CmContainer(s) listed.")
    driver = twin.driver(cmu=str(tmp_path / "cmu"))
    assert driver.cross_check() == [
        f"Only one of library and cmu lists container {serial}." for serial in (TARGET, DONGLE)
    ]
    program(tmp_path, "CodeMeter is not running")
    assert driver.cross_check() == [
        "The library finds the license server running, cmu finds it stopped."
    ]
    (tmp_path / "cmu").unlink()
    (sentence,) = driver.cross_check()
    assert sentence.startswith("Library and cmu could not be compared: ")
    assert "No such file or directory" in sentence


TWO_CONTAINERS = """anything
List all locally connected CmContainers:
\t- CmContainer with Serial Number 3-123456 and version 4.5\r
  CmContainer with Serial Number 140-560129638-1439315497 and more

Result:  2 CmContainer(s) listed."""


@pytest.mark.parametrize(
    ("text", "listing"),
    [
        (TWO_CONTAINERS, CmuListing(True, ("3-123456", "140-560129638-1439315497"))),
        ("Result: 0 CmContainer(s) listed.", CmuListing(True, ())),
        ("The CodeMeter License Server is Not Running.", CmuListing(False, ())),
    ],
)
def test_the_listing_is_read_tolerantly(tmp_path: Path, text: str, listing: CmuListing) -> None:
    assert program(tmp_path, text, exit_code=3).containers() == listing


@pytest.mark.parametrize(
    "text",
    ["", "Usage: cmu", "CmContainer with Serial Number 3-1", "Result: 2 CmContainer(s) listed."],
)
def test_a_listing_that_is_not_understood_is_no_empty_listing(tmp_path: Path, text: str) -> None:
    with pytest.raises(DriverRefused, match="is not understood"):
        program(tmp_path, text).containers()


def test_a_version_that_is_not_told(tmp_path: Path) -> None:
    assert program(tmp_path, "cmu").version() is None
    assert program(tmp_path, "Version 8.41a of 2026.").version() == "8.41a"


def test_arguments_that_are_not_passed_on() -> None:
    for argument in ("100%", "a\nb", "\x00"):
        with pytest.raises(DriverRefused, match="must not hold"):
            run(["/bin/echo", argument], {}, 1)
    with pytest.raises(DriverUnavailable, match="/nowhere/cmu could not be started"):
        run(["/nowhere/cmu"], {}, 1)


def test_a_program_that_does_not_end_is_killed_with_what_it_started(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    code = f"(sleep 1; touch {mark}) & sleep 600"
    started = time.monotonic()
    with pytest.raises(DriverUnfinished, match="did not end in time"):
        run(["/bin/sh", "-c", code], dict(os.environ), 0.3)
    assert time.monotonic() - started < 200
    time.sleep(1)
    assert not mark.exists()


def test_a_program_that_closes_its_output_or_leaves_a_daemon() -> None:
    closed = run(["/bin/sh", "-c", "exec >&- 2>&-; sleep 0.2; exit 4"], dict(os.environ), 5)
    assert (closed.exit_code, closed.output) == (4, "")
    started = time.monotonic()
    left = run(["/bin/sh", "-c", "echo started; sleep 600 & exit 0"], dict(os.environ), 10)
    assert (left.exit_code, left.output) == (0, "started\n")
    assert time.monotonic() - started < 200


def test_a_program_that_writes_without_end_is_killed() -> None:
    code = "while True: print('x' * 10000)"
    with pytest.raises(DriverUnfinished, match="wrote more than"):
        run([sys.executable, "-c", code], dict(os.environ), 20)
