# SPDX-License-Identifier: GPL-3.0-or-later
"""As whom the browser runs: never as root, and with its sandbox wherever it can have it."""

from __future__ import annotations

from seatkeeper_agent.host import User, host
from seatkeeper_agent.operations.ports import DriverUnavailable
from seatkeeper_agent.vendors.chaos.settings import ChaosSettings


def user_of(settings: ChaosSettings) -> User | None:
    """Whom the browser runs as; None for the agent's own user.

    DriverUnavailable where it would be root, or less confined than it can be.
    """
    if not host().is_administrator():
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
    found = host().user(settings.browser_user)
    if found is None or found.uid == 0:
        raise DriverUnavailable(
            f"The browser cannot run as {settings.browser_user}, which is no user of this host or"
            " root. Name a user of its own as chaos.browser_user."
        )
    return found
