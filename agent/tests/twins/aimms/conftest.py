# SPDX-License-Identifier: GPL-3.0-or-later
"""One vendor and two machines for most tests, brought back to their seeds before each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .world import World


@pytest.fixture(scope="package")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The processes that tests share; all end with them."""
    running = World(tmp_path_factory.mktemp("aimms"))
    yield running
    running.stop()


@pytest.fixture
def world(shared_world: World) -> World:
    """As it was made."""
    shared_world.reset()
    return shared_world


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Any]:
    """Make a world of its own for a test that needs another one."""
    made: list[World] = []

    def make(**seeds: Any) -> World:
        made.append(World(tmp_path / f"world-{len(made)}", **seeds))
        return made[-1]

    yield make
    for running in made:
        running.stop()
