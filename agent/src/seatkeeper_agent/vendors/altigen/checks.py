# SPDX-License-Identifier: GPL-3.0-or-later
"""What would stop this host from placing orders."""

from __future__ import annotations

from pathlib import Path

from seatkeeper_agent.operations.findings import Finding
from seatkeeper_agent.vendors.altigen.desk import AltiGenDesk
from seatkeeper_agent.vendors.altigen.settings import AltiGenSettings


def check(settings: AltiGenSettings) -> list[Finding]:
    """The operator's policy, and who sends the mail with what."""
    try:
        AltiGenDesk(settings)
    except ValueError as error:
        return [Finding("altigen", "wrong", f"{error}. Correct the file altigen.policy_file.")]
    for name in ("smtp_password_file", "smtp_ca_file"):
        path = getattr(settings, name)
        if path is not None and not Path(path).is_file():
            detail = f"There is no file {path}: put it there, or correct altigen.{name}."
            return [Finding("altigen", "wrong", detail)]
    how = f"the agent, by {settings.smtp_host}" if settings.sends_mail else "a person"
    return [Finding("altigen", "ok", f"orders are placed from here; mail is sent by {how}")]
