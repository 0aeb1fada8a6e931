# SPDX-License-Identifier: GPL-3.0-or-later
"""Odd servers and drivers that know only their address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from seatkeeper_agent.drivers.chaos.driver import ChaosDriver
from seatkeeper_agent.drivers.chaos.settings import ChaosSettings

from .odd_server import OddServer, serving


@pytest.fixture
def odd() -> Iterator[OddServer]:
    """A server that answers what the test puts into it."""
    with serving() as server:
        yield server


def driver_of(server: OddServer, **values: Any) -> ChaosDriver:
    """A driver for the server, with time limits that suit a test."""
    return ChaosDriver(settings_of(server, **values))


def settings_of(server: OddServer, **values: Any) -> ChaosSettings:
    """Settings that point at the server."""
    return ChaosSettings(address=server.address, **{"call_seconds_max": 15.0, **values})
