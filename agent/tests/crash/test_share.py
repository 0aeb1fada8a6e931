# SPDX-License-Identifier: GPL-3.0-or-later
"""A share of the crash points is spread over all of them, and the same seed gives the same one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .share import SEED, SHARE, chosen, repeating, seed, share

HERE = Path(__file__).parent


@given(st.integers(1, 400), st.floats(0.001, 1), st.integers(0, 2**32))
def test_a_share_is_spread_and_in_order(number: int, part: float, drawn: int) -> None:
    """One of each stretch, never none, as many as asked for."""
    points = list(range(number))
    found = chosen(points, part, drawn)
    assert found == sorted(set(found)) == chosen(points, part, drawn)
    assert len(found) == max(1, round(part * number))
    stretch = number / len(found)
    assert all(
        int(place * stretch) <= point < (place + 1) * stretch for place, point in enumerate(found)
    )


def test_all_is_all_and_none_is_none() -> None:
    """Whatever the seed."""
    assert chosen(range(7), 1.0, 3) == list(range(7))
    assert chosen([], 0.5, 3) == []


def test_seeds_together_reach_every_point() -> None:
    """What one commit leaves out another one takes."""
    met = {point for drawn in range(200) for point in chosen(range(100), 0.1, drawn)}
    assert met == set(range(100))


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_seed_changes_with_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless one is given."""
    monkeypatch.delenv(SEED, raising=False)
    requested = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False
    )
    assert seed() == int(requested.stdout[:8] or "0", 16)
    monkeypatch.setenv(SEED, "17")
    assert seed() == 17


def test_without_git_there_is_a_seed_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Always the same one."""
    monkeypatch.delenv(SEED, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert seed() == 0


def test_the_share_is_the_usual_one_unless_one_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that is not a part is refused."""
    monkeypatch.delenv(SHARE, raising=False)
    assert share(0.25) == 0.25
    monkeypatch.setenv(SHARE, "0.5")
    assert share(0.25) == 0.5
    for wrong in ("0", "1.5", "-1", "many"):
        monkeypatch.setenv(SHARE, wrong)
        with pytest.raises(ValueError, match=r"SEATKEEPER_CRASH_SHARE|float"):
            share()


def test_the_line_that_repeats_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the seed, and the share where one was given."""
    monkeypatch.setenv(SEED, "17")
    monkeypatch.delenv(SHARE, raising=False)
    assert repeating() == "SEATKEEPER_CRASH_SEED=17"
    monkeypatch.setenv(SHARE, "0.5")
    assert repeating() == "SEATKEEPER_CRASH_SEED=17 SEATKEEPER_CRASH_SHARE=0.5"
