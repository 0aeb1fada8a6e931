# SPDX-License-Identifier: GPL-3.0-or-later
"""Twins that are started once, and two hosts with new journals for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.journal import store

from . import new_journals
from .hosts import ITEMS, Pair, Twin, make_pair, make_twins, refresh

MakePair = Callable[..., Pair]


@pytest.fixture(autouse=True)
def _copied_journals(monkeypatch: pytest.MonkeyPatch) -> None:
    """How a new one is made is tested in agent/tests/journal."""
    monkeypatch.setattr(store, "migrate", new_journals.migrate)


@pytest.fixture(scope="session")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Twin]]:
    """Two engines with the usual items."""
    running = make_twins(tmp_path_factory.mktemp("twins"), ITEMS)
    yield running
    for twin in running.values():
        twin.stop()


@pytest.fixture
def pair_of(twins: dict[str, Twin], tmp_path: Path) -> Iterator[MakePair]:
    """Make the two hosts, with what the test changes about them."""
    made: list[Pair] = []

    def make(**values: Any) -> Pair:
        refresh(tmp_path / "hosts", twins)
        made.append(make_pair(tmp_path / "hosts", twins, **values))
        return made[-1]

    yield make
    for pair in made:
        for host in pair:
            host.close()


@pytest.fixture
def pair(pair_of: MakePair) -> Pair:
    """The two hosts as they usually are."""
    return pair_of()
