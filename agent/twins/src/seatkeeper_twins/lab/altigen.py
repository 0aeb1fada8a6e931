# SPDX-License-Identifier: GPL-3.0-or-later
"""The AltiGen twin of a lab's host that orders are placed from: mailbox, desk, phone systems.

{"altigen": {
    "mailed": true,             optional; false: the agent has no mail server, a person sends
    "desk": {"systems": {}}}}   optional; see altigen/seed.py, without it the demo's
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seatkeeper_twins.altigen import twin
from seatkeeper_twins.lab.process import LabProcess
from seatkeeper_twins.parts.control import is_ready
from seatkeeper_twins.parts.listening import PORT_NAME
from seatkeeper_twins.parts.seed import SeedError, table

FOLDER_NAME = "altigen"
SENDER, RECIPIENT = "licenses@studio-a.example", "support@vendor.example"
_MAIL_SECONDS_MAX = 20


@dataclass(frozen=True, slots=True)
class AltiGenSeed:
    """What a host that orders has; ``desk`` is its twin's own seed."""

    mailed: bool
    desk: Any


def altigen_seed(entry: object) -> AltiGenSeed:
    """The section of a host's seed; SeedError."""
    found = table(entry, "altigen", {"mailed", "desk"})
    mailed = found.get("mailed", True)
    if not isinstance(mailed, bool):
        raise SeedError("altigen.mailed must be true or false")
    return AltiGenSeed(mailed, found.get("desk", twin.demo_seed()))


class AltiGenTwin:
    """One twin: its folder, its two ports, its process.

    Both ports are chosen when the lab is made: the agent is told one in its settings.
    """

    def __init__(
        self, name: str, host_folder: Path, ports: tuple[int, int], environment: Mapping[str, str]
    ) -> None:
        self.folder = host_folder / FOLDER_NAME
        self.ports = ports
        self.address = f"http://127.0.0.1:{ports[0]}"
        self.process = LabProcess(
            f"The AltiGen twin of {name}",
            twin.serve_command(self.folder),
            host_folder,
            self.folder.with_suffix(".log"),
            environment,
            lambda: is_ready(self.folder),
        )

    def create(self, seed: AltiGenSeed) -> None:
        """Make it; SeedError as create_twin."""
        twin.create_twin(self.folder, seed.desk)
        for name, port in zip((PORT_NAME, twin.SMTP_PORT_NAME), self.ports, strict=True):
            (self.folder / name).write_text(f"{port}\n", encoding="ascii")

    def settings(self, seed: AltiGenSeed) -> dict[str, Any]:
        """The agent's table [altigen]."""
        addressed = {"contact": "the office", "sender": SENDER, "recipient": RECIPIENT}
        if not seed.mailed:
            return addressed
        return {
            **addressed,
            "smtp_host": "127.0.0.1",
            "smtp_port": self.ports[1],
            # The twin is on this machine, and nobody reads on the way.
            "smtp_starttls": False,
            "mail_seconds_max": _MAIL_SECONDS_MAX,
        }


def altigen_ports(host_folder: Path) -> tuple[int, int] | None:
    """The ports of a host's twin that was made before; None when it has none."""
    folder = host_folder / FOLDER_NAME
    if not (folder / twin.SMTP_PORT_NAME).is_file():
        return None
    control, mail = (
        int((folder / name).read_text(encoding="ascii"))
        for name in (PORT_NAME, twin.SMTP_PORT_NAME)
    )
    return control, mail
