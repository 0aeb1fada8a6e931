# SPDX-License-Identifier: GPL-3.0-or-later
"""A running AltiGen twin and mails for it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

from seatkeeper_twins.altigen import twin
from seatkeeper_twins.lab.process import LabProcess
from seatkeeper_twins.parts import control, listening

OLD, NEW, SOFT = "0012-3456-7890", "0012-9999-0001", "0077-0000-0001"
TEN, OTHER_TEN, AGENTS = "LK10-AAAA-0001", "LK10-AAAA-0002", "LK05-AAAA-0003"
HOUR = 3600


class Twin:
    """The process of one twin."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = LabProcess(
            "AltiGen twin", twin.serve_command(folder), folder, folder / "log", os.environ,
            partial(control.is_ready, folder),
        )  # fmt: skip

    @property
    def at(self) -> str:
        """Its control address."""
        return listening.address(self.folder) or ""

    @property
    def smtp_port(self) -> int:
        """Where its mailbox listens."""
        return twin.smtp_port(self.folder) or 0

    def describe(self) -> dict[str, Any]:
        """Everything it knows."""
        return control.describe(self.at)


@contextmanager
def running(folder: Path, **changes: Any) -> Iterator[Twin]:
    """A new twin with the demo's systems, ended afterwards."""
    found = Twin(twin.create_twin(folder, {**twin.demo_seed(), **changes}))
    found.process.start()
    try:
        yield found
    finally:
        found.process.stop()


def letter(
    subject: str, text: str = "", attachments: Sequence[str] = ("license-transfer-form.html",)
) -> bytes:
    """A mail with the text in each of its attachments."""
    mail = EmailMessage()
    mail["From"] = "licenses@studio.example"
    mail["To"] = "support@vendor.example"
    mail["Subject"] = subject
    mail["Message-ID"] = "<1@studio.example>"
    mail.set_content("Please look at what is attached.")
    for name in attachments:
        mail.add_attachment(f"<p>{text}</p>", subtype="html", filename=name)
    return mail.as_bytes()
