# SPDX-License-Identifier: GPL-3.0-or-later
"""One host for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A host whose page is worked on by a browser, with one dongle."""
    made = Bench(tmp_path / "host")
    made.plug()
    yield made
    made.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Bench]:
    """A host whose page is worked on by a person, with one dongle."""
    made = Bench(tmp_path / "desk", performer="person")
    made.plug()
    yield made
    made.close()
