# SPDX-License-Identifier: GPL-3.0-or-later
"""What dongles are migrated with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from seatkeeper_agent.domain.planned_steps import Instructions
from seatkeeper_agent.domain.servers import Dongle
from seatkeeper_agent.operations.dongles.presence import Stop
from seatkeeper_agent.operations.server_ports import (
    IsolationPort,
    LicenseServerDriver,
    PageDriver,
)


@dataclass(frozen=True)
class MigrationContext:
    """What a migration is done with; ``page`` is None where a person works on the page.

    ``seconds_max`` is how long to look for the end before it is left to the vendor.
    """

    driver: LicenseServerDriver
    page: PageDriver | None
    isolation: IsolationPort
    instructions: Callable[[str], Instructions]
    stop: Stop
    watch: Callable[[Callable[[list[Dongle], list[Dongle]], None]], AbstractContextManager[object]]
    screenshot_folder: Path
    seconds_max: float
