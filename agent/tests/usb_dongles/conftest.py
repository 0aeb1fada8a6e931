# SPDX-License-Identifier: GPL-3.0-or-later
"""Buses for the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from .recorded_bus import RecordedBus


@pytest.fixture
def bus(tmp_path: Path) -> RecordedBus:
    """A recorded bus with nothing plugged in."""
    return RecordedBus(tmp_path)
