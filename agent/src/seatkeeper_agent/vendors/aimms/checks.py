# SPDX-License-Identifier: GPL-3.0-or-later
"""What would stop this host's AIMMS license server from being moved."""

from __future__ import annotations

from pathlib import Path

from seatkeeper_agent.operations.findings import Finding
from seatkeeper_agent.operations.ports import DriverError
from seatkeeper_agent.vendors.aimms.driver import AimmsDriver
from seatkeeper_agent.vendors.aimms.settings import AimmsSettings


def check(settings: AimmsSettings) -> list[Finding]:
    """The server, or the installer of the one that comes here."""
    if settings.installer is not None and not Path(settings.installer).is_file():
        detail = f"There is no file {settings.installer}: put the vendor's installer there."
        return [Finding("aimms", "wrong", detail)]
    try:
        found = AimmsDriver(settings).observe()
    except DriverError as error:
        return [Finding("aimms", "wrong", str(error))]
    if found.installed is None:
        served = "something listens" if found.serving else "nothing listens"
        detail = f"people administer the server on {settings.windows_host}; {served} on its ports"
        return [Finding("aimms", "ok", detail)]
    if not found.installed:
        detail = f"No license server in {settings.folder} yet; a server that moves here installs it"
        return [Finding("aimms", "ok", detail)]
    version = found.version or "of unknown version"
    serving = {True: "serving", False: "not serving", None: "whether it serves is unknown"}
    findings = [Finding("aimms", "ok", f"license server {version}, {serving[found.serving]}")]
    return [*findings, *(Finding("aimms", "warning", note) for note in found.notes)]
