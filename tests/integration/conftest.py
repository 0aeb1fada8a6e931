# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of two hosts for the tests of one file or of one test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources

import pytest

from seatkeeper_twins.lab import Lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    """The two hosts of the demo, fresh."""
    with _started() as started:
        yield started


@pytest.fixture(scope="module")
def shared_lab() -> Iterator[Lab]:
    """The same for tests that do not mind what others of their file did to it."""
    with _started() as started:
        yield started


def _started() -> Lab:
    seeds = json.loads((resources.files("seatkeeper_twins") / "demo_seed.json").read_text())
    return Lab.create(seeds)
