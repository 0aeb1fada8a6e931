# SPDX-License-Identifier: GPL-3.0-or-later
"""One host for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seatkeeper_agent.operations.servers import steps

from .bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A host on whose page a person works."""
    made = Bench(tmp_path / "host")
    yield made
    made.close()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Bench]:
    """A host on whose page a browser works."""
    made = Bench(tmp_path / "browser", performer="browser")
    yield made
    made.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An effect that does not show at once never shows."""
    patient = steps.wait_until
    for name in ("steps", "borrow_steps"):
        module = f"seatkeeper_agent.operations.servers.{name}.wait_until"
        monkeypatch.setattr(module, lambda is_true, **_values: patient(is_true, 0.0))
