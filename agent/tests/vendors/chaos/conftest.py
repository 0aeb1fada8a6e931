# SPDX-License-Identifier: GPL-3.0-or-later
"""Odd servers, twins, and drivers that know only their address."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.vendors.chaos.driver import ChaosDriver
from seatkeeper_agent.vendors.chaos.page import browser
from seatkeeper_agent.vendors.chaos.settings import ChaosSettings

from .odd_server import OddServer, serving
from .twins import ChaosTwins

MakeTwins = Callable[..., ChaosTwins]


@pytest.fixture
def odd() -> Iterator[OddServer]:
    """A server that answers what the test puts into it."""
    with serving() as server:
        yield server


@pytest.fixture
def page_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a browser's own folders are made; empty before and after."""
    # Chromium makes a socket in it, whose path must be short.
    with tempfile.TemporaryDirectory(prefix="page-", dir="/tmp") as name:
        # As the system's own: the browser may run as another user.
        Path(name).chmod(0o1777)
        monkeypatch.setattr(browser, "on_disk", lambda: [Path(name)])
        yield Path(name)
        assert list(Path(name).iterdir()) == []


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder in which others than the user of the tests can read and run what is there."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def make_twins(tmp_path: Path) -> Iterator[MakeTwins]:
    """Makes a cloud with a server of a profile; all end with the test."""
    made: list[ChaosTwins] = []

    def make(profile: str = "6", **server_seed: Any) -> ChaosTwins:
        folder = tmp_path / f"twins-{len(made)}"
        folder.mkdir()
        made.append(ChaosTwins(folder, profile, server_seed))
        made[-1].start()
        return made[-1]

    yield make
    for twins in made:
        twins.stop()


def driver_of(server: OddServer, **values: Any) -> ChaosDriver:
    """A driver for the server, with time limits that suit a test."""
    return ChaosDriver(settings_of(server, **values))


def settings_of(server: OddServer, **values: Any) -> ChaosSettings:
    """Settings that point at the server."""
    return ChaosSettings(address=server.address, **{"call_seconds_max": 15.0, **values})
