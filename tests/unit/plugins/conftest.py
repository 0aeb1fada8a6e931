# SPDX-License-Identifier: GPL-3.0-or-later
"""What several tests of the collection need."""

from __future__ import annotations

import shutil
import tempfile
import typing as t
from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Under ansible-test the checkout's settings do not count, and it knows no such marks."""
    for mark in ("slow", "timeout"):
        config.addinivalue_line("markers", f"{mark}: see pyproject.toml")


@pytest.fixture
def short_folder() -> t.Iterator[Path]:
    """A folder whose path leaves room for a unix socket's name."""
    folder = tempfile.mkdtemp(prefix="unix-")
    yield Path(folder)
    shutil.rmtree(folder)
