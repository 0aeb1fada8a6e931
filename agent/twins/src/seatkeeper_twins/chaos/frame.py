# SPDX-License-Identifier: GPL-3.0-or-later
"""What every view of the server's page has: the two menus. TRANSFER is there only when possible."""

from __future__ import annotations

from seatkeeper_twins.chaos import page
from seatkeeper_twins.chaos.page import button
from seatkeeper_twins.chaos.server import Server
from seatkeeper_twins.parts.web import Answer

TITLE = "Chaos License Server"


def shown(server: Server, *parts: str, refresh_seconds: int | None = None) -> Answer:
    """A view below the menus ONLINE LICENSING and DONGLE."""
    navigation = (
        '<nav><a href="/">ONLINE LICENSING</a>'
        f"<details><summary>DONGLE</summary><div>{dongle_menu(server)}</div></details></nav>"
    )
    return Answer.of_html(page.layout(TITLE, navigation, "".join(parts), refresh_seconds))


def dongle_menu(server: Server) -> str:
    """What can be done with dongles now; nothing says why TRANSFER is missing (grade D)."""
    if server.state["dongle_enabled_at"] is None:
        return button("ENABLE DONGLE", "/_twin/page/dongle", {"service": "enabled"})
    transfer = button("TRANSFER", "/_twin/page/transfer", get=True)
    return (transfer if server.can_transfer() else "") + button(
        "DISABLE DONGLE", "/_twin/page/dongle", {"service": "disabled"}, plain=True
    )
