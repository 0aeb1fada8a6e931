# SPDX-License-Identifier: GPL-3.0-or-later
"""One support desk for all tests, one agent for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .bench import Bench
from .support import Support, supporting


@pytest.fixture(scope="session")
def running_support(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Support]:
    """The twin."""
    with supporting(tmp_path_factory.mktemp("support")) as support:
        yield support


@pytest.fixture
def support(running_support: Support) -> Support:
    """The twin as its seed has it."""
    if running_support.process.pid is None:
        running_support.process.start()
    running_support.fresh()
    return running_support


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """An agent without a mail server: a person sends the papers."""
    made = Bench(tmp_path / "host")
    yield made
    made.close()


@pytest.fixture
def mailing(tmp_path: Path, support: Support) -> Iterator[Bench]:
    """An agent that sends mail to the twin."""
    made = Bench(tmp_path / "mailing", support)
    yield made
    made.close()
