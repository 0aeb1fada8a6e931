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
    seeds = json.loads((resources.files("seatkeeper_twins") / "demo_seed.json").read_text())
    with Lab.create(seeds) as started:
        yield started
