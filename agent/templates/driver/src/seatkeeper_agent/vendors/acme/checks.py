# SPDX-License-Identifier: GPL-3.0-or-later
"""What would stop this host's Acme license server from being worked on."""

from __future__ import annotations

from seatkeeper_agent.operations.findings import Finding
from seatkeeper_agent.vendors.acme.driver import AcmeDriver
from seatkeeper_agent.vendors.acme.settings import AcmeSettings


def check(settings: AcmeSettings) -> list[Finding]:
    """Whether the server runs, and its version."""
    found = AcmeDriver(settings).describe()
    if not found.running:
        return [Finding("acme", "wrong", "The license server does not run. Start its service.")]
    return [Finding("acme", "ok", f"license server {found.version or 'of unknown version'}")]
