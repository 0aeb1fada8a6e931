# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders as rows of a table."""

from __future__ import annotations

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._servers import Entry


def order_rows(orders: list[Entry], waiting: list[Entry]) -> list[Entry]:
    """Orders as rows of a table, each with whoever has to act, since when and until when."""
    awaited = {wait["operation"]: wait for wait in waiting}
    rows = []
    for order in orders:
        wait = awaited.get((order["operation"] or {}).get("id"), {})
        late = " (overdue)" if wait.get("overdue") else ""
        rows.append(
            {
                "name": order["name"],
                "move": f"{order['source']} to {order['target']}",
                "keys": len(order["keys"]),
                "case_number": order["case_number"],
                "state": order["state"],
                "who": wait.get("who"),
                "waits_for": wait.get("title"),
                "since": wait.get("since"),
                "until": None if wait.get("until") is None else f"{wait['until']}{late}",
            }
        )
    return rows
