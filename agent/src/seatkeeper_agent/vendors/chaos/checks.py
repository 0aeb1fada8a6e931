# SPDX-License-Identifier: GPL-3.0-or-later
"""What would stop this host's Chaos License Server from being worked on."""

from __future__ import annotations

from pathlib import Path

from seatkeeper_agent.operations.findings import Finding
from seatkeeper_agent.vendors.chaos.driver import ChaosDriver
from seatkeeper_agent.vendors.chaos.settings import ChaosSettings


def check(settings: ChaosSettings) -> list[Finding]:
    """The server, and who works on its page."""
    found = ChaosDriver(settings).describe()
    if not found.running:
        detail = f"No license server answers at {settings.address}. Start its service."
        return [Finding("chaos", "wrong", detail)]
    findings = [Finding("chaos", "ok", f"license server {found.version or 'of unknown version'}")]
    if settings.performer == "person":
        detail = "A person works on the server's page; see chaos.performer for a browser."
        findings.append(Finding("page", "ok", detail))
    elif not Path(settings.chromium).exists():
        detail = f"There is no browser at {settings.chromium}. Install Chromium."
        findings.append(Finding("page", "wrong", detail))
    return findings
