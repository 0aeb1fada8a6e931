# SPDX-License-Identifier: GPL-3.0-or-later
"""One cloud and one server for most tests, brought back to their seeds before each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .world import World


@pytest.fixture(scope="package")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The processes that tests share; both end with them."""
    running = World(tmp_path_factory.mktemp("chaos"))
    yield running
    running.stop()


@pytest.fixture
def world(shared_world: World) -> World:
    """As it was made, with an empty bus."""
    shared_world.reset()
    return shared_world


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Any]:
    """Make a world of its own for a test that needs another one."""
    made: list[World] = []

    def make(profile: str = "6", **server_seed: Any) -> World:
        running = World(tmp_path / f"world-{len(made)}", profile, **server_seed)
        made.append(running)
        return running

    yield make
    for running in made:
        running.stop()
