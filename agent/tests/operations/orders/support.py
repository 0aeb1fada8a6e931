# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's side of an order: the twin's mailbox and desk, and the people around it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seatkeeper_twins.altigen import people, twin
from seatkeeper_twins.lab.process import LabProcess
from seatkeeper_twins.parts import control, listening

OLD, NEW = "0012-3456-7890", "0012-9999-0001"
KEYS = ("LK10-AAAA-0001", "LK10-AAAA-0002")
CARD = "credit_card_authorization"
MOVED_SECONDS = 5 * 3600


class Support:
    """A running twin, back at its seed with every ``fresh``."""

    def __init__(self, folder: Path) -> None:
        self.folder = twin.create_twin(folder / "twin", twin.demo_seed())
        self.process = LabProcess(
            "The AltiGen twin",
            twin.serve_command(self.folder),
            folder,
            folder / "twin.log",
            os.environ,
            lambda: control.is_ready(self.folder),
        )

    @property
    def address(self) -> str:
        """Where it is controlled."""
        found = listening.address(self.folder)
        assert found is not None
        return found

    @property
    def port(self) -> int:
        """Where its mailbox listens."""
        found = twin.smtp_port(self.folder)
        assert found is not None
        return found

    def fresh(self) -> None:
        """No mail, no case, no fault."""
        control.clear_faults(self.address)
        control.reset(self.address)

    def mails(self) -> list[dict[str, Any]]:
        """What has arrived."""
        found: list[dict[str, Any]] = control.describe(self.address)["mails"]
        return found

    def open_case(self) -> str:
        """A person opens a case under the target's system key."""
        return people.open_case(self.address, NEW)

    def fault(self, point: str, action: str, value: int = 0) -> None:
        """Disturb it once."""
        control.set_fault(self.address, point, action, value)

    def fax(self, case: str) -> None:
        """The card's owner has filled in the form."""
        people.fax(self.address, case, [CARD])

    def work(self, seconds: float = MOVED_SECONDS) -> None:
        """Time goes by at the desk."""
        control.advance(seconds, self.address)

    def has(self, system_key: str) -> list[str]:
        """The license keys of a phone system."""
        return list(control.describe(self.address)["systems"][system_key]["licenses"])

    def register(self, system_key: str, *keys: str) -> list[str]:
        """A person registers a phone system."""
        return people.register(self.address, system_key, keys)


@contextmanager
def supporting(folder: Path) -> Iterator[Support]:
    """A twin that runs as long as the block."""
    support = Support(folder)
    support.process.start()
    try:
        yield support
    finally:
        support.process.stop()
