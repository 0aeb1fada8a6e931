# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts in a folder that is quick: what is written here is made durable a thousand times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from crash.world import work_folder

from .bench import Bench


@pytest.fixture
def folder() -> Iterator[Path]:
    """Memory where there is some."""
    with TemporaryDirectory(prefix="seatkeeper-moves-", dir=work_folder()) as path:
        yield Path(path)


@pytest.fixture
def bench(folder: Path) -> Iterator[Bench]:
    """Machines of which everything can be seen."""
    made = Bench(folder / "both")
    yield made
    made.close()


@pytest.fixture
def bare(folder: Path) -> Iterator[Bench]:
    """Machines of which nothing can be seen."""
    made = Bench(folder / "bare", bare=True)
    yield made
    made.close()
