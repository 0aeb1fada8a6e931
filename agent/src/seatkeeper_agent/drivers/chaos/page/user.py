# SPDX-License-Identifier: GPL-3.0-or-later
"""As whom the browser runs: never as root, and with its sandbox wherever it can have it."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from seatkeeper_agent.drivers.chaos.settings import ChaosSettings
from seatkeeper_agent.operations.ports import DriverUnavailable


@dataclass(frozen=True, slots=True)
class BrowserUser:
    """Another user than the agent's; it has no group but its own."""

    name: str
    uid: int
    gid: int

    def own(self, folder: Path) -> None:
        """Give it a folder that the agent has just made."""
        os.chown(folder, self.uid, self.gid)


def user_of(settings: ChaosSettings) -> BrowserUser | None:
    """Whom the browser runs as; None for the agent's own user.

    DriverUnavailable where it would be root, or less confined than it can be.
    """
    if os.geteuid() != 0:
        if settings.switches_sandbox_off:
            raise DriverUnavailable(
                "The browser is to run without its sandbox, which it needs as root only. Take what"
                " switches the sandbox off out of chaos.browser_arguments."
            )
        return None
    if settings.browser_user is None:
        if settings.switches_sandbox_off:
            return None
        raise DriverUnavailable(
            "The agent runs as root, and the browser must not. Make a user for it and name it as"
            " chaos.browser_user, or run the agent as a user of its own."
        )
    try:
        entry = pwd.getpwnam(settings.browser_user)
    except KeyError:
        entry = None
    if entry is None or entry.pw_uid == 0:
        raise DriverUnavailable(
            f"The browser cannot run as {settings.browser_user}, which is no user of this host or"
            " root. Name a user of its own as chaos.browser_user."
        )
    return BrowserUser(entry.pw_name, entry.pw_uid, entry.pw_gid)
