# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests of the agent share."""

from __future__ import annotations

from collections.abc import Iterator

import forking
import pytest
from hypothesis import HealthCheck, settings

from seatkeeper_twins.lab import process

# Properties are judged by what they find, not by how fast; a failure tells how to repeat it.
settings.register_profile(
    "agent", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("agent")


@pytest.fixture(scope="session", autouse=True)
def forked() -> Iterator[None]:
    """Agents and twins are forked, which spares the start of an interpreter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "spawn", forking.spawn)
        yield


@pytest.fixture
def started_for_real(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of how a program starts, and of what is seen of it from outside."""
    monkeypatch.setattr(process, "spawn", forking.start)
