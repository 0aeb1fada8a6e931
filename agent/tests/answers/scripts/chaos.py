# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with a Chaos license server: what it starts with, and whose accounts there are."""

from __future__ import annotations

from typing import Any

from seatkeeper_twins.chaos.twin import demo_seed

HOST = "render-server"
USER, PASSWORD = "admin@studio-a.example", "demo-admin-password"
OTHER_USER, OTHER_PASSWORD = "admin@studio-b.example", "demo-other-password"
TARGET = "artist@studio-a.example"
DONGLE, SECOND_DONGLE = "90000001", "90000003"
SEED: dict[str, Any] = {
    "chaos": {
        # What is switched on shows at once: an agent that asks until it shows asks once.
        "server": {"visible_seconds": 0},
        "dongles": [
            {"port": "1-1.1", "serial": DONGLE},
            {"port": "1-1.2", "serial": SECOND_DONGLE},
        ],
    }
}
CLOUD: dict[str, Any] = {
    **demo_seed(),
    **{f"{name}_seconds": 0 for name in ("migration", "arrival", "workstation")},
}
"""A cloud in which nothing takes time: what is seen never depends on who is faster."""
