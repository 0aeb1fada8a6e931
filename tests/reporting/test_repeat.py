# SPDX-License-Identifier: GPL-3.0-or-later
"""What failed is repeated by the one line that was printed for it; what passed has none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TITLE = "to repeat just what failed"
SECONDS_MAX = 300.0
FAILING = """
import pytest
from hypothesis import given, strategies


@pytest.mark.parametrize("text", ["it's a \\"b\\" $HOME", "fine"])
def test_some_text(text):
    assert text == "fine"


@pytest.fixture
def broken():
    raise OSError("no such thing")


def test_a_fixture(broken):
    pass


@given(strategies.integers())
def test_any_number(number):
    assert number < 1000
"""
CHOOSING = """
from crash.share import chosen, seed


def test_points():
    assert chosen(range(1000), 0.001, seed()) == []
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Like this one, with tests that fail."""
    tmp_path = tmp_path_factory.mktemp("checkout")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p reporting.repeat\n")
    (tmp_path / "conftest.py").write_text((ROOT / "agent/tests/conftest.py").read_text())
    (tmp_path / "test_failing.py").write_text(FAILING)
    (tmp_path / "test_choosing.py").write_text(CHOOSING)
    return tmp_path


def run(checkout: Path, command: str, **variables: str) -> str:
    """What a command of the shell prints there."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'tests'}:{ROOT / 'agent/tests'}", **variables},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    return done.stdout + done.stderr


def lines(printed: str) -> list[str]:
    """The lines to be pasted."""
    _, _, after = printed.partition(TITLE)
    return [line for line in after.splitlines() if " -m pytest " in line]


@pytest.fixture(scope="module")
def failed(checkout: Path) -> str:
    """What a run of all failing tests prints."""
    return run(checkout, ".venv/bin/python -m pytest test_failing.py")


def test_each_failure_has_a_line_that_repeats_just_it(checkout: Path, failed: str) -> None:
    """Whatever is in its name, and whether the test or its fixture failed."""
    found = lines(failed)
    assert len(found) == len(set(found)) == 3, failed
    assert "1 passed" in failed
    for line in found:
        again = run(checkout, line)
        assert "1 failed" in again or "1 error" in again, again
        assert " passed" not in again
        assert lines(again) == [line]


def test_workers_hand_their_lines_on(checkout: Path, failed: str) -> None:
    """The same as without workers, in the order in which the tests ended."""
    reported = run(checkout, ".venv/bin/python -m pytest -n 2 test_failing.py")
    assert sorted(lines(reported)) == sorted(lines(failed))


def test_an_example_of_hypothesis_is_printed_with_what_repeats_it(failed: str) -> None:
    """So that it is found again on another machine."""
    assert "@reproduce_failure(" in failed


def test_points_that_a_seed_chose_are_chosen_again(checkout: Path) -> None:
    """The seed is printed at the beginning, and before the command that repeats."""
    command = ".venv/bin/python -m pytest test_choosing.py"
    reported = run(checkout, command, SEATKEEPER_CRASH_SEED="17")
    assert "SEATKEEPER_CRASH_SEED=17 chooses the same" in reported
    (line,) = lines(reported)
    assert line.startswith("SEATKEEPER_CRASH_SEED=17 .venv/bin/python")
    assert chosen_in(run(checkout, line)) == chosen_in(reported)
    assert chosen_in(run(checkout, command, SEATKEEPER_CRASH_SEED="18")) != chosen_in(reported)


def test_where_all_passes_nothing_is_to_be_repeated(checkout: Path) -> None:
    """Not even a title."""
    reported = run(checkout, ".venv/bin/python -m pytest test_failing.py -k fine")
    assert "1 passed" in reported
    assert TITLE not in reported


def chosen_in(printed: str) -> str:
    """The line of the failed comparison."""
    return next(line for line in printed.splitlines() if "assert [" in line)
