# SPDX-License-Identifier: GPL-3.0-or-later
"""A twin for each test, a driver that knows its commands only, and the service that drives it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.servers.settings import ServerService
from seatkeeper_agent.vendors.acme.driver import AcmeDriver
from seatkeeper_agent.vendors.acme.settings import AcmeSettings
from seatkeeper_twins.acme import twin


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the twin is, which does not run yet."""
    twin.create(tmp_path / "acme")
    return tmp_path / "acme"


@pytest.fixture
def settings(folder: Path) -> AcmeSettings:
    """All commands, as an operator names them."""
    program = str(folder / twin.PROGRAM_NAME)
    return AcmeSettings(
        status_command=(program, "status"),
        start_command=(program, "start"),
        stop_command=(program, "stop"),
        version_command=(program, "version"),
    )


@pytest.fixture
def driver(settings: AcmeSettings) -> AcmeDriver:
    """The driver of the twin."""
    return AcmeDriver(settings)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal of its own."""
    opened = Journal(tmp_path / "journal.db")
    yield opened
    opened.close()


@pytest.fixture
def service(journal: Journal, driver: AcmeDriver) -> ServerService:
    """What the agent does with the driver: every change journaled and observed."""
    return ServerService(journal, driver, Engine(journal, 0.0))
